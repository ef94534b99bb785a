"""What an agent was configured to believe: for each call, the most specific setting that applies to it."""

from __future__ import annotations

import polars as pl

from .schema import PlacedFrames

_WHO = ["agent", "provider", "model"]


def plain_model(column: str) -> pl.Expr:
    """A model name without what differs between agent and server: provider prefix `x/` of agents, `:latest`, case."""
    return pl.col(column).str.to_lowercase().str.replace(r":latest$", "").str.replace(r"^(?:ollama|openai|local)/", "")


def settings_of(calls: pl.DataFrame, placed: PlacedFrames, setting: str, prefix: str) -> pl.DataFrame:
    """For each distinct (agent, provider, model) of `calls` the value of `setting`, if the configuration names one.

    Columns: the three, `<prefix>_value`, `<prefix>_key`, `<prefix>_src`, `<prefix>_line`. A setting of the model beats
    one of the provider, which beats one of the agent; among equals the one read last counts.
    """
    config = placed["agent_config"].filter((pl.col("setting") == setting) & pl.col("value_num").is_not_null())
    known = config.select(
        c_agent="agent", c_provider="provider", c_model=plain_model("model"), value="value_num", key="key",
        src="source_id", line="line_no",
    ).with_row_index("order")  # fmt: skip
    who = calls.select(_WHO).unique(maintain_order=True)
    both = who.join(known, how="cross").with_columns(m=plain_model("model"))

    def agrees(column: str, mine: str) -> pl.Expr:
        return pl.col(column).is_null() | pl.col(mine).is_null() | (pl.col(column) == pl.col(mine))

    fits = both.filter(agrees("c_agent", "agent") & agrees("c_provider", "provider") & agrees("c_model", "m"))
    rank = (pl.col("c_model") == pl.col("m")).fill_null(False).cast(pl.Int32) * 2 + (
        pl.col("c_provider") == pl.col("provider")
    ).fill_null(False).cast(pl.Int32)
    best = fits.with_columns(rank=rank).sort("rank", "order").group_by(_WHO, maintain_order=True).last()
    return best.select(*_WHO, *(pl.col(name).alias(f"{prefix}_{name}") for name in ("value", "key", "src", "line")))
