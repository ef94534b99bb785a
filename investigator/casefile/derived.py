"""The derived tables of derived.yaml as typed schemas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import polars as pl

from investigator.yamltext import load as load_yaml

_POLARS: Mapping[str, pl.DataType] = {
    "BIGINT": pl.Int64(),
    "INTEGER": pl.Int32(),
    "DOUBLE": pl.Float64(),
    "BOOLEAN": pl.Boolean(),
    "VARCHAR": pl.String(),
    "VARCHAR[]": pl.List(pl.String()),
    "TIMESTAMP": pl.Datetime("us"),
}


@dataclass(frozen=True, slots=True)
class DerivedColumn:
    """One documented column. `follows` is the SQL that recomputes it in a world, after the levers."""

    name: str
    type: str
    unit: str | None
    lever: bool
    follows: str | None
    doc: str


@dataclass(frozen=True, slots=True)
class DerivedTable:
    name: str
    version: int
    doc: str
    columns: tuple[DerivedColumn, ...]

    def polars_schema(self) -> dict[str, pl.DataType]:
        """Column → Polars type, in the table's order."""
        return {column.name: _POLARS[column.type] for column in self.columns}

    def empty(self) -> pl.DataFrame:
        return pl.DataFrame(schema=self.polars_schema())


def _column(name: str, spec: Mapping[str, object]) -> DerivedColumn:
    unit, follows = spec.get("unit"), spec.get("follows")
    return DerivedColumn(
        name=name,
        type=str(spec["type"]),
        unit=None if unit is None else str(unit),
        lever=bool(spec.get("lever", False)),
        follows=None if follows is None else str(follows),
        doc=str(spec.get("doc", "")),
    )


@cache
def derived_tables() -> Mapping[str, DerivedTable]:
    """All derived tables by name, in the file's order."""
    text = files(__package__).joinpath("derived.yaml").read_text(encoding="utf-8")
    raw = load_yaml(text)
    return {
        name: DerivedTable(
            name,
            int(spec["version"]),
            spec["doc"],
            tuple(_column(key, value) for key, value in spec["columns"].items()),
        )
        for name, spec in raw.items()
    }
