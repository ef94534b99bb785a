"""The fact tables of facts.yaml as typed schemas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, cast

import polars as pl

from investigator.yamltext import load as load_yaml

_POLARS: Mapping[str, pl.DataType] = {
    "UBIGINT": pl.UInt64(),
    "BIGINT": pl.Int64(),
    "INTEGER": pl.Int32(),
    "SMALLINT": pl.Int16(),
    "DOUBLE": pl.Float64(),
    "BOOLEAN": pl.Boolean(),
    "VARCHAR": pl.String(),
    "TIMESTAMP": pl.Datetime("us"),
}


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    doc: str


@dataclass(frozen=True, slots=True)
class FactTable:
    name: str
    doc: str
    columns: tuple[Column, ...]
    keep_verbatim: bool

    def polars_schema(self) -> dict[str, pl.DataType]:
        """Column → Polars type, in the table's order, the common columns first."""
        return {column.name: _POLARS[column.type] for column in self.columns}

    def empty(self) -> pl.DataFrame:
        return pl.DataFrame(schema=self.polars_schema())


def _columns(raw: Mapping[str, Mapping[str, str]]) -> tuple[Column, ...]:
    return tuple(Column(name, spec["type"], spec.get("doc", "")) for name, spec in raw.items())


@cache
def _raw() -> Mapping[str, Any]:
    return cast(
        Mapping[str, Any],
        load_yaml(files(__package__).joinpath("facts.yaml").read_text(encoding="utf-8")),
    )


@cache
def fact_tables() -> Mapping[str, FactTable]:
    """All fact tables by name, in the file's order."""
    common = _columns(_raw()["common"])
    kept = set(_raw()["keep_verbatim"])
    return {
        name: FactTable(name, spec["doc"], common + _columns(spec["columns"]), name in kept)
        for name, spec in _raw()["tables"].items()
    }


@cache
def common_columns() -> tuple[str, ...]:
    """Names of the columns that every fact table starts with."""
    return tuple(_raw()["common"])
