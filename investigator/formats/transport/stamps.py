"""The stamps that transports print, as the columns stamp, stamp_kind, offset_s.

Two kinds come from here only: `yearless` (local time, the year is 1972) and `boot` (time since the host was started, as
time since 1970-01-01).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files

import polars as pl

from investigator.formats.convert import epoch_stamp, offset_seconds, stamp_columns
from investigator.yamltext import load as load_yaml

#: Gives the expression of a named group of a wrapper's regex.
Group = Callable[[str], pl.Expr]
Columns = tuple[pl.Expr, pl.Expr, pl.Expr]

#: A leap year, so that 29 February can be read.
YEARLESS = 1972

_HOUR_S = 3600
#: Zones are whole quarters of an hour, and none is further than this from UTC.
_QUARTER_S, _FURTHEST_S = 900, 14 * _HOUR_S
#: A line is handed on within this time; whole seconds are cut off as well.
_LAG_S = 60

#: Payloads that begin with a time without a zone: access lines and old log lines.
_LOCAL = r"^(?:\[GIN\] )?(\d{4}/\d\d/\d\d) (?:- )?(\d\d:\d\d:\d\d)"


@cache
def _names() -> tuple[dict[str, str], dict[str, int]]:
    raw = load_yaml(files(__package__).joinpath("names.yaml").read_text(encoding="utf-8"))
    months = {word.lower().rstrip("."): f"{month:02}" for month, words in raw["months"].items() for word in words}
    months |= {f"{month}{mark}": f"{month:02}" for month in range(1, 13) for mark in ("月", "")}
    return months, {zone: int(hours * _HOUR_S) for zone, hours in raw["zones"].items()}


def iso(group: Group) -> Columns:
    """`2025-03-21T20:31:05+0100`. `Z` says nothing of the server's own zone: most transports write UTC everywhere."""
    text = group("stamp")
    stamp, kind, offset = stamp_columns(text)
    return stamp, kind, pl.when(~text.str.ends_with("Z")).then(offset).cast(pl.Int32).alias("offset_s")


def epoch(group: Group) -> Columns:
    """`1742585465.123456`, to the microsecond."""
    whole, fraction = group("stamp"), group("fraction").fill_null("0").str.slice(0, 6).str.pad_end(6, "0")
    micros = whole.cast(pl.Int64, strict=False) * 1_000_000 + fraction.cast(pl.Int64, strict=False)
    _, kind, _ = epoch_stamp(whole)
    return micros.cast(pl.Datetime("us")).alias("stamp"), kind, _no_offset()


def micros(text: pl.Expr) -> Columns:
    """`__REALTIME_TIMESTAMP`: microseconds as text."""
    value = text.cast(pl.Int64, strict=False)
    kind = pl.when(value.is_null()).then(pl.lit("none")).otherwise(pl.lit("utc"))
    return value.cast(pl.Datetime("us")).alias("stamp"), kind.alias("stamp_kind"), _no_offset()


def boot(group: Group) -> Columns:
    """`1234.567890`: seconds since the host was started."""
    stamp, kind, offset = epoch(group)
    return stamp, kind.replace("utc", "boot").alias("stamp_kind"), offset


def short(group: Group) -> Columns:
    """`Mar 21 20:31:05`: month in the viewer's language, no year, no zone."""
    months, _ = _names()
    month = group("month").str.to_lowercase().str.strip_chars_end(".").replace_strict(months, default=None)
    day = group("day").str.strip_chars().str.pad_start(2, "0")
    fraction = group("fraction").fill_null("").str.slice(0, 6).str.pad_end(6, "0")
    text = pl.concat_str(
        pl.lit(f"{YEARLESS}-"), month, pl.lit("-"), day, pl.lit(" "), group("clock"), pl.lit("."), fraction
    )
    return _clock(text, "yearless", pl.lit(None, pl.Int32))


def full(group: Group) -> Columns:
    """`Fri 2025-03-21 20:31:05 CET`. An abbreviation that stands for several offsets leaves the time without a zone."""
    _, zones = _names()
    zone = group("zone")
    digits = zone.str.replace(r"^([+-]\d\d)$", "${1}00")
    offset = pl.coalesce(zone.replace_strict(zones, default=None, return_dtype=pl.Int32), offset_seconds(digits))
    fraction = group("fraction").fill_null("").str.slice(0, 6).str.pad_end(6, "0")
    text = pl.concat_str(group("date"), pl.lit(" "), group("clock"), pl.lit("."), fraction)
    stamp, kind, _ = _clock(text, "local", offset)
    known = pl.when(offset.is_not_null() & (kind == "local")).then(pl.lit("utc")).otherwise(kind)
    return (
        (stamp - pl.duration(seconds=offset.fill_null(0))).alias("stamp"),
        known.alias("stamp_kind"),
        offset.alias("offset_s"),
    )


def _clock(text: pl.Expr, kind: str, offset: pl.Expr) -> Columns:
    stamp = text.str.to_datetime("%Y-%m-%d %H:%M:%S%.6f", strict=False, time_unit="us")
    return (
        stamp.alias("stamp"),
        pl.when(stamp.is_null()).then(pl.lit("none")).otherwise(pl.lit(kind)).alias("stamp_kind"),
        offset.alias("offset_s"),
    )


def _no_offset() -> pl.Expr:
    return pl.lit(None, pl.Int32).alias("offset_s")


def with_zone_of_payload(lines: pl.DataFrame) -> pl.DataFrame:
    """Set offset_s of lines whose own stamp has no zone: it is what that stamp and the transport's UTC differ by.

    Null where they differ by no possible zone: then the line was not written when its stamp says.
    """
    parts = pl.col("payload").str.extract_groups(_LOCAL).struct.field
    text = parts("1") + pl.lit(" ") + parts("2")
    local = text.str.to_datetime("%Y/%m/%d %H:%M:%S", strict=False, time_unit="us")
    apart_s = (local - pl.col("stamp")).dt.total_milliseconds() / 1000
    zone_s = (apart_s / _QUARTER_S).round() * _QUARTER_S
    fits = ((apart_s - zone_s).abs() <= _LAG_S) & (zone_s.abs() <= _FURTHEST_S) & (pl.col("stamp_kind") == "utc")
    offset = pl.when(local.is_null()).then(pl.col("offset_s")).when(fits).then(zone_s)
    return lines.with_columns(offset.cast(pl.Int32).alias("offset_s"))
