"""Facts of single records: safe cells, lines that add up, and which lines are to be kept verbatim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import polars as pl

from investigator.formats.common import finish_facts
from investigator.formats.facts import fact_tables
from investigator.formats.stamps import NO_STAMP, Stamp

#: A plain value of a fact's column; what does not fit the column's type becomes null.
Cell = object

_INTEGER_BITS: Mapping[pl.DataType, int] = {pl.Int16(): 15, pl.Int32(): 31, pl.Int64(): 63}


class At(NamedTuple):
    """Where a record stands. line_no from 1; byte_offset of its first byte; lines that it spans."""

    line_no: int
    byte_offset: int
    lines: int = 1


#: One fact as it was told: place, lines it counts for, stamp, and the columns by name.
_Row = tuple[At, int, Stamp, dict[str, Cell]]


@dataclass(slots=True)
class Rows:
    """Collects facts. A record's first fact carries its lines, further ones 0, so that lines can be summed.

    Values are checked column by column when the frames are made: checking them one by one took most of the time that
    a transcript took.
    """

    source_id: int
    added: int = 0
    kept_lines: set[int] = field(default_factory=set)
    _counted: set[int] = field(default_factory=set)
    _tables: dict[str, list[_Row]] = field(default_factory=dict)

    def add(self, table: str, at: At, stamp: Stamp = NO_STAMP, **values: Cell) -> None:
        """One more row of `table`; columns that are not named stay null."""
        offset = at.byte_offset
        row = (at, 0 if offset in self._counted else at.lines, stamp, values)
        if table in self._tables:
            self._tables[table].append(row)
        else:
            self._tables[table] = [row]
        self._counted.add(offset)
        self.added += 1
        if table in _verbatim() or (table == "agent_call" and values.get("error_class") is not None):
            self.kept_lines.add(at.line_no)

    def has(self, at: At) -> bool:
        """Whether a record at this place yielded a fact."""
        return at.byte_offset in self._counted

    def frames(self) -> dict[str, pl.DataFrame]:
        """All facts by table, with exactly the columns of facts.yaml. Raises KeyError for an unknown column."""
        return {table: finish_facts(table, self.source_id, _frame(table, rows)) for table, rows in self._tables.items()}


def _frame(table: str, rows: list[_Row]) -> pl.DataFrame:
    schema, kinds = fact_tables()[table].polars_schema(), _kinds(table)
    columns: dict[str, list[Cell]] = {
        "line_no": [row[0].line_no for row in rows],
        "byte_offset": [row[0].byte_offset for row in rows],
        "lines": [row[1] for row in rows],
        "stamp": [row[2].at for row in rows],
        "stamp_kind": [row[2].kind for row in rows],
        "offset_s": [row[2].offset_s for row in rows],
    }
    told = [row[3] for row in rows]
    names = dict.fromkeys(name for values in told for name in values)
    if unknown := [name for name in names if name not in schema]:
        raise KeyError(f"table {table} has no column {', '.join(unknown)}")
    for name in names:
        columns[name] = _fitting([values.get(name) for values in told], *kinds[name])
    return pl.DataFrame({name: pl.Series(name, values, schema[name], strict=False) for name, values in columns.items()})


#: Types of which every value of a column may be taken as it is, by the column's kind.
_PLAIN: Mapping[str, frozenset[type]] = {
    "text": frozenset({str, type(None)}),
    "switch": frozenset({bool, type(None)}),
    "integer": frozenset({int, type(None)}),
    "float": frozenset({float, int, type(None)}),
}


def _fitting(values: list[Cell], bits: int, kind: str) -> list[Cell]:
    """The values of one column, each that does not fit replaced by None. Most columns hold what they should."""
    if set(map(type, values)) <= _PLAIN.get(kind, frozenset()):
        numbers = [value for value in values if isinstance(value, int | float)] if kind in ("integer", "float") else []
        limit = 1 << bits if kind == "integer" else 1e300
        if not numbers or (-limit <= min(numbers) and max(numbers) < limit):
            return values
    return [_fit(value, bits, kind) for value in values]


@cache
def _verbatim() -> frozenset[str]:
    """Tables whose lines are kept."""
    return frozenset(name for name, table in fact_tables().items() if table.keep_verbatim)


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
