"""Values that remember where they come from.

A sourced column is a struct: `v` the value, `label` (measured | derived | estimated), `src` and `line` where it stands,
`note` why. The tables get `v`; the rest becomes the `operands` table.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

import polars as pl

from investigator.casefile.derived import derived_tables

Label: TypeAlias = Literal["measured", "derived", "estimated"]


def sourced_type(dtype: pl.DataType) -> pl.Struct:
    """Type of a sourced column whose value has `dtype`."""
    return pl.Struct({"v": dtype, "label": pl.String(), "src": pl.UInt64(), "line": pl.Int32(), "note": pl.String()})


def sourced(
    value: pl.Expr,
    dtype: pl.DataType,
    label: Label,
    *,
    line: pl.Expr | None = None,
    src: pl.Expr | None = None,
    note: str | None = None,
) -> pl.Expr:
    """A candidate for a sourced column: NULL where `value` is."""
    parts = pl.struct(
        value.cast(dtype).alias("v"),
        pl.lit(label, pl.String).alias("label"),
        (src if src is not None else pl.col("source_id")).cast(pl.UInt64).alias("src"),
        (line if line is not None else pl.col("line_no")).cast(pl.Int32).alias("line"),
        pl.lit(note, pl.String).alias("note"),
    )
    return pl.when(value.is_not_null()).then(parts).otherwise(None)


def known(dtype: pl.DataType, *candidates: pl.Expr) -> pl.Expr:
    """The first candidate that has a value."""
    return pl.coalesce(*candidates) if candidates else pl.lit(None, sourced_type(dtype))


def value_of(column: str) -> pl.Expr:
    """The bare value of a sourced column."""
    return pl.col(column).struct.field("v")


def bare(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` with every sourced column replaced by its value."""
    return frame.with_columns(value_of(name).alias(name) for name in sourced_columns(frame))


def sourced_columns(frame: pl.DataFrame) -> list[str]:
    """Names of the sourced columns, in the frame's order."""
    return [
        name
        for name, dtype in frame.schema.items()
        if isinstance(dtype, pl.Struct) and [field.name for field in dtype.fields][:2] == ["v", "label"]
    ]


def operands_of(frame: pl.DataFrame, view: str, subject: str, sources: pl.DataFrame) -> pl.DataFrame:
    """Rows of `operands` for the sourced columns of `frame` that `view` shows; unknown values have none."""
    shown = {column.name for column in derived_tables()[view].columns}
    rows = [_operands(frame, view, subject, name) for name in sourced_columns(frame) if name in shown]
    if not rows:
        return pl.DataFrame(schema=dict.fromkeys(_OPERANDS, pl.String))
    paths = sources.select(pl.col("source_id").alias("src"), "path")
    cited = pl.when(pl.col("path").is_not_null() & pl.col("line").is_not_null())
    return (
        pl.concat(rows)
        .join(paths, on="src", how="left", maintain_order="left")
        .with_columns(evidence=cited.then(pl.format("{}:{}", "path", "line")))
        .select(_OPERANDS)
    )


_OPERANDS = ["view", "subject", "column_name", "label", "evidence", "note"]


def _operands(frame: pl.DataFrame, view: str, subject: str, name: str) -> pl.DataFrame:
    fields = [pl.col(name).struct.field(field) for field in ("label", "src", "line", "note")]
    return frame.filter(value_of(name).is_not_null()).select(
        pl.lit(view).alias("view"), pl.col(subject).alias("subject"), pl.lit(name).alias("column_name"), *fields
    )


def empty_sourced(columns: Iterable[tuple[str, pl.DataType]]) -> list[pl.Expr]:
    """NULL columns of sourced type."""
    return [pl.lit(None, sourced_type(dtype)).alias(name) for name, dtype in columns]
