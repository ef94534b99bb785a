"""Clients that left, where the line that tells of it names no task (ollama-logs.md §3.10)."""

from __future__ import annotations

import polars as pl

from .attach import PLACE, points_of, to_requests
from .cuts import release_number
from .schema import PlacedFrames

#: From this release on a stream that was given up before its first byte is a 500; before it was a 200.
_STREAM_FAILS = 12_006


def left_in_queue(placed: PlacedFrames) -> pl.DataFrame:
    """Requests that left the scheduler's queue: the line is all that is ever printed of them, and it comes late."""
    lines = points_of(placed["request_cancel"].filter(pl.col("stage") == "queue"))
    return lines.with_columns(request_id=pl.lit(None, pl.String), left_in_queue=pl.lit(True)).select(
        *PLACE, "left_in_queue", cancelled_line="line_no"
    )


def departures(placed: PlacedFrames, base: pl.DataFrame, versions: pl.DataFrame) -> pl.DataFrame:
    """request_id, cancel_stage, cancelled_line. A line tells of one request, but several may wait for the same load.

    base: requests. versions: stretch, version.
    """
    told = placed["request_cancel"].filter(pl.col("task").is_null() & (pl.col("stage") != "queue"))
    points = points_of(told.join(versions, on="stretch", how="left", maintain_order="left"))
    answered = pl.col("status").fill_null(500) < 400
    load = pl.col("stage") == "load"
    of_loads = to_requests(points.filter(load), base, "end", exclusive=False)
    of_failed = to_requests(points.filter(~load), base.filter(~answered), "end", exclusive=True)
    # An answer is taken for given up only where no failure is near, and where the release says 200 to that.
    lies = (release_number(pl.col("version")) < _STREAM_FAILS).fill_null(True) | (pl.col("stage") == "stream")
    rest = of_failed.filter(pl.col("request_id").is_null() & lies).drop("request_id")
    of_answered = to_requests(rest, base.filter(answered), "end", exclusive=True)
    found = pl.concat([of_loads, of_failed, of_answered]).filter(pl.col("request_id").is_not_null())
    return (
        found.sort("stretch", "byte_offset")
        .group_by("request_id", maintain_order=True)
        .agg(pl.col("stage").last().alias("cancel_stage"), pl.col("line_no").last().alias("cancelled_line"))
    )
