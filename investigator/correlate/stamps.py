"""Stamps that lack their date: journald's without a year, and those counted from the boot of the host."""

from __future__ import annotations

from datetime import datetime

import polars as pl

_YEARS = (-1, 0, 1)
#: The boot clock runs back by more than this only when the host was started anew.
_REBOOT_S = 1.0
#: A file may be written a little after its last line.
_LATE = pl.duration(days=1)


def with_dates(spine: pl.DataFrame, sources: pl.DataFrame) -> pl.DataFrame:
    """Kinds `yearless` and `boot` become `local`, `utc` or `relative` where that can be told, with `date_basis`.

    spine: source_id, byte_offset, stamp, stamp_kind, offset_s, sorted by source and offset. What cannot be told loses
    its stamp_kind: `none`.
    """
    kinds = set(spine["stamp_kind"].unique().to_list())
    spine = spine.with_columns(date_basis=pl.lit(None, pl.String))
    if "yearless" in kinds:
        spine = _with_years(spine, sources)
    return _from_boot(spine) if "boot" in kinds else spine


def _with_years(spine: pl.DataFrame, sources: pl.DataFrame) -> pl.DataFrame:
    """The year that brings a stamp nearest to the nearest line with a date, else the file's."""
    kind = pl.col("stamp_kind")
    shown = pl.col("stamp") + pl.duration(seconds=pl.col("offset_s").fill_null(0))
    dated = pl.when(kind == "utc").then(shown).when(kind == "local").then("stamp")
    near = dated.forward_fill().over("source_id"), dated.backward_fill().over("source_id")
    spine = spine.with_columns(mark=pl.coalesce(*near))
    modified = pl.lit(None, pl.Datetime("us"))
    if "modified_at" in sources.columns:
        spine = spine.join(
            sources.select("source_id", "modified_at"), on="source_id", how="left", maintain_order="left"
        )
        modified = pl.col("modified_at")
    by_mark = _nearest_year(pl.col("mark"))
    year_of_file = pl.max_horizontal(_in_year(modified, n, until=modified + _LATE) for n in _YEARS)
    yearless = kind == "yearless"
    stamp = pl.coalesce(by_mark, year_of_file)
    basis = pl.when(by_mark.is_not_null()).then(pl.lit("year_of_neighbours")).otherwise(pl.lit("year_of_file"))
    told = pl.when(stamp.is_not_null()).then(pl.lit("local")).otherwise(pl.lit("none"))
    return spine.with_columns(
        stamp=pl.when(yearless).then(stamp).otherwise("stamp"),
        stamp_kind=pl.when(yearless).then(told).otherwise("stamp_kind"),
        date_basis=pl.when(yearless & stamp.is_not_null()).then(basis).otherwise("date_basis"),
    ).select("source_id", "byte_offset", "stamp", "stamp_kind", "offset_s", "date_basis")


def _in_year(mark: pl.Expr, shift: int, until: pl.Expr | None = None) -> pl.Expr:
    """The stamp in the year of `mark` plus `shift`; null for 29 February of a common year, and after `until`."""
    text = pl.format(
        "{}-{}", (mark.dt.year() + shift).cast(pl.String), pl.col("stamp").dt.strftime("%m-%d %H:%M:%S%.6f")
    )
    moved = text.str.to_datetime("%Y-%m-%d %H:%M:%S%.6f", strict=False, time_unit="us")
    return moved if until is None else pl.when(moved <= until).then(moved)


def _nearest_year(mark: pl.Expr) -> pl.Expr:
    options = [_in_year(mark, shift) for shift in _YEARS]
    apart = [(option - mark).dt.total_seconds().abs() for option in options]
    least = pl.min_horizontal(apart)
    return pl.coalesce(pl.when(distance == least).then(option) for option, distance in zip(options, apart, strict=True))


def _from_boot(spine: pl.DataFrame) -> pl.DataFrame:
    """UTC of the boot, per boot of the host: no earlier than the lines with UTC that precede its lines tell.

    The line that follows its predecessor soonest fits best. Without any line with UTC the stamps stay relative.
    """
    boot = pl.col("stamp_kind") == "boot"
    since_s = pl.when(boot).then(pl.col("stamp").dt.epoch("us") / 1e6)
    back = since_s - since_s.forward_fill().shift(1).over("source_id") < -_REBOOT_S
    utc = pl.when(pl.col("stamp_kind") == "utc").then("stamp")
    since = pl.col("stamp") - pl.lit(datetime(1970, 1, 1), pl.Datetime("us"))
    spine = spine.with_columns(
        back=back.fill_null(False).cast(pl.Int32),
        before=pl.when(boot).then(utc.forward_fill().over("source_id") - since),
        after=pl.when(boot).then(utc.backward_fill().over("source_id") - since),
        relative_too=(pl.col("stamp_kind") == "relative").any().over("source_id"),
    ).with_columns(boot_no=pl.col("back").cum_sum().over("source_id"))
    own = ("source_id", "boot_no")
    spine = spine.with_columns(started=pl.coalesce(pl.col("before").max().over(own), pl.col("after").min().over(own)))
    known = boot & pl.col("started").is_not_null()
    lost = pl.when(pl.col("relative_too")).then(pl.lit("none")).otherwise(pl.lit("relative"))
    return spine.with_columns(
        stamp=pl.when(known).then(pl.col("started") + since).otherwise("stamp"),
        stamp_kind=pl.when(known).then(pl.lit("utc")).when(boot).then(lost).otherwise("stamp_kind"),
        date_basis=pl.when(known).then(pl.lit("boot_of_neighbours")).otherwise("date_basis"),
    ).drop("back", "before", "after", "boot_no", "started", "relative_too")
