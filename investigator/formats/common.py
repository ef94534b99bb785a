"""What every format needs: ids of facts, frames in the shape of facts.yaml, and the account of lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

import numpy as np
import polars as pl

from investigator.formats.base import Parsed
from investigator.formats.facts import common_columns, fact_tables

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)

UNRECOGNISED_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "line_no": pl.Int32,
    "byte_offset": pl.Int64,
    "shape": pl.String,
    "text": pl.String,
}
EVIDENCE_SCHEMA: Mapping[str, type[pl.DataType]] = {"line_no": pl.Int32, "text": pl.String}

#: Lines kept verbatim before and after a line that is evidence.
NEIGHBOURS = 3

#: Longest text stored of one line; the rest can be fetched from the source.
TEXT_LIMIT = 2000


def fact_ids(source_id: int, byte_offset: pl.Series) -> pl.Series:
    """Ids (UInt64) of facts at these offsets: (source_id + byte_offset · 0x9E3779B97F4A7C15) mod 2^64.

    A further fact of the same record and table passes byte_offset + its ordinal.
    """
    offsets = byte_offset.cast(pl.Int64).to_numpy().astype(np.uint64)
    return pl.Series("fact_id", offsets * _GOLDEN + np.uint64(source_id % 2**64), dtype=pl.UInt64)


def conform(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Give `frame` exactly the table's columns and types: missing columns become null, unknown ones raise KeyError."""
    return frame.select(_conforming(table, frozenset(frame.columns)))


@cache
def _conforming(table: str, columns: frozenset[str]) -> tuple[pl.Expr, ...]:
    """The table's columns, of a frame that has some of them."""
    schema = fact_tables()[table].polars_schema()
    unknown = sorted(columns - schema.keys())
    if unknown:
        raise KeyError(f"table {table} has no column {', '.join(unknown)}")
    return tuple(
        pl.col(name).cast(dtype, strict=False) if name in columns else pl.lit(None, dtype).alias(name)
        for name, dtype in schema.items()
    )


def finish_facts(table: str, source_id: int, frame: pl.DataFrame) -> pl.DataFrame:
    """Add `fact_id` and `source_id` to a frame that has line_no, byte_offset, lines, and bring it into shape.

    Facts of one table at one offset get consecutive ordinals in the frame's order. A missing stamp_kind is 'none'.
    """
    if frame.is_empty():
        return fact_tables()[table].empty()
    if "stamp_kind" not in frame.columns:
        frame = frame.with_columns(stamp_kind=pl.lit("none"))
    frame = frame.with_columns(stamp_kind=pl.col("stamp_kind").fill_null("none"))
    ordinal = frame.select(pl.int_range(pl.len()).over("byte_offset").alias("n"))["n"]
    ids = fact_ids(source_id, frame["byte_offset"].cast(pl.Int64) + ordinal)
    return conform(table, frame.with_columns(ids, source_id=pl.lit(source_id, pl.UInt64)))


@dataclass(slots=True)
class FactRows:
    """Collects facts one by one, for formats that decode records in Python (JSONL, small snapshots)."""

    source_id: int
    rows: dict[str, list[dict[str, object]]] = field(default_factory=dict)

    def add(
        self,
        table: str,
        line_no: int,
        byte_offset: int,
        *,
        lines: int = 1,
        stamp: datetime | None = None,
        stamp_kind: str = "none",
        offset_s: int | None = None,
        **columns: object,
    ) -> None:
        """One fact. `lines` is 0 for a further fact of a record already counted. Stamps are naive; UTC for kind utc."""
        common = {"line_no": line_no, "byte_offset": byte_offset, "lines": lines}
        stamps = {"stamp": stamp, "stamp_kind": stamp_kind, "offset_s": offset_s}
        self.rows.setdefault(table, []).append({**common, **stamps, **columns})

    def frames(self) -> dict[str, pl.DataFrame]:
        """Table → frame in its final shape. Raises KeyError for a column the table does not have."""
        return {table: finish_facts(table, self.source_id, _typed(table, rows)) for table, rows in self.rows.items()}


def _typed(table: str, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    schema = fact_tables()[table].polars_schema()
    names = dict.fromkeys(name for row in rows for name in row)
    unknown = [name for name in names if name not in schema]
    if unknown:
        raise KeyError(f"table {table} has no column {', '.join(unknown)}")
    return pl.DataFrame(rows, schema={name: schema[name] for name in names}, strict=False)


def common_names() -> tuple[str, ...]:
    """Names of the columns shared by all fact tables."""
    return common_columns()


def evidence_frame(lines: pl.DataFrame, wanted: pl.Series) -> pl.DataFrame:
    """Lines (columns line_no, text) whose number is in `wanted` or within NEIGHBOURS of it, texts cut at TEXT_LIMIT."""
    if wanted.is_empty():
        return pl.DataFrame(schema=EVIDENCE_SCHEMA)
    reach = np.arange(-NEIGHBOURS, NEIGHBOURS + 1)
    numbers = np.unique(wanted.unique().to_numpy()[:, None] + reach)
    kept = lines.filter(pl.col("line_no").is_in(pl.Series(numbers, dtype=pl.Int32).implode()))
    return kept.select(pl.col("line_no").cast(pl.Int32), pl.col("text").str.slice(0, TEXT_LIMIT))


def unrecognised_frame(rows: Iterable[tuple[int, int, str, str]]) -> pl.DataFrame:
    """Rows (line_no, byte_offset, shape, text) as the frame of `Parsed.unrecognised`."""
    cut = [(line_no, offset, shape, text[:TEXT_LIMIT]) for line_no, offset, shape, text in rows]
    return pl.DataFrame(cut, schema=UNRECOGNISED_SCHEMA, orient="row")


def account(
    facts: Mapping[str, pl.DataFrame],
    *,
    fact_lines: int,
    noise: Mapping[str, int],
    foreign_lines: int,
    unrecognised: pl.DataFrame,
    evidence: pl.DataFrame,
    consumed_bytes: int,
) -> Parsed:
    """A `Parsed` whose number of lines is the sum of its parts; empty fact tables and zero noise kinds are left out."""
    noise = {kind: count for kind, count in sorted(noise.items()) if count}
    lines = fact_lines + sum(noise.values()) + foreign_lines + unrecognised.height
    return Parsed(
        facts={table: frame for table, frame in facts.items() if frame.height},
        lines=lines,
        fact_lines=fact_lines,
        noise=noise,
        foreign_lines=foreign_lines,
        unrecognised=unrecognised,
        evidence=evidence,
        consumed_bytes=consumed_bytes,
    )
