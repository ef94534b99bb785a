"""How long one request kept the slot, where others waited for it in vain until they left.

A Go runner never stops an abandoned prefill, and prints nothing of it. But who waits for the slot and gives up is
logged when it leaves: until then the slot was taken. That is a lower bound of the reading time, without any rate.
"""

from __future__ import annotations

import polars as pl

from .sourced import value_of

_HOLDER, _WAITER = "client_closed_before_first_byte", "client_closed_in_queue"
_LONGER_S = 10.0  # stamps of whole seconds, and the moment until an end is noticed, are less


def with_held(attempts: pl.DataFrame) -> pl.DataFrame:
    """`attempts` with `slot_held_s`: seconds from the end of its load to the last moment at which the slot was taken.

    Given to a request that its client gave up, and to those of the same size that waited behind it; one slot only.
    NULL where nobody waited for it, or not for longer than it lasted itself.
    """
    placed = pl.col("load_id").is_not_null() & pl.col("order_s").is_not_null()
    loaded = attempts.filter(placed & (value_of("slots") == 1))
    waits = pl.col("outcome") == _WAITER
    turn = ["load_id", "turn"]
    held = (
        loaded.sort("load_id", "order_s", "row")
        .with_columns(turn=(~waits).cum_sum().over("load_id"), load=value_of("load_s").fill_null(0.0))
        .with_columns(
            until=pl.when(waits).then("end_order_s").max().over(turn),
            holder=pl.col("outcome").first().over(turn) == _HOLDER,
            begun=(pl.col("order_s") + pl.col("load")).first().over(turn),
            left=pl.col("end_order_s").first().over(turn),
            alike=pl.col("asked") == pl.col("asked").first().over(turn),
        )
        .filter("holder", "alike", pl.col("until") - pl.col("left") >= _LONGER_S)
    )
    seconds = held.select("attempt_id", slot_held_s=pl.col("until") - pl.col("begun"))
    return attempts.join(seconds, on="attempt_id", how="left", maintain_order="left")
