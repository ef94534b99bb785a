"""Which request a server's line belongs to, when only time can tell."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

#: An access line is stamped in whole seconds and its latency may be cut to whole seconds.
TOLERANCE_S = 1.1
_ROUNDS = 4

#: Where a line stands, when it was written, and the request it belongs to.
PLACE = (
    *("stretch", "stream", "source_id", "source_format", "byte_offset", "line_no"),
    *("at", "at_basis", "zone_s", "rel_s", "t_s", "request_id"),
)


def points_of(frame: pl.DataFrame) -> pl.DataFrame:
    """Lines of servers in order, numbered by `point`."""
    return frame.filter(pl.col("stretch").is_not_null()).sort("stretch", "byte_offset").with_row_index("point")


def to_requests(points: pl.DataFrame, base: pl.DataFrame, near: str, exclusive: bool) -> pl.DataFrame:
    """Lines with the `request_id` they belong to by time; NULL for those without. near, exclusive: as in `attach`."""
    targets = base.filter("inference").select("stretch", "start_s", "end_s", request="request_id")
    matched = attach(points.select("stretch", "t_s", "point"), targets, near=near, exclusive=exclusive)
    return points.join(matched.select("point", request_id="request"), on="point", how="left", maintain_order="left")


def attach(points: pl.DataFrame, requests: pl.DataFrame, *, near: str, exclusive: bool = False) -> pl.DataFrame:
    """`points` (`stretch`, `t_s`, `point`) with `request`: that of `requests` (`stretch`, `start_s`, `end_s`) around.

    Of several requests around a point, `near="start"` takes the one that began last (a cut prompt is reported when it
    is read), `near="end"` the one that ended first (an error is reported when it ends a request). `exclusive`: a
    request takes one point only; a point that comes second tries the next best request. NULL when none is around.
    """
    found: list[pl.DataFrame] = []
    left, free = points, requests
    for _ in range(_ROUNDS if exclusive else 1):
        if left.is_empty() or free.is_empty():
            break
        matched = _around(left, free, near).filter(pl.col("request").is_not_null())
        if exclusive:
            matched = matched.sort("t_s", "point").unique("request", keep="first", maintain_order=True)
        if matched.is_empty():
            break
        found.append(matched.select("point", "request"))
        left = left.join(matched, on="point", how="anti")
        free = free.join(matched, on="request", how="anti") if exclusive else free
    pairs = (
        pl.concat(found)
        if found
        else pl.DataFrame(schema={"point": points.schema["point"], "request": requests.schema["request"]})
    )
    return points.join(pairs, on="point", how="left", maintain_order="left")


def _around(points: pl.DataFrame, requests: pl.DataFrame, near: str) -> pl.DataFrame:
    by_start = requests.select("stretch", "end_s", "request", key=pl.col("start_s") - TOLERANCE_S).sort("key")
    by_end = requests.select("stretch", "start_s", "request", key=pl.col("end_s") + TOLERANCE_S).sort("key")
    ordered = points.filter(pl.col("t_s").is_not_null()).sort("t_s")
    late = ordered.join_asof(by_start, left_on="t_s", right_on="key", by="stretch", check_sortedness=False)
    early = ordered.join_asof(
        by_end, left_on="t_s", right_on="key", by="stretch", strategy="forward", check_sortedness=False
    )
    begun = pl.when(pl.col("end_s") >= pl.col("t_s") - TOLERANCE_S).then("request")
    ended = pl.when(pl.col("start_s") <= pl.col("t_s") + TOLERANCE_S).then("request")
    both = late.select("point", "t_s", begun=begun).join(early.select("point", ended=ended), on="point")
    order = ("begun", "ended") if near == "start" else ("ended", "begun")
    return both.select("point", "t_s", request=pl.coalesce(*order))


def in_order(releases: NDArray[np.int64], lines: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each release (positions, ascending) the index of the access line that reports it, each line once; -1: none.

    A line stands behind the release it reports. Where several releases precede the same line they are given the lines
    from there on, in order.
    """
    index = np.arange(len(releases))
    natural = np.searchsorted(lines, releases)
    assigned = np.maximum.accumulate(natural - index) + index if len(releases) else natural
    return np.where(assigned < len(lines), assigned, -1).astype(np.int64)
