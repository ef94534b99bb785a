"""What a client did with an answer: whether it saw its beginning, and how long it waited for the rest."""

from __future__ import annotations

import polars as pl

from .outcomes import SUCCESSES
from .schema import PlacedFrames
from .sourced import value_of

#: An error class that says that the answer had begun.
BROKE_OFF = "stream_timeout"


def with_waiting(attempts: pl.DataFrame, placed: PlacedFrames) -> pl.DataFrame:
    """`attempts` (of `join_sides`) with `answer_begun`, `waited_after_s` and `left_open`.

    answer_begun: true where the agent saw the beginning of an answer, else NULL (not known).
    waited_after_s: from the end of the answer at the server until its client failed, asked again or, where it did
    neither, gave its last sign; where its record has no end, until the last line of that run of the server at least:
    an answer that arrived is written down. NULL where the server came to no answer or nothing tells. Near zero where
    it arrived.
    left_open: true where the agent's record has no end of the call and no further try; NULL without an agent.
    """
    rows = attempts.join(_last_signs(placed), on="agent", how="left", maintain_order="left")
    rows = rows.join(_repeats(attempts), on="attempt_id", how="left", maintain_order="left")
    rows = rows.join(_last_lines(placed), on="stretch", how="left", maintain_order="left")
    shift = pl.when(pl.col("relative").fill_null(False)).then(0.0).otherwise(pl.col("offset_s").fill_null(0.0))
    skew = pl.duration(microseconds=(shift * 1e6).round().cast(pl.Int64))  # from the agent's clock to the row's
    is_open = (pl.col("c_outcome") == "open_at_end").fill_null(False)
    told_end = pl.when(~is_open).then(pl.col("c_ended_at") - skew)
    until = pl.coalesce("repeated_at", told_end, pl.when(is_open).then(pl.col("last_sign") - skew))
    left_open = is_open & pl.col("repeated_at").is_null()
    waited = (until - pl.col("ended_at")).dt.total_microseconds() / 1e6
    waited = pl.max_horizontal(waited, pl.when(left_open).then(pl.col("last_line_s") - pl.col("end_s")))
    answered = (pl.col("seen_by") == "both") & pl.col("server_outcome").is_in(SUCCESSES)
    begun = (
        pl.col("c_first_token").is_not_null()
        | (pl.col("error_class") == BROKE_OFF).fill_null(False)
        | (value_of("c_output") > 0).fill_null(False)
    )
    return rows.with_columns(
        answer_begun=pl.when(begun).then(True),
        waited_after_s=pl.when(answered).then(waited.clip(lower_bound=0.0)),
        left_open=pl.when(pl.col("agent").is_not_null()).then(left_open),
    ).drop("last_sign", "repeated_at", "last_line_s")


def _repeats(attempts: pl.DataFrame) -> pl.DataFrame:
    """`attempt_id` → `repeated_at`: when the same call was tried again, after this try had come to its end."""
    tries = attempts.filter(pl.col("agent").is_not_null()).select("attempt_id", "call_id", "arrived_at", "ended_at")
    later = tries.filter(pl.col("arrived_at").is_not_null()).select("call_id", repeated_at="arrived_at")
    pairs = tries.join(later, on="call_id").filter(pl.col("repeated_at") > pl.col("ended_at"))
    return pairs.group_by("attempt_id").agg(pl.col("repeated_at").min())


def _last_signs(placed: PlacedFrames) -> pl.DataFrame:
    """`agent` → `last_sign`: the last moment that any of its files tells of, by its own clock."""
    signs = [
        frame.select(agent=pl.col(who), at="at").filter(pl.col("agent").is_not_null() & pl.col("at").is_not_null())
        for frame in placed.values()
        if (who := "agent" if "agent" in frame.columns else "origin" if "origin" in frame.columns else None)
    ]
    return pl.concat(signs).group_by("agent").agg(pl.col("at").max().alias("last_sign"))


def _last_lines(placed: PlacedFrames) -> pl.DataFrame:
    """`stretch` → `last_line_s`: when the server last wrote anything that is known, by its own clock."""
    lines = [frame.select("stretch", "t_s").drop_nulls() for frame in placed.values() if "stretch" in frame.columns]
    return pl.concat(lines).group_by("stretch").agg(pl.col("t_s").max().alias("last_line_s"))
