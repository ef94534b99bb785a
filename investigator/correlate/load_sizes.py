"""Bytes of a stay in memory, by part, from the engine's lines; the scheduler's plan only where those are missing."""

from __future__ import annotations

import polars as pl

from investigator.capacity.kv import KV_TYPE_BYTES

from .sourced import known, sourced, value_of

_INT = pl.Int64()
_HOST = r"(?i)^cpu|host$"
_PARTS = {"weights": "weights_bytes", "kv_cache": "kv_bytes", "compute_graph": "compute_bytes", "total": "total_bytes"}


def load_sizes(parts: pl.DataFrame, plans: pl.DataFrame) -> pl.DataFrame:
    """Per `load_id`: sourced `weights_bytes`, `kv_bytes`, `compute_bytes`; plain total, host's part, devices, plan."""
    sums = _sums(_final_parts(parts))
    plan = _plan(plans)
    both = sums.join(plan, on="load_id", how="full", coalesce=True)
    return both.with_columns(
        _part("weights_bytes"),
        _part("kv_bytes"),
        _part("compute_bytes", plan="plan_graph"),
        total_bytes=pl.coalesce("total_bytes", _sum_of_parts()),
    ).select(
        "load_id",
        "weights_bytes",
        "kv_bytes",
        "compute_bytes",
        "total_bytes",
        "cpu_bytes",
        "part_type",
        "part_line",
        "plan_gpu",
        "plan_total",
        "plan_line",
        "plan_library",
        "layers_requested",
        "weight_devices",
        "compute_devices",
    )


def kv_bytes_per_token() -> pl.Expr:
    """Bytes at f16 for one token of one sequence: cache ÷ (window × slots) ÷ size of the cache type relative to f16."""
    factor = (
        value_of("kv_type")
        .str.to_lowercase()
        .replace_strict(
            {name: size / KV_TYPE_BYTES["f16"] for name, size in KV_TYPE_BYTES.items() if size > 0},
            default=None,
            return_dtype=pl.Float64,
        )
    )
    cells = pl.coalesce(value_of("window_tokens") * value_of("slots").fill_null(1), "total_ctx_tokens")
    line = pl.col("kv_bytes").struct.field("line")
    value = pl.when(cells > 0).then(value_of("kv_bytes") / cells / factor)
    return known(
        pl.Float64(),
        sourced(
            value, pl.Float64(), "derived", line=line, note="KV cache ÷ (window × slots) ÷ factor of the cache type"
        ),
    )


def _final_parts(parts: pl.DataFrame) -> pl.DataFrame:
    """The lines of the layout that stayed: a layout that was tried before it ends with its own `total` line.

    Of a line for `all` devices and lines per device, the lines per device count; a part may have several buffers.
    """
    one_device = pl.col("device").fill_null("all") != "all"
    total = (pl.col("part") == "total") & ~one_device
    closed = parts.sort("byte_offset").with_columns(
        block=total.cast(pl.Int32).shift(1, fill_value=0).cum_sum().over("load_id")
    )
    blocks = closed.group_by("load_id").agg(pl.col("block").filter(total).max().alias("last_block"))
    kept = closed.join(blocks, on="load_id").filter(
        pl.col("last_block").is_null() | (pl.col("block") == pl.col("last_block"))
    )
    per_device = one_device.any().over("load_id", "part")
    return kept.filter(one_device | ~per_device)


def _sums(parts: pl.DataFrame) -> pl.DataFrame:
    def total(part: str, name: str) -> list[pl.Expr]:
        mine = pl.col("part") == part
        some = mine.any()
        return [
            pl.when(some).then(pl.col("size_bytes").filter(mine).sum()).alias(name),
            pl.col("line_no").filter(mine).first().alias(f"{name}_line"),
            pl.col("source_id").filter(mine).first().alias(f"{name}_src"),
        ]

    host = pl.col("device").str.contains(_HOST) & (pl.col("part") != "total")
    typed = pl.col("type_k").is_not_null()
    return parts.group_by("load_id").agg(
        *(expr for part, name in _PARTS.items() for expr in total(part, name)),
        pl.when(pl.col("device").is_not_null().any()).then(pl.col("size_bytes").filter(host).sum()).alias("cpu_bytes"),
        pl.col("device").filter(pl.col("part") == "weights").unique(maintain_order=True).alias("weight_devices"),
        pl.col("device").filter(pl.col("part") == "compute_graph").unique(maintain_order=True).alias("compute_devices"),
        pl.col("type_k").filter(typed).last().alias("part_type"),
        pl.col("line_no").filter(typed).last().alias("part_line"),
    )


def _plan(plans: pl.DataFrame) -> pl.DataFrame:
    def last(column: str) -> pl.Expr:
        return pl.col(column).drop_nulls().last()

    return (
        plans.sort("byte_offset")
        .group_by("load_id")
        .agg(
            last("layers_gpu").alias("plan_gpu"),
            last("layers_total").alias("plan_total"),
            last("layers_requested").alias("layers_requested"),
            last("library").str.to_lowercase().alias("plan_library"),
            last("weights_bytes").alias("plan_weights"),
            last("kv_bytes").alias("plan_kv"),
            last("graph_bytes").alias("plan_graph"),
            pl.col("line_no").last().alias("plan_line"),
            pl.col("source_id").last().alias("plan_src"),
        )
    )


def _part(name: str, plan: str | None = None) -> pl.Expr:
    plan = plan or f"plan_{name.removesuffix('_bytes')}"
    return known(
        _INT,
        sourced(
            pl.col(name),
            _INT,
            "measured",
            line=pl.col(f"{name}_line"),
            src=pl.col(f"{name}_src"),
            note="sum over devices",
        ),
        sourced(
            pl.col(plan),
            _INT,
            "estimated",
            line=pl.col("plan_line"),
            src=pl.col("plan_src"),
            note="the scheduler's plan before the load",
        ),
    ).alias(name)


def _sum_of_parts() -> pl.Expr:
    parts = [pl.col(name) for name in ("weights_bytes", "kv_bytes", "compute_bytes")]
    return pl.when(pl.all_horizontal(part.is_not_null() for part in parts)).then(pl.sum_horizontal(parts))


def cpu_only() -> pl.Expr:
    """Whether the model computes on the CPU alone; NULL where no line tells.

    The layers that were offloaded say so, else where the weights lie, else the plan; a log that was cut down may hold
    the working memory alone, and a build with a GPU takes some of that on the GPU even where no layer is there.
    """
    layers = value_of("layers_gpu")
    devices = pl.col("weight_devices")
    on_host = _on_host("weight_devices")
    return (
        pl.when(layers.is_not_null())
        .then(layers == 0)
        .when(devices.list.len() > 0)
        .then(on_host)
        .when(pl.col("plan_library").is_not_null())
        .then(pl.col("plan_library") == "cpu")
        .when((pl.col("compute_devices").list.len() > 0) & _on_host("compute_devices"))
        .then(pl.lit(True))
    )


def _on_host(devices: str) -> pl.Expr:
    return pl.col(devices).list.eval(pl.element().str.contains(_HOST)).list.all()
