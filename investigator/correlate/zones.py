"""The zone of stamps that print none: from the transport, neighbours, the user, or the case's other logs."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import polars as pl

#: Lines of two writers can be this much out of order.
_DISORDER_S = 60.0


@dataclass(frozen=True, slots=True)
class Zones:
    """What the case says about zones.

    marks: stamped records that printed their zone (source_id, byte_offset, mark_zone_s, mark_at), by byte_offset.
    common_s: the one zone that all server logs print, None if none does, or several. given: IANA name, or None.
    """

    marks: pl.DataFrame
    common_s: int | None
    given: str | None

    @classmethod
    def of(cls, spine: pl.DataFrame, sources: pl.DataFrame, given: str | None) -> Zones:
        """Raises ZoneInfoNotFoundError if `given` is no zone."""
        if given is not None:
            ZoneInfo(given)
        printed = spine.filter(pl.col("offset_s").is_not_null())
        utc = pl.when(pl.col("stamp_kind") == "utc").then("stamp")
        at = pl.coalesce(utc, pl.col("stamp") - pl.duration(seconds="offset_s"))
        marks = printed.select("source_id", "byte_offset", mark_zone_s="offset_s", mark_at=at).sort("byte_offset")
        servers = sources.filter(pl.col("side") == "server").select("source_id")
        found = marks.join(servers, on="source_id", how="semi")["mark_zone_s"].unique().to_list()
        return cls(marks, int(found[0]) if len(found) == 1 else None, given)


def with_zones(spine: pl.DataFrame, zones: Zones) -> pl.DataFrame:
    """`spine` (sorted by source and offset) with `zone_s` in force at each record, and `zone_basis`."""
    ordered = spine.sort("byte_offset")
    before = zones.marks.rename({"mark_zone_s": "before_s", "mark_at": "before_at"})
    after = zones.marks.rename({"mark_zone_s": "after_s", "mark_at": "after_at"})
    near = ordered.join_asof(before, on="byte_offset", by="source_id", check_sortedness=False).join_asof(
        after, on="byte_offset", by="source_id", strategy="forward", check_sortedness=False
    )
    near = near.sort("source_id", "byte_offset").with_columns(near_s=_of_neighbours(), given_s=_given(zones.given))
    own = pl.col("offset_s")
    options = {"zone_of_transport": own, "zone_of_neighbours": pl.col("near_s"), "zone_given": pl.col("given_s")}
    options["zone_of_other_logs"] = pl.lit(zones.common_s, pl.Int32)
    basis = pl.coalesce(pl.when(zone.is_not_null()).then(pl.lit(name)) for name, zone in options.items())
    return near.with_columns(zone_s=pl.coalesce(*options.values()), zone_basis=basis).select(
        *spine.columns, "zone_s", "zone_basis"
    )


def _of_neighbours() -> pl.Expr:
    """The zone of the line before; at a switch of daylight saving that of the line behind, if only that keeps order."""
    local = pl.col("stamp") - pl.duration(seconds="before_s")
    slack = pl.duration(microseconds=int(_DISORDER_S * 1e6))
    in_order = (local >= pl.col("before_at") - slack) & (local <= pl.col("after_at") + slack)
    switched = (pl.col("stamp_kind") == "local") & (pl.col("before_s") != pl.col("after_s")) & ~in_order
    return pl.when(switched.fill_null(False)).then("after_s").otherwise(pl.coalesce("before_s", "after_s"))


def _given(zone: str | None) -> pl.Expr:
    """Offset of the given zone at each local stamp; of an hour that comes twice the one that keeps the lines' order."""
    if zone is None:
        return pl.lit(None, pl.Int32)
    stamp = pl.col("stamp")
    local, utc = pl.col("stamp_kind") == "local", pl.col("stamp_kind") == "utc"

    def as_utc(which: str) -> pl.Expr:
        moved = stamp.dt.replace_time_zone(zone, ambiguous=pl.lit(which), non_existent="null")
        return moved.dt.convert_time_zone("UTC").dt.replace_time_zone(None)

    first, second = as_utc("earliest"), as_utc("latest")
    so_far = pl.when(local).then(first).when(utc).then(stamp).cum_max().shift(1).over("source_id")
    again = first < so_far - pl.duration(microseconds=int(_DISORDER_S * 1e6))
    chosen = pl.when(again.fill_null(False)).then(second).otherwise(first)
    there = stamp.dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.replace_time_zone(None)
    offset = pl.when(local).then(stamp - chosen).when(utc).then(there - stamp)
    return offset.dt.total_seconds().cast(pl.Int32)
