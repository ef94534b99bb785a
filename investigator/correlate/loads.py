"""Stays of a model in memory: where each begins and ends, its window, its layout and its sizes.

A stay begins with the command line of the process that holds the model; lines of a load without one (a stand-alone
llama-server, a log that was cut) make a stay of their own. `total context` and `slots` follow ollama-logs.md §4.2:
`--ctx-size`, `KvSize` and `-c` count all slots together, `n_ctx_slot`, `n_ctx_seq` and `limit` one request.
"""

from __future__ import annotations

import polars as pl

from .load_errors import with_error_class
from .load_sizes import cpu_only, load_sizes
from .schema import PlacedFrames
from .sourced import known, sourced, value_of

_INT = pl.Int64()
_STR = pl.String()
_AFTER_START = ("load_request", "memory_part", "slot_init", "layer_offload", "load_end")
# Printed before the command line in some eras: plans, and the vocabulary-only look at the model.
_AROUND_START = ("context_clamp", "load_option", "load_plan", "model_meta")
_OPERATIONS = {"fit": 1, "alloc": 2, "commit": 3}


def find_loads(placed: PlacedFrames) -> pl.DataFrame:
    """One row per stay, sorted by stretch and position, with sourced columns; `first_pos`, `t_s`, `ended_t_s` beside.

    Columns that only other sources know (window_source, model name) are added later.
    """
    starts = _starts(placed)
    parts = {name: _of_load(placed[name], starts, "backward") for name in _AFTER_START}
    parts |= {name: _of_load(placed[name], starts, "nearest") for name in _AROUND_START}
    loads = starts
    for details in (_requests(parts["load_request"]), _meta(parts["model_meta"]), _slots(parts["slot_init"]),
                    _ends(parts["load_end"]), _layers(parts["layer_offload"]), _clamps(parts["context_clamp"]),
                    load_sizes(parts["memory_part"], parts["load_plan"])):  # fmt: skip
        loads = loads.join(details, on="load_id", how="left", maintain_order="left")
    sized = loads.with_columns(*_windows()).with_columns(*_settings()).with_columns(cpu_only=cpu_only())
    return with_error_class(sized, placed).sort("stretch", "first_pos")


def _starts(placed: PlacedFrames) -> pl.DataFrame:
    """Where stays begin, with what the command line says."""
    lines = placed["runner_start"].filter((pl.col("side") == "server") & pl.col("has_model").fill_null(True))
    implicit = _implicit(placed, lines)
    both = pl.concat([lines.with_columns(command=pl.lit(True)), implicit], how="diagonal").sort(
        "stretch", "byte_offset"
    )
    number = pl.int_range(1, pl.len() + 1).over("stretch")
    context = ["total_ctx_tokens", "slots", "gpu_layers", "flash_attention", "context_shift", "keep_tokens"]
    return both.with_columns(
        load_id=pl.format("{}/load{}", "stretch", number),
        first_pos="byte_offset",
        kv_type=known(_STR, sourced(pl.col("kv_type_k"), _STR, "measured")),
    ).select(
        "load_id", "source_id", "stream", "stretch", "source_format", "first_pos", "line_no", "at", "t_s", "command",
        "model_path", "model_digest", "model_name", pl.col("engine").alias("runner_engine"), "kv_type",
        *(pl.col(name).alias(f"cmd_{name}") for name in context),
    )  # fmt: skip


def _implicit(placed: PlacedFrames, lines: pl.DataFrame) -> pl.DataFrame:
    """The first load line of each stretch that comes before any command line."""
    position = ["source_id", "stream", "stretch", "source_format", "byte_offset", "line_no", "at", "t_s"]
    # The look at a model before its process starts is no stay; without any command line it is all there is.
    commanded = lines["stretch"].unique().to_list()
    meta = placed["model_meta"].filter((pl.col("side") == "server") & ~pl.col("stretch").is_in(commanded))
    loads = pl.concat(
        [meta.select(position)]
        + [placed[name].filter(pl.col("side") == "server").select(position) for name in _AFTER_START]
    )
    first = loads.sort("stretch", "byte_offset").group_by("stretch", maintain_order=True).first()
    commands = lines.group_by("stretch").agg(pl.col("byte_offset").min().alias("command_pos"))
    early = first.join(commands, on="stretch", how="left").filter(
        pl.col("command_pos").is_null() | (pl.col("byte_offset") < pl.col("command_pos"))
    )
    return early.select(position).with_columns(command=pl.lit(False))


def _of_load(frame: pl.DataFrame, starts: pl.DataFrame, strategy: str) -> pl.DataFrame:
    """Rows of a server table with the stay they belong to."""
    anchors = starts.select("stretch", pl.col("first_pos").alias("byte_offset"), "load_id").sort("byte_offset")
    rows = frame.filter(pl.col("stretch").is_not_null()).sort("byte_offset")
    how = "nearest" if strategy == "nearest" else "backward"
    joined = rows.join_asof(anchors, on="byte_offset", by="stretch", strategy=how, check_sortedness=False)  # type: ignore[arg-type]
    return joined.filter(pl.col("load_id").is_not_null())


def assign_load(frame: pl.DataFrame, loads: pl.DataFrame) -> pl.DataFrame:
    """`frame` with the `load_id` of the latest stay that began at or before each row."""
    anchors = loads.select("stretch", pl.col("first_pos").alias("byte_offset"), "load_id").sort("byte_offset")
    return frame.sort("byte_offset").join_asof(anchors, on="byte_offset", by="stretch", check_sortedness=False)


def _requests(rows: pl.DataFrame) -> pl.DataFrame:
    """The layout that was committed, else the last one tried."""
    rank = pl.col("operation").replace_strict(_OPERATIONS, default=0, return_dtype=pl.Int32)
    ordered = rows.filter(rank > 0).with_columns(rank=rank).sort("load_id", "rank", "byte_offset")
    kv_type = pl.when(pl.col("kv_type").fill_null("") == "").then(pl.lit("f16")).otherwise("kv_type")
    columns = ["total_ctx_tokens", "slots", "flash_attention", "gpu_layers", "line_no"]
    return ordered.with_columns(kv_type=kv_type).group_by("load_id", maintain_order=True).last().select(
        "load_id", pl.col("kv_type").alias("lr_kv_type"), *(pl.col(name).alias(f"lr_{name}") for name in columns)
    )  # fmt: skip


def _meta(rows: pl.DataFrame) -> pl.DataFrame:
    def last(key: str, name: str) -> list[pl.Expr]:
        mine = pl.col("key") == key
        return [
            pl.col("value_num").filter(mine).last().alias(name),
            pl.col("line_no").filter(mine).last().alias(f"{name}_line"),
        ]

    return rows.sort("byte_offset").group_by("load_id").agg(
        *last("n_ctx_train", "native"), *last("n_ctx", "meta_total"), *last("n_ctx_seq", "meta_seq"),
        *last("n_ctx_per_seq", "meta_per_seq"), *last("n_seq_max", "meta_slots"),
        pl.col("value").filter(pl.col("key") == "general.name").last().alias("general_name"),
        pl.col("value").filter(pl.col("key") == "flash_attn").last().alias("meta_flash"),
    )  # fmt: skip


def _slots(rows: pl.DataFrame) -> pl.DataFrame:
    return (
        rows.sort("byte_offset")
        .group_by("load_id")
        .agg(
            pl.col("slots").drop_nulls().last().alias("si_slots"),
            pl.col("slot_ctx_tokens").drop_nulls().last().alias("si_ctx"),
            pl.col("line_no").last().alias("si_line"),
        )
    )


def _ends(rows: pl.DataFrame) -> pl.DataFrame:
    """How a load came out. A retry that succeeds overrules the failure before it."""
    return rows.sort("byte_offset").group_by("load_id", maintain_order=True).agg(
        pl.col("ok").drop_nulls().last(),
        pl.col("load_s").drop_nulls().last().alias("load_seconds"),
        pl.col("model_name").drop_nulls().last().alias("end_model_name"),
        pl.col("error").filter(~pl.col("ok")).last(), pl.col("error_class").filter(~pl.col("ok")).last(),
        pl.col("at").last().alias("ready_at"), pl.col("t_s").last().alias("ready_t_s"),
        pl.col("line_no").last().alias("end_line"),
    )  # fmt: skip


def _layers(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort("byte_offset").group_by("load_id").agg(
        pl.col("layers_gpu").last().alias("lo_gpu"), pl.col("layers_total").last().alias("lo_total"),
        pl.col("line_no").last().alias("lo_line"),
    )  # fmt: skip


def _clamps(rows: pl.DataFrame) -> pl.DataFrame:
    """What a clamp says of the native window, and whether one lowered what was asked."""
    return (
        rows.sort("byte_offset")
        .group_by("load_id")
        .agg(
            pl.col("native_tokens").drop_nulls().last().alias("clamp_native"),
            pl.col("line_no").last().alias("clamp_line"),
            # Where the line counts all slots together it says how many.
            (pl.col("requested_tokens") // pl.col("slots").fill_null(1))
            .drop_nulls()
            .last()
            .alias("requested_window_tokens"),
            pl.col("reason").is_in(["load_failed", "memory"]).any().alias("shrunk"),
        )
    )


def _windows() -> list[pl.Expr]:
    """Window of one request, slots, total and native window, best source first."""
    divided = "total over all slots ÷ slots"
    lr_slots, cmd_slots = pl.col("lr_slots").fill_null(1), pl.col("cmd_slots").fill_null(1)
    window = known(
        _INT,
        sourced(pl.col("si_ctx"), _INT, "measured", line=pl.col("si_line")),
        sourced(pl.col("lr_total_ctx_tokens") // lr_slots, _INT, "measured", line=pl.col("lr_line_no"), note=divided),
        sourced(pl.col("cmd_total_ctx_tokens") // cmd_slots, _INT, "measured", note=divided),
        sourced(pl.col("meta_seq"), _INT, "measured", line=pl.col("meta_seq_line")),
        sourced(pl.col("meta_per_seq"), _INT, "measured", line=pl.col("meta_per_seq_line")),
        sourced(pl.col("meta_total") // pl.col("meta_slots").fill_null(1), _INT, "derived",
                line=pl.col("meta_total_line"), note=divided),
    )  # fmt: skip
    slots = known(
        pl.Int32(),
        sourced(pl.col("si_slots"), pl.Int32(), "measured", line=pl.col("si_line")),
        sourced(pl.col("lr_slots"), pl.Int32(), "measured", line=pl.col("lr_line_no")),
        sourced(pl.col("cmd_slots"), pl.Int32(), "measured"),
        sourced(pl.col("meta_slots"), pl.Int32(), "measured", line=pl.col("meta_slots_line")),
    )
    native = known(
        _INT,
        sourced(pl.col("native"), _INT, "measured", line=pl.col("native_line")),
        sourced(pl.col("clamp_native"), _INT, "measured", line=pl.col("clamp_line")),
    )
    total = pl.coalesce("lr_total_ctx_tokens", "cmd_total_ctx_tokens", pl.col("meta_total").cast(_INT))
    return [
        window.alias("window_tokens"), slots.alias("slots"), native.alias("native_window_tokens"),
        total.alias("total_ctx_tokens"),
    ]  # fmt: skip


def _settings() -> list[pl.Expr]:
    """Cache type, flash attention, layers, names. A load whose lines name no cache type uses the default, f16."""
    kv = known(
        _STR,
        sourced(pl.col("part_type"), _STR, "measured", line=pl.col("part_line")),
        sourced(pl.col("lr_kv_type"), _STR, "measured", line=pl.col("lr_line_no")),
        pl.col("kv_type"),
        sourced(pl.when(value_of("window_tokens").is_not_null()).then(pl.lit("f16")), _STR, "derived",
                note="default of the engine; the load names no other"),
    )  # fmt: skip
    gpu = known(
        pl.Int32(),
        sourced(pl.col("lo_gpu"), pl.Int32(), "measured", line=pl.col("lo_line")),
        sourced(pl.col("lr_gpu_layers"), pl.Int32(), "measured", line=pl.col("lr_line_no")),
        sourced(pl.col("plan_gpu"), pl.Int32(), "estimated", line=pl.col("plan_line")),
    )
    total = known(
        pl.Int32(),
        sourced(pl.col("lo_total"), pl.Int32(), "measured", line=pl.col("lo_line")),
        sourced(pl.col("plan_total"), pl.Int32(), "measured", line=pl.col("plan_line")),
    )
    base = pl.col("model_path").str.split("/").list.last().str.split("\\").list.last()
    name = pl.coalesce("model_name", "end_model_name", "general_name")
    file_name = pl.when(~base.str.starts_with("sha256")).then(base)
    load_s = known(pl.Float64(), sourced(pl.col("load_seconds"), pl.Float64(), "measured", line=pl.col("end_line")))
    return [
        kv.alias("kv_type"), gpu.alias("layers_gpu"), total.alias("layers_total"), load_s.alias("load_s"),
        pl.coalesce("lr_flash_attention", "cmd_flash_attention", _flash(pl.col("meta_flash"))).alias("flash_attention"),
        pl.coalesce("model_digest", base, name).alias("model_key"),
        pl.coalesce(pl.col("model_name"), "end_model_name", file_name, "general_name").alias("model"),
    ]  # fmt: skip


def _flash(value: pl.Expr) -> pl.Expr:
    words = {"1": "on", "0": "off", "enabled": "on", "disabled": "off", "auto": "auto", "true": "on", "false": "off"}
    return value.str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.String)
