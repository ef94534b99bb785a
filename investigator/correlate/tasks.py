"""llama-server's tasks: the life of a request inside a slot, from lines that carry its task number."""

from __future__ import annotations

import polars as pl

from .loads import assign_load
from .schema import PlacedFrames
from .sourced import known, sourced

_INT = pl.Int64()
_FLOAT = pl.Float64()
_SHARE = 0.3  # between two progress lines; the estimate is then good to 3 %
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


_KIND, _EVENT = pl.col("kind"), pl.col("event")
_TIMED, _PROGRESS = _KIND == "prompt_timing", _KIND == "prompt_progress"
_PREFILL, _DECODE = pl.col("phase") == "prefill", pl.col("phase") == "decode"
_LINES_OF: dict[str, pl.Expr] = {
    "prompt": _EVENT == "new_prompt",
    "started": _EVENT.is_in(["launch", "new_prompt"]),
    "release": _EVENT == "release",
    "refused": _KIND == "prompt_refusal",
    "cancelled": _KIND == "request_cancel",
    "errored": _KIND == "server_error",
    "cache": _KIND == "cache_reuse",
    "prefill": _TIMED & _PREFILL,
    "decode": _TIMED & _DECODE,
    "total": _TIMED & (pl.col("phase") == "total"),
    "going": _PROGRESS & _PREFILL,
    "writing": _PROGRESS & _DECODE,
}


def _at_line(lines: str, name: str, last: bool = False) -> pl.Expr:
    return _one("line_no", lines, name, last)


def _one(column: str, lines: str, name: str, last: bool = False) -> pl.Expr:
    values = pl.col(column).filter(_LINES_OF[lines].fill_null(False)).drop_nulls()
    return (values.last() if last else values.first()).alias(name)


def _facts() -> list[pl.Expr]:
    """What the lines of one task say, as aggregates."""
    return [*_when(), *_where(), *_how_much(), *_flags()]


def _when() -> list[pl.Expr]:
    clock = ("at", "rel_s", "t_s")
    waiting = pl.col("t_s").filter((_EVENT == "skipping").fill_null(False)).first()
    return [
        *(pl.col(name).first() for name in ("source_id", "stream", "stretch", "source_format", "at_basis", "zone_s")),
        pl.col("slot").drop_nulls().last(),
        pl.col("byte_offset").first().alias("first_pos"),
        pl.col("line_no").first(),
        *(_one(name, "started", f"start_{name}") for name in clock),
        *(pl.col(name).first().alias(f"first_{name}") for name in clock),
        *(pl.col(name).last().alias(f"last_{name}") for name in clock),
        *(_one(name, "release", f"release_{name}", last=True) for name in (*clock, "byte_offset", "n_tokens")),
        waiting.alias("waiting_t_s"),
        _one("byte_offset", "cancelled", "cancel_pos"),
        _one("t_s", "cancelled", "cancel_t_s"),
    ]


def _where() -> list[pl.Expr]:
    return [
        _at_line("release", "release_line"),
        _at_line("started", "start_line"),
        _at_line("cancelled", "cancel_line"),
        _at_line("refused", "refusal_line"),
        _at_line("prompt", "prompt_line"),
        _at_line("prefill", "prefill_line"),
        _at_line("decode", "decode_line"),
        _at_line("cache", "cache_line"),
        _at_line("errored", "error_line"),
        _at_line("going", "progress_line", last=True),
    ]


def _how_much() -> list[pl.Expr]:
    return [
        _one("prompt_tokens", "prompt", "prompt_tokens"),
        _one("slot_ctx_tokens", "prompt", "slot_ctx"),
        _one("prompt_tokens", "refused", "refused_tokens"),
        _one("window_tokens", "refused", "refused_window"),
        _one("cached_tokens", "cache", "cached"),
        _one("tokens", "prefill", "new_tokens"),
        _one("duration_s", "prefill", "prefill_seconds"),
        _one("tokens", "decode", "out_tokens"),
        _one("duration_s", "decode", "decode_seconds"),
        _one("tokens", "going", "read_so_far", last=True),
        _one("tokens", "going", "read_first"),
        _one("progress", "going", "progress_first"),
        _one("progress", "going", "progress_last", last=True),
        _one("tokens", "writing", "written_so_far", last=True),
        _one("message", "errored", "error_text"),
        _one("truncated", "release", "truncated", last=True),
        (_KIND == "context_shift").sum().cast(pl.Int32).alias("context_shifts"),
    ]


def _flags() -> list[pl.Expr]:
    names = {
        "launched": "started",
        "released": "release",
        "finished": "total",
        "decoded": "decode",
        "prefilled": "prefill",
    }
    same = ("cancelled", "refused", "errored", "writing")
    return [_LINES_OF[lines].any().alias(name) for name, lines in (names | dict(zip(same, same, strict=True))).items()]


def _by_progress() -> pl.Expr:
    """Whole prompt of two progress lines: shares are of the whole, printed to one hundredth."""
    share = pl.col("progress_last") - pl.col("progress_first")
    tokens = (pl.col("read_so_far") - pl.col("read_first")) / share
    return pl.when(share >= _SHARE).then(tokens.round().cast(_INT))


def _whole() -> pl.Expr:
    """Nothing was cut or shifted, so that the tokens in the slot are the prompt's and the answer's."""
    return (pl.col("context_shifts") == 0) & ~pl.col("truncated").fill_null(True)


def _from_slot() -> pl.Expr:
    """Prompt of a finished task, which leaves prompt + output - 1 tokens in its slot.

    ollama-logs.md §7: 14892 + 312 - 1 = 15203. It gives the prompt where the line that names it is hidden.
    """
    return pl.when(_whole() & pl.col("finished")).then(pl.col("release_n_tokens") - pl.col("out_tokens") + 1)


def _written() -> pl.Expr:
    """Output of a cancelled task, which prints no timings: its slot holds more than the prompt once it was writing."""
    prompt = pl.coalesce("prompt_tokens", pl.col("cached") + pl.col("new_tokens"))
    written = pl.col("release_n_tokens") - prompt + 1
    return pl.when(_whole() & pl.col("cancelled") & (written > 1)).then(written)


def _asked() -> pl.Expr:
    """The whole prompt: as a line names it, else by what a sum of other lines gives."""
    read = pl.col("cached") + pl.col("new_tokens")
    release = pl.col("release_line")
    how = "tokens in the slot at the end − output + 1"
    share = "tokens per share of the progress"
    return known(
        _INT,
        sourced(pl.col("prompt_tokens"), _INT, "measured", line=pl.col("prompt_line")),
        sourced(pl.col("refused_tokens"), _INT, "measured", line=pl.col("refusal_line")),
        sourced(read, _INT, "derived", line=pl.col("prefill_line"), note="cached + read"),
        sourced(_from_slot(), _INT, "derived", line=release, note=how),
        sourced(_by_progress(), _INT, "estimated", line=pl.col("progress_line"), note=share),
    )


def _cached() -> pl.Expr:
    """The part of the prompt that was in the cache."""
    reused = pl.coalesce("prompt_tokens", _from_slot()) - pl.col("new_tokens")
    known_reuse = pl.when(reused >= 0).then(reused)
    return known(
        _INT,
        sourced(pl.col("cached"), _INT, "measured", line=pl.col("cache_line")),
        sourced(known_reuse, _INT, "derived", line=pl.col("prefill_line"), note="prompt − newly read"),
    )


def _output() -> pl.Expr:
    """Tokens of the answer."""
    line = pl.coalesce("decode_line", "release_line")
    how = "tokens in the slot at the end − prompt + 1"
    return known(
        _INT,
        sourced(pl.col("out_tokens"), _INT, "measured", line=line),
        sourced(_written(), _INT, "derived", line=pl.col("release_line"), note=how),
        sourced(pl.col("written_so_far"), _INT, "measured", line=line),
    )


def _progress() -> pl.Expr:
    """How far a prefill had come that did not end: by its progress lines, else by what a cancelled task left."""
    given_up = pl.col("cancelled") & ~pl.col("refused") & _written().is_null()
    left = pl.when(given_up).then(pl.col("release_n_tokens"))
    line = pl.coalesce("progress_line", "release_line")
    return sourced(pl.when(~pl.col("prefilled")).then(pl.coalesce("read_so_far", left)), _INT, "measured", line=line)


def _numbers() -> list[pl.Expr]:
    """Prompt, cache, output and times."""
    window, window_line = pl.coalesce("slot_ctx", "refused_window"), pl.coalesce("prompt_line", "refusal_line")
    queue = pl.col("start_t_s") - pl.col("waiting_t_s")
    return [
        _asked().alias("asked_tokens"),
        _cached().alias("cached_tokens"),
        sourced(window, _INT, "measured", line=window_line).alias("window_tokens"),
        _output().alias("output_tokens"),
        sourced(pl.col("prefill_seconds"), _FLOAT, "measured", line=pl.col("prefill_line")).alias("prefill_s"),
        sourced(pl.col("decode_seconds"), _FLOAT, "measured", line=pl.col("decode_line")).alias("decode_s"),
        sourced(queue, _FLOAT, "measured").alias("queue_s"),
        _progress().alias("progress_tokens"),
    ]
