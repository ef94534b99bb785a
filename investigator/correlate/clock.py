"""Printed stamps → UTC.

A stamp with an offset (or an epoch) is exact. A local stamp without a zone (access lines, old log lines) takes the zone
that its transport tells, else that of the nearest stamped line of the same source that printed one (a process writes
all its lines in one zone), else the one given by the user, else the only zone of the case's other server logs. A line
without a stamp happened at or after the nearest earlier stamped line. journald's stamps without a year take that of the
nearest stamped line; those since the boot of the host are anchored by stamped lines among them. A stamp relative to the
start of the process stays relative (`rel_s`): only a pairing with an agent's calls can anchor it.
"""

from __future__ import annotations

import polars as pl

from .schema import PlacedFrames, filled
from .stamps import with_dates
from .zones import Zones, with_zones

_SPINE = ["source_id", "byte_offset", "stamp", "stamp_kind", "offset_s"]


def place_in_time(facts: PlacedFrames, sources: pl.DataFrame, tz: str | None = None) -> dict[str, pl.DataFrame]:
    """Every table with `at` (UTC), `at_basis`, `rel_s`, `zone_s`, `t_s` (either clock as seconds), `stream`, `side`.

    `at_basis`: exact | zone_of_transport | zone_of_neighbours | zone_given | zone_of_other_logs | year_of_neighbours |
    year_of_file | boot_of_neighbours | nearest_earlier | relative | unknown. A local stamp whose zone nothing tells is
    kept as if it were UTC with basis `unknown`: differences between its lines still hold. `tz`: IANA name of the zone
    that local stamps are in where the logs do not say. `sources` may have `modified_at` (UTC): the year of a file whose
    stamps have none, where no line in it tells the year. Raises ZoneInfoNotFoundError for an unknown zone.
    """
    clock = _clock_of(facts, sources, tz)
    return {name: _placed(frame, sources, clock) for name, frame in facts.items()}


def _clock_of(facts: PlacedFrames, sources: pl.DataFrame, tz: str | None) -> pl.DataFrame:
    """All stamped records of all tables, once each, with at, at_basis, rel_s, zone_s; sorted by byte_offset."""
    stamped = [frame.select(_SPINE).filter(pl.col("stamp").is_not_null()) for frame in filled(facts.values())]
    spine = pl.concat(stamped).unique(["source_id", "byte_offset"], keep="first", maintain_order=True)
    spine = with_dates(spine.sort("source_id", "byte_offset"), sources)
    return _on_clock(with_zones(spine, Zones.of(spine, sources, tz))).sort("byte_offset")


def _on_clock(frame: pl.DataFrame) -> pl.DataFrame:
    """`date_basis` tells where a date is from, `zone_basis` where a zone is from; the weaker of them is told."""
    kind, relative = pl.col("stamp_kind"), pl.col("stamp_kind") == "relative"
    local = pl.col("stamp") - pl.duration(seconds=pl.col("zone_s").fill_null(0))
    at = pl.when(kind == "utc").then("stamp").when(kind == "local").then(local)
    basis = (
        pl.when(relative)
        .then(pl.lit("relative"))
        .when(kind == "utc")
        .then(pl.coalesce("date_basis", pl.lit("exact")))
        .when((kind == "local") & pl.col("zone_s").is_not_null())
        .then(pl.coalesce("date_basis", "zone_basis"))
        .otherwise(pl.lit("unknown"))
    )
    rel_s = pl.when(relative).then(pl.col("stamp").dt.epoch("us") / 1e6)
    return frame.with_columns(at=at, at_basis=basis, rel_s=rel_s)


_ADDED: dict[str, pl.DataType] = {
    "zone_s": pl.Int32(),
    "at": pl.Datetime("us"),
    "at_basis": pl.String(),
    "rel_s": pl.Float64(),
    "stream": pl.String(),
    "source_format": pl.String(),
    "side": pl.String(),
    "t_s": pl.Float64(),
}


def _placed(frame: pl.DataFrame, sources: pl.DataFrame, clock: pl.DataFrame) -> pl.DataFrame:
    if frame.is_empty():
        return pl.DataFrame(schema={**frame.schema, **_ADDED})
    near = clock.select("source_id", "byte_offset", "zone_s", "at", "rel_s", "at_basis", here="byte_offset")
    ordered = frame.sort("byte_offset", maintain_order=True)
    joined = ordered.join_asof(near, on="byte_offset", by="source_id", check_sortedness=False)
    # Before the first stamped line only the zone is known.
    first = clock.group_by("source_id").agg(first_zone_s=pl.col("zone_s").drop_nulls().first())
    borrowed = (
        pl.when(pl.col("rel_s").is_not_null())
        .then(pl.lit("relative"))
        .when(pl.col("at").is_not_null())
        .then(pl.lit("nearest_earlier"))
        .otherwise(pl.lit("unknown"))
    )
    own = (pl.col("here") == pl.col("byte_offset")) & pl.col("stamp").is_not_null()
    timed = joined.join(first, on="source_id", how="left").with_columns(
        at_basis=pl.when(own).then("at_basis").otherwise(borrowed),
        zone_s=pl.coalesce("zone_s", "first_zone_s"),
    )
    named = timed.drop("here", "first_zone_s").join(
        sources.select("source_id", pl.col("path").alias("stream"), pl.col("format").alias("source_format"), "side"),
        on="source_id",
        how="left",
    )
    seconds = pl.coalesce(pl.col("at").dt.epoch("us") / 1e6, "rel_s").alias("t_s")
    return named.with_columns(seconds).sort("source_id", "byte_offset", "fact_id")
