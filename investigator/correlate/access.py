"""Base rows of server requests: access lines, and the tasks that left none."""

from __future__ import annotations

import numpy as np
import polars as pl

from .attach import TOLERANCE_S, in_order
from .schema import PlacedFrames, reference

#: Paths that make a model work. Everything else (lists, versions, health) is a request too, but not an attempt.
_INFERENCE = (
    r"(?i)^/(?:api/(?:chat|generate|embed|embeddings)|(?:v1/)?(?:chat/completions|completions?|responses|messages|embeddings?)"
    r"|infill)/?$"
)
_LATE_S = 5.0  # an access line stands at most this long behind the release it reports
_PASSES = 3
_NEAR_BYTES = 20_000  # a cancel is logged within a batch of the access line

_BASE: dict[str, pl.DataType] = {
    "request_id": pl.String(),
    "source_id": pl.UInt64(),
    "stream": pl.String(),
    "stretch": pl.String(),
    "source_format": pl.String(),
    "byte_offset": pl.Int64(),
    "line_no": pl.Int32(),
    "at_basis": pl.String(),
    "zone_s": pl.Int32(),
    "arrived_at": pl.Datetime("us"),
    "ended_at": pl.Datetime("us"),
    "start_s": pl.Float64(),
    "end_s": pl.Float64(),
    "relative_start_s": pl.Float64(),
    "relative_end_s": pl.Float64(),
    "duration_s": pl.Float64(),
    "duration_uncertainty_s": pl.Float64(),
    "route": pl.String(),
    "method": pl.String(),
    "client": pl.String(),
    "status": pl.Int32(),
    "inference": pl.Boolean(),
    "task_no": pl.UInt32(),
}


def base_requests(placed: PlacedFrames, tasks: pl.DataFrame) -> pl.DataFrame:
    """One row per request: all access lines, then tasks that no access line reports.

    `task_no` is the row of `tasks` that did the work, NULL for engines that print none.
    """
    numbered = tasks.with_row_index("task_no")
    access = _access_lines(placed)
    paired = _pair(access, numbered)
    access = access.join(paired, on="request_id", how="left", maintain_order="left")
    alone = _lone_tasks(numbered.join(paired, on="task_no", how="anti"))
    reported = _reported(alone, placed)
    both = pl.concat([_shape(access), _shape(reported)])
    return both.sort("stream", "byte_offset").with_row_index("request")


def _shape(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(
        pl.col(name).cast(dtype) if name in frame.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in _BASE.items()
    )


def _access_lines(placed: PlacedFrames) -> pl.DataFrame:
    """Arrival is end − latency; a latency above one minute was cut to whole seconds."""
    lines = placed["http_request"].filter(pl.col("side") == "server")
    latency = pl.duration(microseconds=(pl.col("latency_s") * 1e6).round().cast(pl.Int64))
    return lines.with_columns(
        request_id=reference(),
        ended_at=pl.col("at"),
        arrived_at=pl.col("at") - latency,
        end_s=pl.col("t_s"),
        start_s=pl.col("t_s") - pl.col("latency_s").fill_null(0.0),
        relative_end_s=pl.col("rel_s"),
        relative_start_s=pl.col("rel_s") - pl.col("latency_s"),
        duration_s=pl.col("latency_s"),
        duration_uncertainty_s=_step(),
        route=pl.col("path"),
        inference=(pl.col("method") == "POST") & pl.col("path").str.contains(_INFERENCE),
    )


def _step() -> pl.Expr:
    """Resolution of a latency: from one minute on whole seconds ("1m0s" may be 60.0 s or 60.9 s), else as printed."""
    whole = (pl.col("latency_s") >= 60) & (pl.col("latency_s") == pl.col("latency_s").round())
    return pl.when(whole).then(pl.max_horizontal(pl.lit(1.0), "latency_step_s")).otherwise("latency_step_s")


def _pair(access: pl.DataFrame, tasks: pl.DataFrame) -> pl.DataFrame:
    """`request_id` → `task_no`: the k-th release goes with the k-th access line behind it, if their times agree."""
    lines = access.filter("inference").select("stretch", "byte_offset", "request_id", "start_s", "end_s", "status")
    released = tasks.select(
        "stretch",
        "task_no",
        "first_t_s",
        "release_byte_offset",
        "first_pos",
        "last_t_s",
        "at_basis",
        "cancel_pos",
        hung_up=pl.col("cancelled") & ~pl.col("refused") & ~pl.col("finished") & ~pl.col("errored"),
    ).with_columns(position=pl.coalesce("release_byte_offset", "first_pos"))
    found = [pl.DataFrame(schema={"request_id": pl.String, "task_no": pl.UInt32})]
    for key, mine in released.sort("position").partition_by("stretch", as_dict=True).items():
        theirs = lines.filter(pl.col("stretch") == key[0]).sort("byte_offset")
        given_up = _pair_cancelled(theirs, mine)
        theirs = theirs.join(given_up, on="request_id", how="anti", maintain_order="left")
        served = mine.filter(~pl.col("hung_up"))
        found.append(given_up)
        if not theirs.is_empty() and not served.is_empty():
            found.append(_pair_stretch(theirs, served))
    return pl.concat(found)


def _pair_cancelled(lines: pl.DataFrame, tasks: pl.DataFrame) -> pl.DataFrame:
    """Tasks whose client left: the access line may stand before the cancel or behind it, so the nearest one counts."""
    hung_up = tasks.filter("hung_up").select("task_no", "cancel_pos", "first_pos").sort("cancel_pos")
    failed = lines.filter(pl.col("status") != 400).select("request_id", "byte_offset", line_pos="byte_offset")
    near = hung_up.join_asof(failed, left_on="cancel_pos", right_on="byte_offset", strategy="nearest")
    gap = (pl.col("line_pos") - pl.col("cancel_pos")).abs()
    fits = near.filter((pl.col("line_pos") > pl.col("first_pos")) & (gap <= _NEAR_BYTES)).with_columns(gap=gap)
    return (
        fits.sort("gap", "task_no")
        .unique("request_id", keep="first", maintain_order=True)
        .select("request_id", "task_no")
    )


def _pair_stretch(lines: pl.DataFrame, tasks: pl.DataFrame) -> pl.DataFrame:
    """Pairs of one stretch; a task whose line lies too far behind it has none, and the others are paired anew."""
    for _ in range(_PASSES):
        where = in_order(tasks["position"].to_numpy(), lines["byte_offset"].to_numpy())
        near = tasks.with_columns(row=pl.Series(np.where(where < 0, lines.height, where), dtype=pl.UInt32)).join(
            lines.with_row_index("row"), on="row", how="left"
        )
        # A task without stamps of its own is only known to lie behind the last stamped line before it.
        vague = pl.col("at_basis").is_in(["nearest_earlier", "unknown"])
        late = pl.col("end_s") - pl.col("last_t_s")
        at_once = late <= pl.max_horizontal(pl.lit(_LATE_S), pl.col("end_s") - pl.col("start_s"))
        in_time = (pl.col("last_t_s") <= pl.col("end_s") + TOLERANCE_S).fill_null(True)
        fits = near.filter(in_time & (vague | at_once))
        if fits.height == tasks.height:
            break
        tasks = tasks.join(fits, on="task_no", how="semi", maintain_order="left")
    return fits.select("request_id", "task_no")


def _lone_tasks(tasks: pl.DataFrame) -> pl.DataFrame:
    """Tasks as requests: from the launch (else the first line) to the release (else the last line)."""
    end = pl.coalesce("release_t_s", "last_t_s")
    start = pl.coalesce("start_t_s", "first_t_s")
    ended = pl.col("released") | pl.col("cancelled") | pl.col("refused") | pl.col("errored")
    moment = {"at": pl.Datetime("us"), "rel_s": pl.Float64()}
    begin, finish = (
        {c: pl.coalesce(f"{a}_{c}", f"{b}_{c}") for c in moment} for a, b in (("start", "first"), ("release", "last"))
    )
    # A task of which only a cancel is left waited for a slot, nobody knows how long.
    lasted = ended & (pl.col("launched") | pl.col("released") | pl.col("finished"))
    exact = ~pl.col("at_basis").is_in(["nearest_earlier", "unknown"])
    return tasks.with_columns(
        request_id=reference(),
        byte_offset=pl.col("first_pos"),
        inference=pl.lit(True),
        arrived_at=begin["at"],
        ended_at=pl.when(ended).then(finish["at"]),
        relative_start_s=begin["rel_s"],
        relative_end_s=pl.when(ended).then(finish["rel_s"]),
        start_s=start,
        end_s=end,
        duration_s=pl.when(lasted & exact).then(end - start),
        duration_uncertainty_s=pl.when(lasted & exact).then(0.001),
    )


def _reported(tasks: pl.DataFrame, placed: PlacedFrames) -> pl.DataFrame:
    """Path and status of older stand-alone servers' "request: POST …" lines, each given to the task released before."""
    done = placed["task_event"].filter((pl.col("event") == "done_request") & pl.col("path").str.contains(_INFERENCE))
    last = done.select("stretch", "byte_offset", "method", "path", "status").sort("byte_offset")
    keyed = tasks.with_columns(key=pl.coalesce("release_byte_offset", "first_pos")).sort("key")
    joined = keyed.join_asof(
        last,
        left_on="key",
        right_on="byte_offset",
        by="stretch",
        strategy="forward",
        check_sortedness=False,
        suffix="_done",
    )
    position = "byte_offset_done" if "byte_offset_done" in joined.columns else "byte_offset"
    nearest = pl.col("key") == pl.col("key").max().over("stretch", position)
    mine = pl.col("path").is_not_null() & nearest
    return joined.with_columns(
        route=pl.when(mine).then("path"),
        method=pl.when(mine).then(
            pl.coalesce("method_done", pl.lit("POST")) if "method_done" in joined.columns else pl.col("method")
        ),
        status=pl.when(mine).then("status"),
    )
