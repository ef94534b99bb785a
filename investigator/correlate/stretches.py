"""Streams cut at server starts. A stretch is one stream between two starts: nothing of the server outlives it."""

from __future__ import annotations

import polars as pl

from .schema import PlacedFrames, filled

_CONFIG_KEYS = 5  # the `server config` line prints dozens of settings; a warning about one variable prints one
_CONFIG_LINES = 200  # "Listening on" follows its `server config` line within this many lines
_RESET_S = 1.0  # a relative clock that runs back by more than this belongs to a new process
_LOAD_TABLES = ("runner_start", "model_meta", "memory_part", "slot_init", "load_request")
_POSITION = ["source_id", "byte_offset", "line_no"]


def cut_into_stretches(placed: PlacedFrames) -> dict[str, pl.DataFrame]:
    """Every table with `stretch`: `<stream>#<n>`, 0 for what stands before the first start; NULL beside servers."""
    cuts = pl.concat([_ollama_starts(placed), _clock_resets(placed), _unstamped_restarts(placed)])
    numbered = (
        cuts.unique()
        .sort("source_id", "byte_offset")
        .with_columns(stretch_no=pl.int_range(1, pl.len() + 1).over("source_id"))
        .sort("byte_offset")
    )
    return {name: _with_stretch(frame, numbered) for name, frame in placed.items()}


def _with_stretch(frame: pl.DataFrame, cuts: pl.DataFrame) -> pl.DataFrame:
    if frame.is_empty():
        return pl.DataFrame(schema={**frame.schema, "stretch": pl.String()})
    joined = frame.sort("byte_offset").join_asof(cuts, on="byte_offset", by="source_id", check_sortedness=False)
    # A llama-server that never restarts has no cut: its one process is stretch 1, as is an Ollama's first start.
    alone = (pl.col("source_format") == "llama-server").cast(pl.Int64)
    number = pl.col("stretch_no").fill_null(0) + alone
    name = pl.when(pl.col("side") == "server").then(pl.format("{}#{}", "stream", number))
    return joined.with_columns(stretch=name).drop("stretch_no").sort("source_id", "byte_offset", "fact_id")


def _ollama_starts(placed: PlacedFrames) -> pl.DataFrame:
    """`server config` lines, and "Listening on" lines that do not follow one."""
    config = placed["server_config"].filter((pl.col("side") == "server") & pl.col("key").str.starts_with("OLLAMA_"))
    lines = config.group_by(_POSITION).agg(pl.len()).filter(pl.col("len") >= _CONFIG_KEYS).select(*_POSITION)
    starts = placed["server_start"].filter((pl.col("source_format") != "llama-server") & (pl.col("engine") == "ollama"))
    both = pl.concat(
        [lines.with_columns(config=pl.lit(True)), starts.select(*_POSITION).with_columns(config=pl.lit(False))]
    ).sort("source_id", "byte_offset")
    follows = pl.col("config").shift(1).over("source_id").fill_null(False)
    near = pl.col("line_no") - pl.col("line_no").shift(1).over("source_id") <= _CONFIG_LINES
    return both.filter(pl.col("config") | ~(follows & near)).select("source_id", "byte_offset")


def _clock_resets(placed: PlacedFrames) -> pl.DataFrame:
    relative = [
        f.filter(pl.col("stamp_kind") == "relative").select("source_id", "byte_offset", "rel_s")
        for f in filled(placed.values())
    ]
    clock = pl.concat(relative).unique().sort("source_id", "byte_offset")
    back = pl.col("rel_s").diff().over("source_id") < -_RESET_S
    return clock.filter(back).select("source_id", "byte_offset")


def _unstamped_restarts(placed: PlacedFrames) -> pl.DataFrame:
    """llama-server without stamps: it loads first and listens then, so the first load line after a start is a cut."""
    starts = (
        placed["server_start"]
        .filter((pl.col("source_format") == "llama-server") & (pl.col("stamp_kind") != "relative"))
        .select("source_id", "byte_offset", start="byte_offset")
        .sort("byte_offset")
    )
    loads = pl.concat([placed[name].select("source_id", "byte_offset") for name in _LOAD_TABLES]).sort("byte_offset")
    after = loads.join_asof(starts, on="byte_offset", by="source_id", check_sortedness=False)
    return (
        after.filter(pl.col("start").is_not_null())
        .group_by("source_id", "start")
        .agg(pl.col("byte_offset").min())
        .select("source_id", "byte_offset")
    )
