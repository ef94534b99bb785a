"""Seconds of printed durations, a whole column at once: the usual form by plain casts, the others by an expression."""

from __future__ import annotations

import polars as pl

from investigator.formats.convert import seconds


def seconds_of(text: pl.Series) -> pl.Series:
    """As `convert.seconds`; one number with one unit or none, as nearly all are printed, is only cast."""
    quick = text.to_frame("text").select(_PLAIN).with_columns(_QUICK)
    left = quick["quick"].is_null() & quick["text"].is_not_null()
    if not left.any():
        return quick["quick"]
    slow = quick.filter(left).select(_SLOW).to_series()
    return quick["quick"].scatter(left.arg_true(), slow)


def _one_unit(text: pl.Expr) -> pl.Expr:
    value = text.cast(pl.Float64, strict=False)
    # The longest unit comes last, where it decides first.
    for unit, factor in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        digits = text.str.strip_suffix(unit).cast(pl.Float64, strict=False)
        value = pl.when(text.str.ends_with(unit)).then(digits * factor).otherwise(value)
    return pl.when(value.is_finite() & text.str.contains(r"^[0-9]+(?:\.[0-9]+)?(?:[mµ]?s)?$")).then(value)


# Made once: making an expression takes longer than applying it to some hundred texts.
_PLAIN = pl.col("text").str.strip_chars(" \t\"'")
_QUICK = _one_unit(pl.col("text")).alias("quick")
_SLOW = seconds(pl.col("text"))
