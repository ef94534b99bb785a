"""Server requests with all that the server's log says of them."""

from __future__ import annotations

import polars as pl

from .access import base_requests
from .attach import PLACE, points_of, to_requests
from .cuts import token_cuts
from .departures import departures, left_in_queue
from .dropping import dropped_as_printed, dropped_by_calls
from .outcomes import server_outcome
from .schema import PlacedFrames, reference
from .served import assign_server
from .sourced import bare, known, sourced, sourced_type, value_of
from .tasks import find_tasks

_INT = pl.Int64()
_FLOAT = pl.Float64()
_SOURCED: dict[str, pl.DataType] = {
    "asked_tokens": _INT,
    "cached_tokens": _INT,
    "keep_tokens": _INT,
    "cut_to_tokens": _INT,
    "output_tokens": _INT,
    "window_tokens": _INT,
    "prefill_s": _FLOAT,
    "decode_s": _FLOAT,
    "queue_s": _FLOAT,
    "load_s": _FLOAT,
    "progress_tokens": _INT,
}
_FROM_TASK = (
    "asked_tokens",
    "cached_tokens",
    "output_tokens",
    "window_tokens",
    "prefill_s",
    "decode_s",
    "queue_s",
    "progress_tokens",
)
_TASK_LINES = (
    "line_no",
    "prompt_line",
    "refusal_line",
    "progress_line",
    "prefill_line",
    "decode_line",
    "error_line",
    "cancel_line",
    "release_line",
)


def find_requests(placed: PlacedFrames, loads: pl.DataFrame) -> pl.DataFrame:
    """One row per server request, sorted by stream and position, numbers sourced; `lines` are its evidence lines.

    `request` numbers them. A cut or refused prompt without an access line (a capture without stdout) is a row too.
    """
    tasks = find_tasks(placed, loads)
    base = base_requests(placed, tasks)
    base = base.join(_task_part(tasks, placed), on="task_no", how="left", maintain_order="left")
    versions = _versions(placed)
    cuts, refusals = _cuts(placed, base, versions), _refusals(placed, base)
    rows = _with_orphans(base, cuts, refusals, left_in_queue(placed))
    rows = rows.join(_first(cuts), on="request_id", how="left", maintain_order="left")
    rows = rows.join(_first(refusals), on="request_id", how="left", maintain_order="left")
    traces = (_caches(placed, rows), departures(placed, rows, versions), dropped_as_printed(placed, rows))
    for trace in (*traces, _failures(placed, rows)):
        rows = rows.join(trace, on="request_id", how="left", maintain_order="left")
    rows = assign_server(rows, loads).sort("stream", "byte_offset")
    rows = rows.join(_load_part(loads), on="load_id", how="left", maintain_order="left")
    rows = rows.join(versions, on="stretch", how="left", maintain_order="left")
    numbered = rows.drop("request").with_row_index("request").with_columns(*_numbers())
    return numbered.with_columns(outcome=server_outcome(), lines=_lines())


def requests_table(requests: pl.DataFrame) -> pl.DataFrame:
    """The public `requests` table (not yet conformed) of the internal frame."""
    plain = bare(requests)
    read = pl.coalesce("cut_to_tokens", pl.when(pl.col("outcome") != "refused_window").then("asked_tokens"))
    refs = pl.format("{}:{}", "stream", pl.col("lines"))
    evidence = (
        plain.select("request", "stream", "lines")
        .explode("lines")
        .group_by("request", maintain_order=True)
        .agg(evidence=refs)
    )
    basis = pl.col("at_basis").replace("nearest_earlier", "unknown")
    return plain.join(evidence, on="request", how="left", maintain_order="left").with_columns(
        read_tokens=read,
        time_basis=basis,
        prefill_new_tokens=pl.col("new_tokens"),
        error_text=pl.coalesce("error_text", "failure_text"),
        dropped_messages=pl.coalesce("printed_dropped", "task_dropped"),
    )


def _task_part(tasks: pl.DataFrame, placed: PlacedFrames) -> pl.DataFrame:
    flags = (
        "launched",
        "released",
        "cancelled",
        "refused",
        "errored",
        "prefilled",
        "decoded",
        "writing",
        "finished",
        "context_shifts",
        "truncated",
        "error_text",
        "new_tokens",
        "slot",
        "task",
        "cancel_t_s",
    )
    drops = dropped_by_calls(placed).rename({"line_no": "start_line", "dropped": "task_dropped"})
    known = tasks.join(drops, on=["source_id", "start_line"], how="left", maintain_order="left")
    return known.with_row_index("task_no").select(
        "task_no",
        "task_dropped",
        *flags,
        *(pl.col(name).alias(f"task_{name}") for name in _FROM_TASK),
        pl.concat_list(_TASK_LINES).list.drop_nulls().alias("task_lines"),
        pl.col("refused_tokens").alias("task_refused_tokens"),
    )


def _cuts(placed: PlacedFrames, base: pl.DataFrame, versions: pl.DataFrame) -> pl.DataFrame:
    points = points_of(token_cuts(placed, versions))
    found = ("cut_line", "cut_prompt", "cut_window", "cut_keep", "cut_new")
    return to_requests(points, base, "start", exclusive=True).select(*PLACE, *found)


def _refusals(placed: PlacedFrames, base: pl.DataFrame) -> pl.DataFrame:
    """Refusals without a task number (Ollama's own); those with one came with their task."""
    points = points_of(placed["prompt_refusal"].filter(pl.col("task").is_null()))
    return to_requests(points, base, "end", exclusive=True).select(
        *PLACE,
        said_line="line_no",
        said_prompt="prompt_tokens",
        said_window="window_tokens",
        said=pl.lit(True),
    )


def _first(frame: pl.DataFrame) -> pl.DataFrame:
    own = [name for name in frame.columns if name.startswith(("cut_", "said"))]
    return (
        frame.with_columns(request_id=pl.coalesce("request_id", reference()))
        .group_by("request_id", maintain_order=True)
        .agg(pl.col(own).first())
    )


def _with_orphans(base: pl.DataFrame, cuts: pl.DataFrame, refusals: pl.DataFrame, left: pl.DataFrame) -> pl.DataFrame:
    """Base rows, and a row for each cut, refusal or departure that no request surrounds."""
    lost = pl.concat([cuts, refusals, left], how="diagonal").filter(pl.col("request_id").is_null())
    rows = lost.with_columns(
        request_id=reference(),
        inference=pl.lit(True),
        arrived_at=pl.when(pl.col("left_in_queue").is_null()).then("at"),
        start_s="t_s",
        end_s="t_s",
        relative_start_s="rel_s",
        orphan=pl.lit(True),
    )
    keep = [name for name in rows.columns if name in base.columns] + ["orphan", "left_in_queue"]
    return pl.concat([base, rows.select(keep)], how="diagonal").sort("stream", "byte_offset")


def _caches(placed: PlacedFrames, base: pl.DataFrame) -> pl.DataFrame:
    """Cache lines without a task number (`loading cache slot` of the Go runners)."""
    points = points_of(placed["cache_reuse"].filter(pl.col("task").is_null()))
    near = to_requests(points, base, "start", exclusive=True).filter(pl.col("request_id").is_not_null())
    return near.select("request_id", slot_prompt="prompt_tokens", slot_cached="cached_tokens", slot_line="line_no")


def _failures(placed: PlacedFrames, base: pl.DataFrame) -> pl.DataFrame:
    """Errors, exits, failed allocations and failed loads inside a request's time."""
    errors = placed["server_error"].filter(pl.col("task").is_null())
    loads = placed["load_end"].filter(~pl.col("ok").fill_null(True))
    kinds = [
        errors.select(*_POINT, kind=pl.lit("error"), what="error_class", failure_text="message"),
        placed["runner_exit"].select(*_POINT, kind=pl.lit("exit"), what="exit_kind", failure_text="error"),
        placed["memory_error"].select(*_POINT, kind=pl.lit("memory"), what="scope", failure_text="message"),
        loads.select(*_POINT, kind=pl.lit("load"), what="error_class", failure_text="error"),
    ]
    points = points_of(pl.concat(kinds))
    near = to_requests(points, base, "end", exclusive=False).filter(pl.col("request_id").is_not_null())
    client_left = pl.col("failure_text").fill_null("").str.contains("context canceled|client connection closed")
    left = client_left | (pl.col("what") == "client_left")

    def mine(kind: str) -> pl.Expr:
        return ((pl.col("kind") == kind) & ~left).any()

    return near.group_by("request_id", maintain_order=True).agg(
        ((pl.col("kind") == "error") & ~left & ~(pl.col("what") == "repeat_limit").fill_null(False))
        .any()
        .alias("had_error"),
        (pl.col("what") == "repeat_limit").any().alias("repeat_cut"),
        mine("exit").alias("had_exit"),
        mine("memory").alias("had_memory_error"),
        mine("load").alias("load_failed"),
        ((pl.col("kind") == "load") & left).any().alias("left_in_load"),
        (left & (pl.col("kind") != "load")).any().alias("client_left"),
        pl.col("failure_text").filter(~left).last(),
        pl.col("line_no").last().alias("failure_line"),
    )


_POINT = ["source_id", "stretch", "byte_offset", "line_no", "t_s"]


def _load_part(loads: pl.DataFrame) -> pl.DataFrame:
    return loads.select(
        "load_id",
        "context_shift" if "context_shift" in loads.columns else pl.col("cmd_context_shift").alias("context_shift"),
        pl.col("window_tokens").alias("load_window"),
        pl.col("load_s").alias("load_took"),
        # The first lines of a load have no stamp of their own.
        pl.coalesce(pl.col("ready_t_s") - value_of("load_s"), "t_s").alias("load_t_s"),
        pl.col("ready_t_s").alias("load_ready_t_s"),
    )


def _versions(placed: PlacedFrames) -> pl.DataFrame:
    starts = placed["server_start"].filter(pl.col("stretch").is_not_null()).sort("stretch", "byte_offset")
    return starts.group_by("stretch", maintain_order=True).agg(pl.col("version").drop_nulls().first())


def _numbers() -> list[pl.Expr]:
    def line(column: str) -> pl.Expr:
        return pl.col(column)

    during = (pl.col("load_t_s") >= pl.col("start_s") - 2) & (pl.col("load_ready_t_s") <= pl.col("end_s") + 2)
    whole = {
        "asked_tokens": known(
            _INT,
            sourced(line("cut_prompt"), _INT, "measured", line=line("cut_line")),
            sourced(line("said_prompt"), _INT, "measured", line=line("said_line")),
            line("task_asked_tokens"),
            sourced(line("slot_prompt"), _INT, "measured", line=line("slot_line")),
        ),
        "cached_tokens": known(
            _INT, line("task_cached_tokens"), sourced(line("slot_cached"), _INT, "measured", line=line("slot_line"))
        ),
        "window_tokens": known(
            _INT,
            line("task_window_tokens"),
            sourced(line("said_window"), _INT, "measured", line=line("said_line")),
            line("load_window"),
            sourced(
                line("cut_window"), _INT, "derived", line=line("cut_line"), note="from the cut, by the release's rule"
            ),
        ),
        "keep_tokens": sourced(line("cut_keep"), _INT, "measured", line=line("cut_line")),
        "cut_to_tokens": sourced(line("cut_new"), _INT, "measured", line=line("cut_line")),
        "load_s": pl.when(during).then(line("load_took")),
    }
    direct = {name: pl.col(f"task_{name}") for name in _FROM_TASK if name not in whole}
    return [expr.cast(sourced_type(_SOURCED[name])).alias(name) for name, expr in (whole | direct).items()] + [
        pl.when(pl.col("source_format") == "llama-server")
        .then(pl.lit("llama-server"))
        .otherwise(pl.lit("ollama"))
        .alias("engine"),
        value_of("load_window").alias("load_window_tokens"),
    ]


def _lines() -> pl.Expr:
    own = pl.concat_list(["cut_line", "said_line", "line_no", "cancelled_line", "failure_line"]).list.drop_nulls()
    return pl.concat_list(own, pl.col("task_lines").fill_null([])).list.unique().list.sort()
