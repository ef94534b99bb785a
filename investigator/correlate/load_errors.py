"""Why a load failed: from its own words, from the process that was lost, from the allocation that failed."""

from __future__ import annotations

import polars as pl

from .schema import PlacedFrames

#: Words of load errors (ollama-logs.md §5), most telling first.
_WORDS = {
    "client_left": r"(?i)context canceled|client connection closed",
    "timeout": r"(?i)timed out|progress stalled",
    "out_of_memory": r"(?i)out of memory|more system memory|(?:failed|unable) to allocate|cudaMalloc failed",
    "unsupported": r"(?i)unknown (?:model )?architecture|unsupported|unknown pre-tokenizer|not supported"
    r"|invalid ggml type|wrong number of tensors|missing tensor|model hyperparameters",
    "corrupt": r"(?i)corrupt|(?:invalid|bad) magic|tensor .* out of bounds|unexpected end|file bounds",
    "not_found": r"(?i)no such file|not found|failed to open|does not exist",
    "killed": r"(?i)signal: killed",
    "crashed": r"(?i)terminated|signal:|exit status|segmentation fault|assert|panic|exited unexpectedly|runner failed",
}
_VAGUE = ("crashed", "other")
_POSITION = ["stretch", "byte_offset"]


def with_error_class(loads: pl.DataFrame, placed: PlacedFrames) -> pl.DataFrame:
    """`loads` with `error_class` and `ok` completed and the `error` that tells most; NULL where nothing failed.

    The engine's first words beat its last: "failed to load model" follows the line that says why. A process that was
    lost, or an allocation that failed, before the model was ready tells more than "terminated".
    """
    words = _all_words(loads, placed["load_end"])
    served = _first_service(loads, placed)
    lost = _before_ready(loads, served, placed["runner_exit"], "exit_kind")
    memory = _before_ready(loads, served, placed["memory_error"], "scope")
    joined = loads
    for trace in (words, lost, memory):
        joined = joined.join(trace, on="load_id", how="left", maintain_order="left")
    failed = ~pl.col("ok").fill_null(pl.col("exit_kind").is_null() & pl.col("scope").is_null())
    own = pl.coalesce(pl.when(~pl.col("error_class").is_in(_VAGUE)).then("error_class"), "words_class", "error_class")
    telling = pl.when(~own.is_in(_VAGUE)).then(own)
    found = pl.coalesce(
        telling,
        pl.when(pl.col("scope").is_not_null()).then(pl.lit("out_of_memory")),
        pl.when(pl.col("exit_kind") == "killed").then(pl.lit("killed")),
        own,
        pl.when(pl.col("exit_kind").is_not_null()).then(pl.lit("crashed")),
        pl.lit("other"),
    )
    return joined.with_columns(
        error_class=pl.when(failed).then(found),
        ok=pl.coalesce("ok", pl.when(failed).then(False)),
        error=pl.when(_class_of(pl.col("error").fill_null("")).fill_null("other").is_in(_VAGUE))
        .then(pl.coalesce("words", "error"))
        .otherwise("error"),
    ).drop("words_class", "words", "exit_kind", "scope")


def _class_of(text: pl.Expr) -> pl.Expr:
    found = pl.lit(None, pl.String)
    for slug, pattern in reversed(list(_WORDS.items())):
        found = pl.when(text.str.contains(pattern)).then(pl.lit(slug)).otherwise(found)
    return found


def _stay_of(frame: pl.DataFrame, loads: pl.DataFrame) -> pl.DataFrame:
    anchors = loads.select("stretch", pl.col("first_pos").alias("byte_offset"), "load_id", "ok", "end_line")
    rows = frame.filter(pl.col("stretch").is_not_null()).sort("byte_offset")
    joined = rows.join_asof(
        anchors.sort("byte_offset"), on="byte_offset", by="stretch", check_sortedness=False, suffix="_of"
    )
    return joined.filter(pl.col("load_id").is_not_null())


def _all_words(loads: pl.DataFrame, ends: pl.DataFrame) -> pl.DataFrame:
    failures = _stay_of(ends.filter(~pl.col("ok").fill_null(True)), loads)
    ranked = failures.with_columns(words_class=_class_of(pl.col("error").fill_null(""))).sort(_POSITION)
    telling = pl.col("words_class").is_not_null() & ~pl.col("words_class").is_in(_VAGUE)
    return ranked.group_by("load_id", maintain_order=True).agg(
        pl.coalesce(pl.col("words_class").filter(telling).first(), pl.col("words_class").drop_nulls().first()),
        pl.col("error").filter(telling).first().alias("words"),
    )


def _first_service(loads: pl.DataFrame, placed: PlacedFrames) -> pl.DataFrame:
    """Per stay the first line that shows the model at work."""
    tables = ("task_event", "prompt_timing", "prompt_progress", "prompt_truncation")
    lines = pl.concat([placed[name].select("stretch", "byte_offset", "line_no") for name in tables])
    return _stay_of(lines, loads).group_by("load_id").agg(pl.col("line_no").min().alias("served_line"))


def _before_ready(loads: pl.DataFrame, served: pl.DataFrame, frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """The first such line of each stay, if the model was not ready before it."""
    rows = _stay_of(frame, loads).join(served, on="load_id", how="left")
    ready = pl.col("served_line") < pl.col("line_no")
    ready |= pl.col("ok").fill_null(False) & (pl.col("end_line") < pl.col("line_no"))
    early = rows.filter(~ready.fill_null(False))
    return early.sort(_POSITION).group_by("load_id", maintain_order=True).agg(pl.col(column).fill_null("").first())
