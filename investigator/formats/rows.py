"""Facts of single records: safe cells, lines that add up, and which lines are to be kept verbatim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import polars as pl

from investigator.formats.common import FactRows
from investigator.formats.facts import fact_tables
from investigator.formats.stamps import NO_STAMP, Stamp

#: A plain value of a fact's column; what does not fit the column's type becomes null.
Cell = object

_INTEGER_BITS: Mapping[pl.DataType, int] = {pl.Int16(): 15, pl.Int32(): 31, pl.Int64(): 63}


@dataclass(frozen=True, slots=True)
class At:
    """Where a record stands. line_no from 1; byte_offset of its first byte; lines that it spans."""

    line_no: int
    byte_offset: int
    lines: int = 1


@dataclass(slots=True)
class Rows:
    """Collects facts. A record's first fact carries its lines, further ones 0, so that lines can be summed."""

    source_id: int
    added: int = 0
    kept_lines: set[int] = field(default_factory=set)
    _counted: set[int] = field(default_factory=set)
    _rows: FactRows = field(init=False)

    def __post_init__(self) -> None:
        self._rows = FactRows(self.source_id)

    def add(self, table: str, at: At, stamp: Stamp = NO_STAMP, **values: Cell) -> None:
        """One more row of `table`; columns that are not named stay null."""
        kinds = _kinds(table)
        cells = {name: _fit(value, *kinds[name]) for name, value in values.items()}
        self._rows.add(
            table,
            at.line_no,
            at.byte_offset,
            lines=0 if at.byte_offset in self._counted else at.lines,
            stamp=stamp.at,
            stamp_kind=stamp.kind,
            offset_s=stamp.offset_s,
            **cells,
        )
        self._counted.add(at.byte_offset)
        self.added += 1
        if fact_tables()[table].keep_verbatim or (table == "agent_call" and values.get("error_class") is not None):
            self.kept_lines.add(at.line_no)

    def has(self, at: At) -> bool:
        """Whether a record at this place yielded a fact."""
        return at.byte_offset in self._counted

    def frames(self) -> dict[str, pl.DataFrame]:
        """All facts by table, with exactly the columns of facts.yaml."""
        return self._rows.frames()


def _fit(value: Cell, bits: int, kind: str) -> Cell:
    """`value` if it fits the type, else null: a log may print any number, and a bad one must not cost its record."""
    if value is None:
        return None
    if kind == "text":
        return value if isinstance(value, str) else None if isinstance(value, bool) else str(value)
    if kind == "switch" or isinstance(value, bool):
        return value if kind == "switch" and isinstance(value, bool) else None
    if kind == "integer":
        return _integer(value, bits)
    if kind == "float":
        return float(value) if isinstance(value, int | float) and abs(value) < 1e300 else None
    return value


def _integer(value: Cell, bits: int) -> int | None:
    if isinstance(value, float):
        value = int(value) if value.is_integer() else None
    return value if isinstance(value, int) and -(1 << bits) <= value < (1 << bits) else None


@cache
def _kinds(table: str) -> Mapping[str, tuple[int, str]]:
    """Column → how many bits an integer may have, and the kind of value."""
    kinds: dict[pl.DataType, str] = {pl.String(): "text", pl.Boolean(): "switch", pl.Float64(): "float"}
    return {
        name: (_INTEGER_BITS[kind], "integer") if kind in _INTEGER_BITS else (0, kinds.get(kind, "other"))
        for name, kind in fact_tables()[table].polars_schema().items()
    }
