"""Columns of printed values to numbers: durations, sizes, switches, stamps. What cannot be read becomes null."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

_SECONDS: Mapping[str, float] = {"ns": 1e-9, "µs": 1e-6, "μs": 1e-6, "us": 1e-6, "ms": 1e-3, "s": 1.0, "": 1.0}
_BYTES: Mapping[str, int] = {
    "b": 1,
    "": 1,
    **{f"{prefix}ib": 1024**power for power, prefix in enumerate("kmgt", 1)},
    **{f"{prefix}b": 1000**power for power, prefix in enumerate("kmgt", 1)},
    **{prefix: 1024**power for power, prefix in enumerate("kmgt", 1)},
}
# h, m, then a number with its unit. A micro sign read in a wrong code page is one to six other characters before the s.
_DURATION = r"^(?:(?<h>\d+)h)?(?:(?<m>\d+)m)?(?:(?<n>[\d.,]+) ?(?<u>ns|us|ms|s|[^\x00-\x7f]{1,6}s)?)?$"
_SIZE = r"^\[?\s*(?<n>-?[\d.,]+)\s*(?<u>[A-Za-z]*)"


def number(text: pl.Expr) -> pl.Expr:
    """Float64 of a decimal number; a comma may stand for the point."""
    return text.str.strip_chars(" \t\"'").str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)


def integer(text: pl.Expr) -> pl.Expr:
    """Int64 of a whole number; fractions are cut off."""
    stripped = text.str.strip_chars(" \t\"'")
    return stripped.cast(pl.Int64, strict=False).fill_null(number(stripped).cast(pl.Int64, strict=False))


def seconds(text: pl.Expr) -> pl.Expr:
    """Seconds of a Go duration: `5m0s`, `20.000781644s`, `512.417µs`, `1h2m3s`; a bare number is seconds."""
    parts = text.str.strip_chars(" \t\"'").str.extract_groups(_DURATION)
    value = parts.struct.field
    unit = value("u").fill_null("")
    known = unit.replace_strict(_SECONDS, default=None, return_dtype=pl.Float64)
    factor = pl.when(unit.str.contains(r"^[^\x00-\x7f]")).then(1e-6).otherwise(known)
    rest = number(value("n")) * factor
    whole = value("h").cast(pl.Float64, strict=False).fill_null(0.0) * 3600
    whole += value("m").cast(pl.Float64, strict=False).fill_null(0.0) * 60
    nothing = value("h").is_null() & value("m").is_null() & value("n").is_null()
    return pl.when(nothing).then(None).otherwise(whole + rest.fill_null(0.0))


def size_bytes(text: pl.Expr, unit: str = "") -> pl.Expr:
    """Bytes (Int64) of a printed size: `"5.1 GiB"`, `11911823360`, `17,3 GiB`; `unit` holds for a bare number."""
    parts = text.str.strip_chars(" \t\"'").str.extract_groups(_SIZE)
    printed = parts.struct.field("u").str.to_lowercase()
    used = pl.when(printed == "").then(pl.lit(unit.lower())).otherwise(printed)
    factor = used.replace_strict(_BYTES, default=None, return_dtype=pl.Float64)
    return (number(parts.struct.field("n")) * factor).round().cast(pl.Int64, strict=False)


def switch(text: pl.Expr) -> pl.Expr:
    """Boolean of true/false, 1/0, on/off, enabled/disabled, yes/no."""
    word = text.str.strip_chars(" \t\"'").str.to_lowercase()
    table = {"true": True, "1": True, "on": True, "enabled": True, "yes": True}
    table |= {"false": False, "0": False, "off": False, "disabled": False, "no": False}
    return word.replace_strict(table, default=None, return_dtype=pl.Boolean)


def tristate(text: pl.Expr) -> pl.Expr:
    """`on`, `off` or `auto` of the words and numbers that mean them; other words as printed."""
    word = text.str.strip_chars(" \t\"'").str.to_lowercase()
    return word.replace(
        {"true": "on", "1": "on", "enabled": "on", "false": "off", "0": "off", "disabled": "off", "-1": "auto"}
    )


def unquoted(text: pl.Expr) -> pl.Expr:
    """The text of a Go-quoted string, its escapes undone; a bare value as it is."""
    bare = text.str.strip_prefix('"').str.strip_suffix('"')
    plain = bare.str.replace_all(r"\n", "\n", literal=True).str.replace_all(r"\t", "\t", literal=True)
    return plain.str.replace_all(r"\"", '"', literal=True).str.replace_all("\\\\", "\\", literal=True)


def offset_seconds(zone: pl.Expr) -> pl.Expr:
    """Seconds east of UTC (Int32) of `Z`, `+01:00`, `+0100`; null for other texts."""
    parts = zone.str.extract_groups(r"^([+-])(\d\d):?(\d\d)$")
    minutes = parts.struct.field("2").cast(pl.Int32) * 60 + parts.struct.field("3").cast(pl.Int32)
    signed = pl.when(parts.struct.field("1") == "-").then(-minutes).otherwise(minutes) * 60
    return pl.when(zone == "Z").then(pl.lit(0, pl.Int32)).otherwise(signed).cast(pl.Int32)


def stamp_columns(text: pl.Expr) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Columns stamp, stamp_kind, offset_s of RFC 3339 times (with `T` or a blank); without zone the kind is local."""
    parts = text.str.extract_groups(r"^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,6})\d*)?(Z|[+-]\d\d:?\d\d)?$")
    field = parts.struct.field
    clock = field("1") + pl.lit(" ") + field("2") + pl.lit(".") + field("3").fill_null("0").str.pad_end(6, "0")
    local = clock.str.to_datetime("%Y-%m-%d %H:%M:%S%.6f", strict=False, time_unit="us")
    offset = offset_seconds(field("4"))
    kind = pl.when(local.is_null()).then(pl.lit("none")).when(offset.is_null()).then(pl.lit("local"))
    return (
        (local - pl.duration(seconds=offset.fill_null(0))).alias("stamp"),
        kind.otherwise(pl.lit("utc")).alias("stamp_kind"),
        offset.alias("offset_s"),
    )


def local_stamp(text: pl.Expr) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Columns stamp, stamp_kind, offset_s of `2025/03/21 20:31:05` (GIN writes ` - ` between), which has no zone.

    `offset_s` stays as it is: a transport that knows UTC has told the zone.
    """
    clock = text.str.replace(" - ", " ", literal=True)
    local = clock.str.to_datetime("%Y/%m/%d %H:%M:%S", strict=False, time_unit="us")
    kind = pl.when(local.is_null()).then(pl.lit("none")).otherwise(pl.lit("local"))
    return local.alias("stamp"), kind.alias("stamp_kind"), pl.col("offset_s")


def epoch_stamp(text: pl.Expr) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Columns stamp, stamp_kind, offset_s of Unix seconds."""
    micros = (text.cast(pl.Float64, strict=False) * 1e6).cast(pl.Int64, strict=False)
    kind = pl.when(micros.is_null()).then(pl.lit("none")).otherwise(pl.lit("utc"))
    offset = pl.when(micros.is_null()).then(None).otherwise(pl.lit(0, pl.Int32))
    return micros.cast(pl.Datetime("us")).alias("stamp"), kind.alias("stamp_kind"), offset.alias("offset_s")


def relative_stamp(text: pl.Expr) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Columns of llama-server's `M.SS.mmm.uuu` since process start: the stamp is 1970-01-01 plus that time.

    A line whose transport knows UTC keeps that stamp.
    """
    parts = text.str.extract_groups(r"^(\d{1,7})\.(\d\d)\.(\d{3})\.(\d{3})$")
    field = parts.struct.field
    micros = field("1").cast(pl.Int64) * 60_000_000 + field("2").cast(pl.Int64) * 1_000_000
    micros += field("3").cast(pl.Int64) * 1000 + field("4").cast(pl.Int64)
    kind = pl.when(micros.is_null()).then(pl.lit("none")).otherwise(pl.lit("relative"))
    known = pl.col("stamp_kind") == "utc"
    return (
        pl.when(known).then(pl.col("stamp")).otherwise(micros.cast(pl.Datetime("us"))).alias("stamp"),
        pl.when(known).then(pl.col("stamp_kind")).otherwise(kind).alias("stamp_kind"),
        pl.when(known).then(pl.col("offset_s")).alias("offset_s"),
    )
