"""What set the window of a stay, and what the model supports: from its definition and the server's settings.

Precedence of Ollama (ollama-logs.md §4.1): request option > Modelfile > OLLAMA_CONTEXT_LENGTH > default. A setting is
named as the source only if its value is the window found.
"""

from __future__ import annotations

import polars as pl

from .schema import PlacedFrames
from .sourced import known, sourced, value_of

_INT = pl.Int64()


def with_specs(loads: pl.DataFrame, placed: PlacedFrames) -> pl.DataFrame:
    """`loads` with `window_source`, the native window completed, and `spec_model` (its name there)."""
    native = _descriptions(loads, placed, "native_window_tokens", "native_spec")
    named = _descriptions(loads, placed, "num_ctx_tokens", "num_ctx_spec")
    sourced_loads = loads.join(native, on="load_id", how="left", maintain_order="left").join(
        named, on="load_id", how="left", maintain_order="left"
    )
    settings = _server_settings(placed)
    joined = sourced_loads.join(settings, on="stretch", how="left", maintain_order="left")
    described = sourced(
        pl.col("native_spec"),
        _INT,
        "measured",
        line=pl.col("native_spec_line"),
        src=pl.col("native_spec_src"),
        note="as the model's description says",
    )
    return joined.with_columns(
        native_window_tokens=known(_INT, "native_window_tokens", described),  # type: ignore[arg-type]
    ).with_columns(
        window_source=_window_source(_agent_windows(placed)),
        spec_model=pl.coalesce("native_spec_model", "num_ctx_spec_model"),
    )


def _descriptions(loads: pl.DataFrame, placed: PlacedFrames, column: str, prefix: str) -> pl.DataFrame:
    """Per stay the description that names `column`: of the model by name, or with the window found, or the only one."""
    specs = placed["model_spec"].filter(pl.col(column).is_not_null()).sort("source_id", "byte_offset")
    facts = specs.select(
        pl.col("model_name").alias("s_model"),
        pl.col("num_ctx_tokens").alias("s_num_ctx"),
        pl.col(column).alias(prefix),
        pl.col("source_id").alias(f"{prefix}_src"),
        pl.col("line_no").alias(f"{prefix}_line"),
    ).with_row_index("order")
    only = facts[prefix].n_unique() <= 1
    both = loads.select("load_id", "model", "source_format", window=value_of("window_tokens")).join(facts, how="cross")
    by_name = (
        pl.col("s_model").str.replace(r":latest$", "") == pl.col("model").str.replace(r":latest$", "")
    ).fill_null(False)
    by_window = (pl.col("s_num_ctx") == pl.col("window")).fill_null(False) & (pl.col("source_format") != "llama-server")
    fits = both.with_columns(rank=by_name.cast(pl.Int8) * 2 + by_window.cast(pl.Int8))
    fits = fits.filter((pl.col("rank") > 0) | pl.lit(only & (prefix == "native_spec")))
    best = fits.sort("rank", "order", descending=[True, False]).group_by("load_id", maintain_order=True).first()
    return best.select("load_id", prefix, f"{prefix}_src", f"{prefix}_line", pl.col("s_model").alias(f"{prefix}_model"))


def _server_settings(placed: PlacedFrames) -> pl.DataFrame:
    config = placed["server_config"].filter(pl.col("stretch").is_not_null()).sort("stretch", "byte_offset")
    number = pl.col("value").cast(_INT, strict=False)

    def setting(key: str, name: str) -> pl.Expr:
        return number.filter((pl.col("key") == key) & (number > 0)).last().alias(name)

    return config.group_by("stretch", maintain_order=True).agg(
        setting("OLLAMA_CONTEXT_LENGTH", "environment_ctx"), setting("default_num_ctx", "default_ctx")
    )


def _agent_windows(placed: PlacedFrames) -> list[int]:
    """Windows that agents are configured to ask for."""
    config = placed["agent_config"].filter((pl.col("setting") == "num_ctx_tokens") & pl.col("value_num").is_not_null())
    return sorted({int(value) for value in config["value_num"].to_list()})


def _window_source(asked_by_agents: list[int]) -> pl.Expr:
    window, native = value_of("window_tokens"), value_of("native_window_tokens")
    own = pl.col("source_format") == "llama-server"
    fixed = pl.col("cmd_total_ctx_tokens").is_not_null() | (native.is_not_null() & (window < native))
    return (
        pl.when(window.is_null())
        .then(None)
        .when(own & pl.col("shrunk").fill_null(False))
        .then(pl.lit("default"))
        .when(own & fixed)
        .then(pl.lit("command_line"))
        .when(own)
        .then(pl.lit("unknown"))
        .when(window.is_in(asked_by_agents))
        .then(pl.lit("request"))
        .when(window == pl.col("num_ctx_spec"))
        .then(pl.lit("modelfile"))
        .when(window == pl.col("environment_ctx"))
        .then(pl.lit("environment"))
        .when(pl.col("shrunk").fill_null(False))
        .then(pl.lit("default"))
        .when(window == pl.min_horizontal("default_ctx", native))
        .then(pl.lit("default"))
        .otherwise(pl.lit("unknown"))
    )
