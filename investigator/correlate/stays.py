"""How each stay in memory ended, and the public `model_loads` table."""

from __future__ import annotations

import polars as pl

from .load_sizes import kv_bytes_per_token
from .schema import PlacedFrames, reference
from .sourced import bare


def with_ends(loads: pl.DataFrame, placed: PlacedFrames) -> pl.DataFrame:
    """`loads` with `ended_at` and `end_reason`.

    reload: the same model was loaded again. eviction: the log says so before another model came. crash: its process was
    lost. restart: the server began anew. end_of_log: nothing ends it. At the default level an unload is invisible.
    """
    ordered = loads.sort("stretch", "first_pos").with_columns(kv_bytes_per_token=kv_bytes_per_token())
    again = ["stretch", pl.col("model_key").fill_null("")]
    nexts = ordered.with_columns(
        next_at=pl.col("at").shift(-1).over(again),
        next_pos=pl.col("first_pos").shift(-1).over(again),
        follower=pl.col("first_pos").shift(-1).over("stretch"),
        stretch_no=pl.col("stretch").str.extract(r"#(\d+)$").cast(pl.Int32),
    )
    exits = _nearest(placed["runner_exit"], nexts, "exit")
    unloads = _nearest(
        placed["unload"].filter(pl.col("reason").is_in(["eviction", "oom", "close", "keep_alive"])), nexts, "unload"
    )
    both = nexts.join(exits, on="load_id", how="left").join(unloads, on="load_id", how="left")
    last_stretch = pl.col("stretch_no") == pl.col("stretch_no").max().over("stream")
    reason = (
        pl.when(pl.col("exit_at").is_not_null() | pl.col("exit_seen").fill_null(False))
        .then(pl.lit("crash"))
        .when(pl.col("next_pos").is_not_null())
        .then(pl.lit("reload"))
        .when(pl.col("unload_seen").fill_null(False))
        .then(pl.lit("eviction"))
        .when(pl.col("follower").is_not_null())
        .then(pl.lit("unknown"))
        .when(last_stretch)
        .then(pl.lit("end_of_log"))
        .otherwise(pl.lit("restart"))
    )
    return both.with_columns(end_reason=reason, ended_at=pl.coalesce("exit_at", "next_at", "unload_at")).sort(
        "stretch", "first_pos"
    )


def _nearest(frame: pl.DataFrame, loads: pl.DataFrame, prefix: str) -> pl.DataFrame:
    """The first such event after each stay began, before the next began."""
    anchors = loads.select("stretch", pl.col("first_pos").alias("byte_offset"), "load_id").sort("byte_offset")
    rows = frame.filter(pl.col("stretch").is_not_null()).sort("byte_offset")
    joined = rows.join_asof(anchors, on="byte_offset", by="stretch", check_sortedness=False)
    return (
        joined.filter(pl.col("load_id").is_not_null())
        .group_by("load_id", maintain_order=True)
        .agg(pl.col("at").first().alias(f"{prefix}_at"), pl.lit(True).first().alias(f"{prefix}_seen"))
    )


def loads_table(loads: pl.DataFrame, requests: pl.DataFrame) -> pl.DataFrame:
    """The public table (not yet conformed)."""
    served = requests.filter("inference").group_by("load_id").agg(pl.len().cast(pl.Int32).alias("requests"))
    lines = pl.concat_list(
        "line_no",
        "lr_line_no",
        "si_line",
        "part_line",
        "end_line",
        "lo_line",
        "clamp_line",
        *(pl.col(name).struct.field("line") for name in ("weights_bytes", "kv_bytes", "compute_bytes")),
    )
    numbered = loads.with_columns(lines=lines.list.drop_nulls().list.unique().list.sort())
    refs = (
        numbered.select("load_id", "stream", line_no="lines")
        .explode("line_no")
        .group_by("load_id")
        .agg(evidence=reference())
    )
    engine = pl.when(pl.col("source_format") == "llama-server").then(pl.lit("llama-server")).otherwise(pl.lit("ollama"))
    return (
        bare(loads)
        .join(served, on="load_id", how="left")
        .join(refs, on="load_id", how="left")
        .with_columns(
            engine=engine,
            started_at=pl.col("at"),
            model=pl.coalesce("model", "spec_model"),
            requests=pl.col("requests").fill_null(0),
            ok=pl.coalesce("ok", pl.when(pl.col("requests") > 0).then(True)),
        )
        .sort("stretch", "first_pos")
    )
