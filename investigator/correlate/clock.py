"""Printed stamps → UTC.

A stamp with an offset (or an epoch) is exact. A local stamp without a zone (access lines, old log lines) takes the zone
of the nearest stamped line of the same source that printed one; a process writes all its lines in one zone. A line
without a stamp happened at or after the nearest earlier stamped line. A stamp relative to the start of the process
stays relative (`rel_s`): only a pairing with an agent's calls can anchor it.
"""

from __future__ import annotations

import polars as pl

from .schema import PlacedFrames

_SPINE = ["source_id", "byte_offset", "stamp", "stamp_kind", "offset_s"]


def place_in_time(facts: PlacedFrames, sources: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Every table with `at` (UTC), `at_basis`, `rel_s`, `zone_s`, `t_s` (either clock as seconds), `stream`, `side`.

    `at_basis`: exact | zone_of_neighbours | nearest_earlier | relative | unknown. A local stamp in a source that never
    prints a zone is kept as if it were UTC with basis `unknown`: differences between its lines still hold.
    """
    spine = _spine(facts)
    zones = _zone_changes(spine)
    fallback = _common_zone(zones, sources)
    placed_spine = _on_clock(_with_zone(spine, zones, fallback))
    return {name: _placed(frame, sources, zones, fallback, placed_spine) for name, frame in facts.items()}


def _spine(facts: PlacedFrames) -> pl.DataFrame:
    """All stamped records of all tables, once each, in order."""
    stamped = [frame.select(_SPINE).filter(pl.col("stamp").is_not_null()) for frame in facts.values()]
    return (
        pl.concat(stamped).unique(["source_id", "byte_offset"], keep="first", maintain_order=True).sort("byte_offset")
    )


def _zone_changes(spine: pl.DataFrame) -> pl.DataFrame:
    """Records at which the printed zone changes: the first of each source, and switches of daylight saving."""
    printed = spine.filter(pl.col("offset_s").is_not_null()).sort("source_id", "byte_offset")
    before = pl.col("offset_s").shift(1).over("source_id")
    changes = printed.filter(before.is_null() | (before != pl.col("offset_s")))
    return changes.select("source_id", "byte_offset", pl.col("offset_s").alias("zone_s")).sort("byte_offset")


def _common_zone(zones: pl.DataFrame, sources: pl.DataFrame) -> int | None:
    """The one zone that all server logs of the case print; None if there is none, or several."""
    servers = sources.filter(pl.col("side") == "server").select("source_id")
    found = zones.join(servers, on="source_id", how="semi")["zone_s"].unique().to_list()
    return int(found[0]) if len(found) == 1 else None


def _with_zone(frame: pl.DataFrame, zones: pl.DataFrame, fallback: int | None) -> pl.DataFrame:
    """`frame` (sorted by byte_offset) with `zone_s` in force at each record."""
    first = zones.group_by("source_id").agg(pl.col("zone_s").first().alias("first_zone_s"))
    joined = frame.join_asof(zones, on="byte_offset", by="source_id", check_sortedness=False)
    zone = pl.coalesce("offset_s", "zone_s", "first_zone_s", pl.lit(fallback, pl.Int32))
    return joined.join(first, on="source_id", how="left").with_columns(zone.alias("zone_s")).drop("first_zone_s")


def _on_clock(frame: pl.DataFrame) -> pl.DataFrame:
    kind = pl.col("stamp_kind")
    local = pl.col("stamp") - pl.duration(seconds=pl.col("zone_s").fill_null(0))
    at = pl.when(kind == "utc").then("stamp").when(kind == "local").then(local)
    basis = (
        pl.when(kind == "utc")
        .then(pl.lit("exact"))
        .when((kind == "local") & pl.col("zone_s").is_not_null())
        .then(pl.lit("zone_of_neighbours"))
        .when(kind == "relative")
        .then(pl.lit("relative"))
        .otherwise(pl.lit("unknown"))
    )
    rel_s = pl.when(kind == "relative").then(pl.col("stamp").dt.epoch("us") / 1e6)
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


def _placed(
    frame: pl.DataFrame, sources: pl.DataFrame, zones: pl.DataFrame, fallback: int | None, spine: pl.DataFrame
) -> pl.DataFrame:
    if frame.is_empty():
        return frame.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in _ADDED.items())
    ordered = frame.sort("byte_offset", maintain_order=True)
    own = _on_clock(_with_zone(ordered, zones, fallback))
    earlier = spine.select("source_id", "byte_offset", near_at="at", near_rel_s="rel_s", near_basis="at_basis")
    joined = own.join_asof(earlier, on="byte_offset", by="source_id", check_sortedness=False)
    unstamped = pl.col("stamp").is_null()
    borrowed = (
        pl.when(pl.col("near_rel_s").is_not_null())
        .then(pl.lit("relative"))
        .when(pl.col("near_at").is_not_null())
        .then(pl.lit("nearest_earlier"))
        .otherwise(pl.lit("unknown"))
    )
    timed = joined.with_columns(
        at=pl.coalesce("at", "near_at"),
        rel_s=pl.coalesce("rel_s", "near_rel_s"),
        at_basis=pl.when(unstamped).then(borrowed).otherwise("at_basis"),
    ).drop("near_at", "near_rel_s", "near_basis")
    named = timed.join(
        sources.select("source_id", pl.col("path").alias("stream"), pl.col("format").alias("source_format"), "side"),
        on="source_id",
        how="left",
    )
    seconds = pl.coalesce(pl.col("at").dt.epoch("us") / 1e6, "rel_s").alias("t_s")
    return named.with_columns(seconds).sort("source_id", "byte_offset", "fact_id")
