"""When a request came and when its client left, where the server's log tells only the slot's work."""

from __future__ import annotations

import polars as pl

from .sourced import value_of

_HANDED_ON_S = 0.005  # a slot that is released takes the next waiting task at once
_PREPARED_S = 2.0  # unless it has to save or load a cache first


def with_arrival(requests: pl.DataFrame) -> pl.DataFrame:
    """`came_s`: when the request came, NULL if it waited for a slot first. `left_s`: when its client saw the end.

    A llama-server logs the slot's work: a task that starts the moment another one is released had been waiting, and
    one that was cancelled may go on working long after its client left, which the cancel line tells.
    """
    task = pl.col("task").is_not_null() & pl.col("status").is_null()
    only_cancel = (pl.col("outcome") == "client_closed_in_queue") & pl.col("duration_s").is_null()
    hung_up = task & pl.col("cancelled") & ~pl.col("finished") & ~pl.col("refused") & ~pl.col("errored")
    releases = (
        requests.filter(task)
        .select("stretch", "slot", released_s="end_s", released_task="task", released_output=value_of("output_tokens"))
        .sort("released_s")
    )
    joined = requests.sort("start_s").join_asof(
        releases, left_on="start_s", right_on="released_s", by=["stretch", "slot"], check_sortedness=False
    )
    after = pl.col("start_s") - pl.col("released_s")
    # Each batch that writes a token takes a number: a lower one was given before the other task had written.
    numbered = (pl.col("task") - pl.col("released_task") < pl.col("released_output")) & (after <= _PREPARED_S)
    at_once = ((after <= _HANDED_ON_S) | numbered) & (pl.col("end_s") > pl.col("start_s"))
    waited = only_cancel | (task & at_once.fill_null(False))
    return joined.with_columns(
        came_s=pl.when(~waited).then("start_s"),
        left_s=pl.when(hung_up.fill_null(False)).then(pl.coalesce("cancel_t_s", "end_s")).otherwise("end_s"),
    ).sort("request")
