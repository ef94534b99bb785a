"""Attempts that asked for the same work again, and how much of the cache one leaves to the next.

The same work: the requests of one call; and prompts of equal size of the same agent (or the same server) and model,
from a try that failed to the next. Without a known size, failed requests of equal duration that follow each other at
once. A request that left the queue was never read, so nobody told its size: the try before is the same agent's that
waited as long. A try that left no trace is not counted: `tries` are those seen.
"""

from __future__ import annotations

import polars as pl

from investigator.capacity.reuse import reused_after_cut

from .outcomes import SUCCESSES
from .sourced import known, sourced, value_of

_INT = pl.Int64()
_AT_ONCE_S = 60.0
_QUEUED_S = 600.0
_EQUAL_S = 3.0
_REUSE_NOTE = (
    "tries of equal size taken to differ first behind system prompt and tools, the smallest prompt of this agent"
)
_COLD_NOTE = "one slot, and the request before it was somebody else's"


def with_tries(attempts: pl.DataFrame) -> pl.DataFrame:
    """`attempts` in time order with `work_id`, `try_no`, `tries`."""
    ordered = attempts.sort("order_s", "attempt_id", nulls_last=True).with_columns(
        who=pl.coalesce("agent", "stream", pl.lit("")),
        asked=value_of("asked_tokens"),
        what=pl.coalesce("plain_model", "model_key", pl.lit("")),
        good=pl.col("outcome").is_in(SUCCESSES),
    )
    same = ["who", "what", "asked"]
    after_failure = ~pl.col("good").shift(1).over(same).fill_null(True)
    known_size = pl.col("asked").is_not_null()
    by_size = known_size & after_failure & (pl.col("asked").shift(1).over(same) == pl.col("asked"))
    row = pl.col("row")
    linked = ordered.with_columns(row=pl.int_range(pl.len())).with_columns(
        by_size=pl.when(by_size).then(row.shift(1).over(same)),
        by_call=row.shift(1).over("call_id"),
        by_time=_at_once(row),
    )
    parent = pl.coalesce("by_call", "by_size", "by_time")
    roots = _roots(linked.select(parent=parent)["parent"].to_list())
    worked = linked.with_columns(root=pl.Series(roots, dtype=pl.Int64))
    return worked.with_columns(
        work_id=pl.col("attempt_id").first().over("root"),
        previous=pl.coalesce("by_call", "by_size", "by_time"),
        try_no=pl.int_range(1, pl.len() + 1).over("root").cast(pl.Int32),
        tries=pl.len().over("root").cast(pl.Int32),
    ).drop("by_size", "by_call", "by_time", "root", "who", "what")


def _at_once(row: pl.Expr) -> pl.Expr:
    """Row of the try before, for requests of unknown size that repeat a failure of equal length at once.

    Who left the queue may come later: what it waited for is the try before, which is still being read.
    """
    same = ["stream", "route", "client"]
    before_end = pl.col("end_order_s").shift(1).over(same)
    gap = pl.col("order_s") - before_end
    alike = (pl.col("duration") - pl.col("duration").shift(1).over(same)).abs() <= _EQUAL_S
    failed = ~pl.col("good").shift(1).over(same).fill_null(True) & ~pl.col("good")
    unknown = pl.col("asked").is_null()
    at_once = pl.col("asked").shift(1).over(same).is_null() & (gap <= _AT_ONCE_S)
    one_agent = pl.col("who").shift(1).over(same) == pl.col("who")
    queued = (pl.col("outcome") == "client_closed_in_queue") & one_agent & (gap <= _QUEUED_S)
    fits = unknown & failed & alike & (at_once | queued) & (gap >= -_EQUAL_S) & (pl.col("duration") > 1)
    return pl.when(fits & pl.col("stream").is_not_null()).then(row.shift(1).over(same))


def _roots(parents: list[int | None]) -> list[int]:
    """First attempt of each chain; a parent stands before its child."""
    roots: list[int] = []
    for index, parent in enumerate(parents):
        roots.append(index if parent is None else roots[parent])
    return roots


def with_cold(attempts: pl.DataFrame) -> pl.DataFrame:
    """`cold`: nothing of the prompt was in the cache, because the one slot served somebody else (or nobody) before.

    Only for servers with one slot; NULL (not known) elsewhere.
    """
    in_load = ["load_id"]
    session = pl.coalesce("session_id", pl.lit(""))
    served = attempts.sort("stream", "order_s", nulls_last=True)
    first = pl.col("load_id").is_not_null() & (pl.int_range(pl.len()).over(in_load) == 0)
    other = session.shift(1).over(in_load) != session
    quiet = pl.col("outcome").shift(1).over(in_load).is_in(SUCCESSES)
    one_slot = value_of("slots") == 1
    cold = pl.col("load_id").is_not_null() & one_slot & (first | (other & quiet))
    return served.with_columns(cold=cold.fill_null(False), first_of_load=first)


def with_reuse(attempts: pl.DataFrame) -> pl.DataFrame:
    """`reusable_tokens`, and `cached_tokens` completed for tries after the first; after `with_tries` and `with_cold`.

    The position at which two tries of the same size differ is estimated by the smallest prompt that this agent sent to
    this model: system prompt and tools, which stay the same; what follows may begin with a time stamp.
    """
    joined = _with_left_over(attempts).sort("row").with_columns(disturbed=_disturbed())
    src, line = pl.col("asked_tokens").struct.field("src"), pl.col("asked_tokens").struct.field("line")
    cold = pl.col("cold") & pl.col("previous").is_null() & (pl.col("outcome") != "refused_window")
    cached = known(
        _INT,
        pl.col("cached_tokens"),
        sourced(_kept_from_before(), _INT, "estimated", line=line, src=src, note=_REUSE_NOTE),
        sourced(pl.when(cold).then(0), _INT, "derived", line=line, src=src, note=_COLD_NOTE),
    )
    return joined.with_columns(
        reusable_tokens=sourced(pl.col("reuse"), _INT, "estimated", line=line, src=src, note=_REUSE_NOTE),
        cached_tokens=cached,
    ).drop("reuse", "disturbed")


def _with_left_over(attempts: pl.DataFrame) -> pl.DataFrame:
    """`reuse`: what an attempt leaves in the cache for a next try of the same size, NULL where it has none."""
    repeated = pl.len().over("call_id") > 1  # an SDK sends the same bytes again
    smallest = pl.col("asked").min().over("agent", "plain_model")
    smaller = pl.when(pl.col("agent").is_not_null() & (smallest < pl.col("asked"))).then(smallest)
    head = pl.when(repeated).then("asked").otherwise(smaller)
    retried = ~pl.col("good") & (pl.col("outcome") != "refused_window")  # what was answered or refused has no next try
    known_head = head.is_not_null() & pl.col("asked").is_not_null() & retried
    chosen = (
        attempts.with_columns(fits=known_head, head=head)
        .filter("fits")
        .select(
            "attempt_id",
            kept=value_of("keep_tokens").fill_null(0),
            after_cut=pl.coalesce(value_of("read_tokens"), "asked"),
            asked="asked",
            difference="head",
        )
    )
    inputs = (chosen[name].cast(pl.Float64).to_numpy() for name in ("kept", "after_cut", "asked", "difference"))
    reuse = chosen.select("attempt_id").with_columns(reuse=pl.Series(reused_after_cut(*inputs)).cast(_INT))
    return attempts.join(reuse, on="attempt_id", how="left", maintain_order="left")


def _kept_from_before() -> pl.Expr:
    """What the try before left, where its cache survived: same stay, one slot, nobody in between.

    A try that never got the slot found nothing: the try before was still being read.
    """
    place = pl.col("previous").fill_null(0)
    same_stay = pl.col("load_id").gather(place) == pl.col("load_id")
    survived = pl.col("previous").is_not_null() & same_stay & (value_of("slots") == 1) & ~pl.col("disturbed")
    survived = survived & (pl.col("outcome") != "client_closed_in_queue")
    return pl.when(survived).then(pl.col("reuse").gather(place))


def _disturbed() -> pl.Expr:
    """Whether another request of the same stay lies between this attempt and the try before."""
    place = pl.int_range(pl.len()).over("load_id")
    return (place - place.gather(pl.col("previous").fill_null(0))) != 1
