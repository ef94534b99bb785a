"""Shapes of what goes in and what comes out: fact frames, and the derived tables of casefile/derived.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import polars as pl

from investigator.casefile.derived import derived_tables
from investigator.formats.facts import fact_tables

#: Fact table → frame. A table that is missing counts as empty.
FactFrames: TypeAlias = Mapping[str, pl.DataFrame]

#: Fact table → frame with the columns that `clock` and `stretches` add.
PlacedFrames: TypeAlias = Mapping[str, pl.DataFrame]


#: `sources` of a case that read nothing.
NO_SOURCES = pl.DataFrame(schema={"source_id": pl.UInt64, "path": pl.String, "format": pl.String, "side": pl.String})


def with_all_tables(facts: FactFrames) -> dict[str, pl.DataFrame]:
    """Every fact table, in order of `facts.yaml`; missing tables and columns as empty ones of the right type."""
    return {name: _filled(facts.get(name), table.polars_schema()) for name, table in fact_tables().items()}


def conform(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` with exactly the columns and types of derived table `name`; columns it lacks are NULL.

    Raises KeyError for a table that is not declared.
    """
    return _filled(frame, derived_tables()[name].polars_schema())


def _filled(frame: pl.DataFrame | None, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    if frame is None:
        return pl.DataFrame(schema=dict(schema))
    if frame.schema == pl.Schema(schema):
        return frame
    return frame.select(
        pl.col(name).cast(dtype) if name in frame.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in schema.items()
    )


def filled(frames: Iterable[pl.DataFrame]) -> list[pl.DataFrame]:
    """The frames that hold rows, else the first one: what is put together of them is the same, and sooner."""
    every = list(frames)
    return [frame for frame in every if not frame.is_empty()] or every[:1]


def reference(stream: str = "stream", line: str = "line_no") -> pl.Expr:
    """`source:line`, the form in which evidence is cited."""
    return pl.format("{}:{}", pl.col(stream), pl.col(line))
