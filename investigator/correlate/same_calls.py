"""One call, told by several files of an agent: its transcript, its log, what it printed. Each call counts once."""

from __future__ import annotations

import polars as pl

#: Two files of one agent write the end of a call within this time of each other, in microseconds.
_SAME_END_US = 1_000_000


def once_per_call(calls: pl.DataFrame) -> pl.DataFrame:
    """Transcript facts (columns of agent_call, `ref`, `identity`) without repetitions.

    The same record counts once (a resumed or forked session repeats it), and so does the same answer: the agent, the
    second of its end and its output tokens are equal, but the source is another. The row that knows most is kept.
    """
    order = calls.with_row_index("position").with_columns(knows=_knowledge())
    best = order.sort("knows", "position", descending=[True, False])
    once = best.unique(["agent", "identity", "ended_at"], keep="first", maintain_order=True)
    # A file that tells no end of the record tells of the same one.
    ended = pl.col("ended_at").is_not_null().any().over("agent", "identity")
    once = once.filter(pl.col("ended_at").is_not_null() | ~ended)
    return (
        once.sort("position").join(_echoes(once), on="position", how="anti").sort("position").drop("position", "knows")
    )


def _knowledge() -> pl.Expr:
    measured = pl.col("start_basis").eq("measured").fill_null(False)
    return (
        measured.cast(pl.Int32) * 4
        + pl.col("started_at").is_not_null().cast(pl.Int32) * 2
        + pl.col("input_tokens").is_not_null().cast(pl.Int32)
    )


def _echoes(calls: pl.DataFrame) -> pl.DataFrame:
    """Positions of answers that another source of the same agent tells with at least as much."""
    answers = calls.filter(pl.col("ended_at").is_not_null() & pl.col("output_tokens").is_not_null()).select(
        "position", "agent", "output_tokens", "source_id", "knows", "ended_at"
    )
    # Joined by the second of the end and its neighbours: an agent's answers may be many and equally long.
    second = pl.col("ended_at").dt.epoch("s")
    here = answers.with_columns(bucket=second)
    there = answers.with_columns(bucket=pl.concat_list(second - 1, second, second + 1)).explode("bucket")
    pairs = here.join(there, on=["agent", "output_tokens", "bucket"], suffix="_other", nulls_equal=True)
    near = (pl.col("ended_at") - pl.col("ended_at_other")).abs() <= pl.duration(microseconds=_SAME_END_US)
    other = pl.col("source_id") != pl.col("source_id_other")
    less = (pl.col("knows_other") > pl.col("knows")) | (
        (pl.col("knows_other") == pl.col("knows")) & (pl.col("position_other") < pl.col("position"))
    )
    return pairs.filter(near & other & less).select("position").unique()


def without_echoes(errors: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Error lines without those that have no time and repeat what another file of the agent tells.

    A console prints what the log holds; without a time such a line cannot be given to a call, so it would count twice.
    Where no file tells a time, the file that tells most such errors is taken.
    """
    dated = errors.filter(pl.col("t_s").is_not_null()).select("agent", "error_class")
    failed = calls.filter(pl.col("error_class").is_not_null()).select("agent", "error_class")
    told = pl.concat([dated, failed]).unique()
    undated = errors.filter(pl.col("t_s").is_null())
    kind = ["agent", "error_class"]
    by_source = undated.group_by(*kind, "source_id").agg(told_here=pl.len())
    most = by_source.sort("told_here", "source_id", descending=[True, False]).unique(kind, keep="first")
    less = undated.join(most, on=[*kind, "source_id"], how="anti", nulls_equal=True)
    repeated = undated.join(told, on=kind, how="semi", nulls_equal=True)
    echoes = pl.concat([less, repeated]).select("fact_id").unique()
    return errors.join(echoes, on="fact_id", how="anti", maintain_order="left")
