"""Runs: sessions of agents, and stretches of servers for what no agent's file tells of."""

from __future__ import annotations

import polars as pl

from .schema import PlacedFrames


def runs_table(attempts: pl.DataFrame, calls: pl.DataFrame, placed: PlacedFrames) -> pl.DataFrame:
    """The public table (not yet conformed). Failed calls are counted by call, not by try."""
    ordered = attempts.sort("order_s", "attempt_id", nulls_last=True)
    of_call = ordered.group_by("run_id", "call_id", maintain_order=True).agg(
        pl.col("agent").first(),
        pl.col("session_id").first(),
        pl.col("arrived_at").min(),
        pl.col("ended_at").max(),
        pl.col("failed").last(),
        pl.col("evidence").list.first().first().alias("ref"),
    )
    runs = of_call.group_by("run_id", maintain_order=True).agg(
        pl.col("agent").first(),
        pl.col("session_id").first(),
        pl.col("arrived_at").min().alias("started_at"),
        pl.col("ended_at").max(),
        pl.len().cast(pl.Int32).alias("calls"),
        pl.col("failed").sum().cast(pl.Int32).alias("failed_calls"),
        pl.col("ref").drop_nulls().head(3).alias("evidence"),
    )
    compactions = (
        placed["compaction"]
        .group_by("agent", "session_id")
        .agg(
            pl.len().cast(pl.Int32).alias("compactions"), pl.col("tokens_before").min().alias("least_compacted_tokens")
        )
    )
    joined = runs.join(compactions, on=["agent", "session_id"], how="left", maintain_order="left")
    joined = joined.join(_same_results(placed["agent_prompt"]), on=["agent", "session_id"], how="left")
    return joined.with_columns(
        compactions=pl.when(pl.col("agent").is_not_null()).then(pl.col("compactions").fill_null(0))
    )


def _same_results(prompts: pl.DataFrame) -> pl.DataFrame:
    """`agent`, `session_id` → `same_results`: how many tool results in a row were the same text; copies count once."""
    once = prompts.filter(pl.col("session_id").is_not_null()).unique(
        ["agent", "session_id", "record_id", "source_id", "line_no"], keep="first", maintain_order=True
    )
    one_file = pl.col("source_id") == pl.col("source_id").first().over("agent", "session_id")
    ordered = once.filter(one_file).sort("source_id", "line_no", maintain_order=True)
    tools = ordered.filter((pl.col("role") == "tool") & (pl.col("text_chars") > 0) & pl.col("text_hash").is_not_null())
    session = ["agent", "session_id"]
    row = tools.with_columns(block=pl.col("text_hash").rle_id().over(session))
    lengths = row.group_by(*session, "block").agg(pl.len().cast(pl.Int32).alias("same_results"))
    return lengths.group_by(session).agg(pl.col("same_results").max())
