"""Which of several loaded models served a request: Ollama keeps several, and an access line does not name its own."""

from __future__ import annotations

import polars as pl

from .loads import assign_load
from .sourced import value_of

_EMBEDS = r"(?i)embed"
#: Stamps of access lines are whole seconds.
_SLACK_S = 2.0


def assign_server(rows: pl.DataFrame, loads: pl.DataFrame) -> pl.DataFrame:
    """`rows` (requests) with the `load_id` of the stay that served them: the latest one, if it can do the work.

    Embedding models do not chat, and nobody embeds with the others: a stay is of the kind of the request that waited
    for it. A request of the other kind that loaded nothing was served by a model of its kind that was still there.
    """
    latest = assign_load(rows, loads)
    if latest.is_empty() or loads.is_empty():
        return latest
    kind = pl.when(pl.col("inference") & pl.col("route").is_not_null()).then(pl.col("route").str.contains(_EMBEDS))
    asked = latest.with_columns(embeds=kind)
    known = loads.select(
        "load_id",
        "stretch",
        byte_offset="first_pos",
        began_s=pl.coalesce(pl.col("ready_t_s") - value_of("load_s"), "t_s"),
        done_s=pl.coalesce("ready_t_s", "t_s"),
    )
    own = asked.join(known.select("load_id", "began_s", "done_s"), on="load_id", how="left", maintain_order="left")
    waited = (pl.col("began_s") >= pl.col("start_s") - _SLACK_S) & (pl.col("done_s") <= pl.col("end_s") + _SLACK_S)
    kinds = (
        own.filter(waited & pl.col("embeds").is_not_null())
        .group_by("load_id", maintain_order=True)
        .agg(load_embeds=pl.col("embeds").first())
    )
    of_kind = known.join(kinds, on="load_id").select("stretch", "byte_offset", fitting="load_id", embeds="load_embeds")
    judged = asked.join(kinds, on="load_id", how="left", maintain_order="left").sort("byte_offset")
    found = judged.join_asof(
        of_kind.sort("byte_offset"), on="byte_offset", by=["stretch", "embeds"], check_sortedness=False
    )
    wrong = (pl.col("embeds") != pl.col("load_embeds")).fill_null(False)
    served = pl.when(wrong & pl.col("fitting").is_not_null()).then("fitting").otherwise("load_id")
    return found.with_columns(load_id=served).select(latest.columns)
