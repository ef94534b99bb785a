"""Chat messages that were thrown away before the prompt was rendered (ollama-logs.md §3.7).

Ollama says so at debug level only. From 0.30 on each step is an HTTP call to its llama-server, which logs it: with the
server's own templates one `/apply-template` per try, so one less than their number was dropped; with Ollama's templates
one `/tokenize` per try, and one more for the test of the whole prompt, which is as long as the window in that case.
"""

from __future__ import annotations

import polars as pl

from .attach import points_of, to_requests
from .schema import PlacedFrames

_TEMPLATE, _TOKENIZE = "/apply-template", "/tokenize"
_ENDS = ("launch", "release", "new_prompt")


def dropped_by_calls(placed: PlacedFrames) -> pl.DataFrame:
    """source_id, line_no (of a task's start), dropped: tries to fit the messages between it and the task before."""
    events = placed["task_event"].filter((pl.col("source_format") == "ollama-server") & pl.col("stretch").is_not_null())
    call = (pl.col("event") == "done_request").fill_null(False)
    border = pl.col("event").is_in(_ENDS) | (call & ~pl.col("path").is_in([_TEMPLATE, _TOKENIZE]))
    steps = events.sort("stretch", "byte_offset").with_columns(
        template=call & (pl.col("path") == _TEMPLATE), tokens=call & (pl.col("path") == _TOKENIZE), border=border
    )
    # Lines of a run belong to the border behind them.
    run = pl.col("border").shift(1, fill_value=False).cum_sum().over("stretch")
    counted = steps.with_columns(
        templates=pl.col("template").cast(pl.Int32).sum().over("stretch", run),
        tokenized=pl.col("tokens").cast(pl.Int32).sum().over("stretch", run),
    )
    starts = counted.filter((pl.col("event") == "launch") & ((pl.col("templates") > 0) | (pl.col("tokenized") > 0)))
    # Without templates the calls are Ollama's own; two of them may be of a prompt of which nothing was dropped.
    tries = pl.when(pl.col("templates") > 0).then(pl.col("templates") - 1).otherwise(pl.col("tokenized") - 2)
    return starts.select("source_id", "line_no", dropped=tries.clip(lower_bound=0))


def dropped_as_printed(placed: PlacedFrames, base: pl.DataFrame) -> pl.DataFrame:
    """request_id, printed_dropped, of the lines that print the number of messages skipped."""
    lines = placed["prompt_truncation"].filter(pl.col("dropped_messages").is_not_null())
    near = to_requests(points_of(lines), base, "start", exclusive=True).filter(pl.col("request_id").is_not_null())
    return near.select("request_id", printed_dropped="dropped_messages")
