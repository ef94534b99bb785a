"""llama-server's tasks: the life of a request inside a slot, from lines that carry its task number."""

from __future__ import annotations

import polars as pl

from .loads import assign_load
from .schema import PlacedFrames
from .sourced import known, sourced

_INT = pl.Int64()
_FLOAT = pl.Float64()
_TABLES = (
    "prompt_refusal",
    "prompt_timing",
    "prompt_progress",
    "cache_reuse",
    "task_event",
    "context_shift",
    "request_cancel",
    "server_error",
)
_COMMON = [
    "source_id",
    "stream",
    "stretch",
    "source_format",
    "byte_offset",
    "line_no",
    "at",
    "at_basis",
    "rel_s",
    "t_s",
    "zone_s",
    "slot",
    "task",
]


def find_tasks(placed: PlacedFrames, loads: pl.DataFrame) -> pl.DataFrame:
    """One row per task of a process (`load_id`, `task`), with sourced numbers; sorted by stretch and position.

    Tasks that never started (no slot) are kept: a cancel may be all that is left of a request that waited in a queue.
    """
    lines = _lines(placed, loads)
    tasks = lines.group_by("load_id", "task", maintain_order=True).agg(*_facts())
    return tasks.with_columns(*_numbers()).sort("stretch", "first_pos")


def _lines(placed: PlacedFrames, loads: pl.DataFrame) -> pl.DataFrame:
    """All lines with a task number, one frame; `kind` is the table."""
    kinds = []
    for name in _TABLES:
        frame = placed[name].filter(pl.col("stretch").is_not_null() & (pl.col("task") >= 0))
        extra = [column for column in _EXTRA if column in frame.columns]
        kinds.append(frame.select(*_COMMON, *extra).with_columns(kind=pl.lit(name)))
    lines = pl.concat(kinds, how="diagonal_relaxed")
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in _EXTRA.items() if name not in lines.columns]
    return assign_load(lines.with_columns(missing), loads).sort("stretch", "byte_offset", "kind")


_EXTRA: dict[str, pl.DataType] = {
    "event": pl.String(),
    "phase": pl.String(),
    "tokens": _INT,
    "duration_s": _FLOAT,
    "tps": _FLOAT,
    "progress": _FLOAT,
    "elapsed_s": _FLOAT,
    "prompt_tokens": _INT,
    "cached_tokens": _INT,
    "window_tokens": _INT,
    "slot_ctx_tokens": _INT,
    "n_tokens": _INT,
    "truncated": pl.Boolean(),
    "message": pl.String(),
    "error_class": pl.String(),
    "method": pl.String(),
}


def _facts() -> list[pl.Expr]:
    kind, event, phase = pl.col("kind"), pl.col("event"), pl.col("phase")
    launch, prompt = event == "launch", event == "new_prompt"
    release = event == "release"
    waiting = event == "skipping"
    refused, cancelled = kind == "prompt_refusal", kind == "request_cancel"
    timing = kind == "prompt_timing"
    prefill, decode = timing & (phase == "prefill"), timing & (phase == "decode")
    going = (kind == "prompt_progress") & (phase == "prefill")
    writing = (kind == "prompt_progress") & (phase == "decode")

    def at_line(mask: pl.Expr, name: str) -> pl.Expr:
        return pl.col("line_no").filter(mask.fill_null(False)).first().alias(name)

    def one(column: str, mask: pl.Expr, name: str, last: bool = False) -> pl.Expr:
        values = pl.col(column).filter(mask.fill_null(False)).drop_nulls()
        return (values.last() if last else values.first()).alias(name)

    started = launch | prompt
    return [
        *(pl.col(name).first() for name in ("source_id", "stream", "stretch", "source_format", "at_basis", "zone_s")),
        pl.col("slot").drop_nulls().last(),
        pl.col("byte_offset").first().alias("first_pos"),
        pl.col("line_no").first(),
        *(one(c, started, f"start_{c}") for c in ("at", "rel_s", "t_s")),
        *(pl.col(c).first().alias(f"first_{c}") for c in ("at", "rel_s", "t_s")),
        *(pl.col(c).last().alias(f"last_{c}") for c in ("at", "rel_s", "t_s")),
        *(one(c, release, f"release_{c}", last=True) for c in ("at", "rel_s", "t_s", "byte_offset", "n_tokens")),
        one("t_s", waiting, "waiting_t_s"),
        one("t_s", cancelled, "cancel_t_s"),
        one("byte_offset", cancelled, "cancel_pos"),
        one("t_s", going | prefill, "read_t_s"),
        at_line(release, "release_line"),
        at_line(cancelled, "cancel_line"),
        at_line(refused, "refusal_line"),
        at_line(prompt, "prompt_line"),
        at_line(prefill, "prefill_line"),
        at_line(decode, "decode_line"),
        at_line(kind == "cache_reuse", "cache_line"),
        at_line(kind == "server_error", "error_line"),
        one("prompt_tokens", prompt, "prompt_tokens"),
        one("slot_ctx_tokens", prompt, "slot_ctx"),
        one("prompt_tokens", refused, "refused_tokens"),
        one("window_tokens", refused, "refused_window"),
        one("cached_tokens", kind == "cache_reuse", "cached"),
        one("tokens", prefill, "new_tokens"),
        one("duration_s", prefill, "prefill_seconds"),
        one("tokens", decode, "out_tokens"),
        one("duration_s", decode, "decode_seconds"),
        one("tokens", going, "read_so_far", last=True),
        one("progress", going, "share_read", last=True),
        one("tokens", writing, "written_so_far", last=True),
        pl.col("line_no").filter(going.fill_null(False)).last().alias("progress_line"),
        one("message", kind == "server_error", "error_text"),
        one("method", event == "slot_selected", "selected_by"),
        (kind == "context_shift").sum().cast(pl.Int32).alias("context_shifts"),
        one("truncated", release, "truncated", last=True),
        started.any().alias("launched"),
        release.any().alias("released"),
        cancelled.any().alias("cancelled"),
        refused.any().alias("refused"),
        (kind == "server_error").any().alias("errored"),
        (timing & (phase == "total")).any().alias("finished"),
        decode.any().alias("decoded"),
        prefill.any().alias("prefilled"),
        writing.any().alias("writing"),
    ]


def _numbers() -> list[pl.Expr]:
    """Prompt, cache, output and times.

    A finished task leaves prompt + output - 1 tokens in its slot (ollama-logs.md §7: 14892 + 312 - 1 = 15203), which
    gives the prompt where the line that names it is hidden; a context shift breaks the sum.
    """
    whole = (pl.col("context_shifts") == 0) & pl.col("finished") & ~pl.col("truncated").fill_null(True)
    from_slot = pl.when(whole).then(pl.col("release_n_tokens") - pl.col("out_tokens") + 1)
    how = "tokens in the slot at the end − output + 1"
    release, prompt = pl.col("release_line"), pl.col("prompt_line")
    asked = known(
        _INT,
        sourced(pl.col("prompt_tokens"), _INT, "measured", line=prompt),
        sourced(pl.col("refused_tokens"), _INT, "measured", line=pl.col("refusal_line")),
        sourced(
            pl.col("cached") + pl.col("new_tokens"), _INT, "derived", line=pl.col("prefill_line"), note="cached + read"
        ),
        sourced(from_slot, _INT, "derived", line=release, note=how),
    )
    reused = pl.coalesce("prompt_tokens", from_slot) - pl.col("new_tokens")
    cached = known(
        _INT,
        sourced(pl.col("cached"), _INT, "measured", line=pl.col("cache_line")),
        sourced(
            pl.when(reused >= 0).then(reused), _INT, "derived", line=pl.col("prefill_line"), note="prompt − newly read"
        ),
    )
    queue = pl.col("start_t_s") - pl.col("waiting_t_s")
    output = pl.coalesce("out_tokens", "written_so_far")
    shown = pl.when(~pl.col("prefilled")).then(
        pl.coalesce("read_so_far", pl.when(pl.col("cancelled") & ~pl.col("refused")).then(pl.col("release_n_tokens")))
    )
    return [
        asked.alias("asked_tokens"),
        cached.alias("cached_tokens"),
        sourced(
            pl.coalesce("slot_ctx", "refused_window"), _INT, "measured", line=pl.coalesce("prompt_line", "refusal_line")
        ).alias("window_tokens"),
        sourced(output, _INT, "measured", line=pl.coalesce("decode_line", "release_line")).alias("output_tokens"),
        sourced(pl.col("prefill_seconds"), _FLOAT, "measured", line=pl.col("prefill_line")).alias("prefill_s"),
        sourced(pl.col("decode_seconds"), _FLOAT, "measured", line=pl.col("decode_line")).alias("decode_s"),
        sourced(queue, _FLOAT, "measured").alias("queue_s"),
        sourced(shown, _INT, "measured", line=pl.coalesce("progress_line", "release_line")).alias("progress_tokens"),
    ]
