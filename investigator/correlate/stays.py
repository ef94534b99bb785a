"""How each stay in memory ended, and the public `model_loads` table."""

from __future__ import annotations

import re

import polars as pl

from .load_sizes import kv_bytes_per_token
from .outcomes import SUCCESSES
from .schema import PlacedFrames, reference
from .sourced import bare

KEEP_ALIVE_S = 300.0  # Ollama's default
_SLACK_S = 2.0  # stamps in whole seconds


def with_ends(loads: pl.DataFrame, requests: pl.DataFrame, placed: PlacedFrames) -> pl.DataFrame:
    """`loads` with `ended_at`, `end_reason`, `idle_before_s`, `keep_alive_s` and how many requests each stay served.

    failed: it never was ready. crash: its process was lost. eviction: the log says that it had to go. keep_alive: the
    same model was loaded again after a pause that outlasts the keep-alive. reload: it was loaded again at once (other
    options). swap: another model took its place, and it came back before its keep-alive was over, or only one model may
    be loaded. restart: the server began anew. end_of_log: nothing ends it. At the default level an unload is invisible,
    so an end that none of this explains is unknown.
    """
    ordered = loads.sort("stretch", "first_pos").with_columns(kv_bytes_per_token=kv_bytes_per_token())
    ordered = ordered.join(_served(requests), on="load_id", how="left", maintain_order="left")
    ordered = ordered.join(_limits(placed), on="stretch", how="left", maintain_order="left")
    exits = _nearest(placed["runner_exit"], ordered, "exit")
    gone = placed["unload"].filter(pl.col("reason").is_in(["eviction", "oom", "close", "keep_alive"]))
    joined = ordered.join(exits, on="load_id", how="left", maintain_order="left").join(
        _nearest(gone, ordered, "unload"), on="load_id", how="left", maintain_order="left"
    )
    linked = joined.with_columns(*_neighbours())
    return linked.with_columns(end_reason=_end_reason(), ended_at=pl.coalesce("exit_at", "next_at", "unload_at")).sort(
        "stretch", "first_pos"
    )


def _served(requests: pl.DataFrame) -> pl.DataFrame:
    return (
        requests.filter("inference")
        .group_by("load_id")
        .agg(
            pl.len().cast(pl.Int32).alias("requests"),
            pl.col("outcome").is_in(SUCCESSES).any().alias("answered"),
            pl.col("end_s").max().alias("last_use_s"),
        )
        .filter(pl.col("load_id").is_not_null())
    )


def _limits(placed: PlacedFrames) -> pl.DataFrame:
    """Keep-alive and the number of models per stretch, as the server's configuration prints them."""
    config = placed["server_config"].filter(pl.col("stretch").is_not_null()).sort("stretch", "byte_offset")

    def setting(key: str) -> pl.Expr:
        return pl.col("value").filter(pl.col("key") == key).last()

    return config.group_by("stretch", maintain_order=True).agg(
        setting("OLLAMA_KEEP_ALIVE").map_elements(duration_s, return_dtype=pl.Float64).alias("keep_alive_s"),
        setting("OLLAMA_MAX_LOADED_MODELS").cast(pl.Int32, strict=False).alias("max_models"),
    )


def duration_s(text: str) -> float | None:
    """Seconds of a Go duration ("5m0s", "8h0m0s"); None if it is none."""
    if not re.fullmatch(r"-?(?:\d+(?:\.\d+)?(?:h|ms|m|us|µs|s))+", text):
        return None
    sizes = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6}
    seconds = sum(float(n) * sizes[unit] for n, unit in re.findall(r"(\d+(?:\.\d+)?)(h|ms|m|us|µs|s)", text))
    return -seconds if text.startswith("-") else seconds


def _neighbours() -> list[pl.Expr]:
    """The stay of the same model before and after each, and whether another model came in between."""
    same = ["stretch", pl.col("model_key").fill_null("")]
    last_use = pl.coalesce("last_use_s", "ready_t_s", "t_s")
    follower = pl.col("model_key").shift(-1).over("stretch")
    return [
        pl.col("at").shift(-1).over(same).alias("next_at"),
        (pl.col("t_s").shift(-1).over(same) - last_use).alias("pause_s"),
        (pl.col("t_s") - last_use.shift(1).over(same)).clip(lower_bound=0.0).alias("idle_before_s"),
        pl.col("first_pos").shift(-1).over(same).is_not_null().alias("again"),
        pl.col("first_pos").shift(-1).over("stretch").is_not_null().alias("followed"),
        (follower.is_not_null() & (follower != pl.col("model_key"))).alias("other_next"),
        pl.col("stretch").str.extract(r"#(\d+)$").cast(pl.Int32).alias("stretch_no"),
    ]


def _end_reason() -> pl.Expr:
    last_stretch = pl.col("stretch_no") == pl.col("stretch_no").max().over("stream")
    outlasted = pl.col("again") & (pl.col("pause_s") >= pl.col("keep_alive_s").fill_null(KEEP_ALIVE_S) - _SLACK_S)
    only_one = (pl.col("max_models") == 1).fill_null(False)
    cases = [
        (~pl.col("ok").fill_null(True), "failed"),
        (pl.col("exit_seen").fill_null(False), "crash"),
        (pl.col("unload_seen").fill_null(False) & (pl.col("again") | pl.col("followed")), "eviction"),
        (outlasted.fill_null(False), "keep_alive"),
        (pl.col("again") & ~pl.col("other_next"), "reload"),
        (pl.col("other_next") & (pl.col("again") | only_one), "swap"),
        (pl.col("unload_seen").fill_null(False), "eviction"),
        (pl.col("followed"), "unknown"),
        (last_stretch, "end_of_log"),
    ]
    reason = pl.lit("restart")
    for condition, word in reversed(cases):
        reason = pl.when(condition).then(pl.lit(word)).otherwise(reason)
    return reason


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


def loads_table(loads: pl.DataFrame) -> pl.DataFrame:
    """The public table (not yet conformed)."""
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
        .join(refs, on="load_id", how="left")
        .with_columns(
            engine=engine,
            started_at=pl.col("at"),
            model=pl.coalesce("model", "spec_model"),
            requests=pl.col("requests").fill_null(0),
            ok=pl.coalesce("ok", pl.when("answered").then(True)),
        )
        .sort("stretch", "first_pos")
    )
