"""The numbers of the corpus (its README defines them), computed from fact frames only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import polars as pl

from investigator.formats.facts import fact_tables

INFERENCE_PATHS = (
    "/api/generate",
    "/api/chat",
    "/api/embed",
    "/api/embeddings",
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/messages",
    "/v1/responses",
)


class Tables:
    """The fact frames of one log; an absent table is empty."""

    def __init__(self, facts: Mapping[str, pl.DataFrame]) -> None:
        self._facts = facts

    def __getitem__(self, table: str) -> pl.DataFrame:
        return self._facts.get(table, fact_tables()[table].empty())

    def count(self, table: str, column: str, value: str) -> int:
        return self[table].filter(pl.col(column) == value).height


def observed(facts: Mapping[str, pl.DataFrame], lines: int) -> dict[str, Any]:
    """Key of `expected_facts` → value found in these fact tables."""
    tables = Tables(facts)
    parts = (_access(tables), _truncations(tables), _loads(tables), _counts(tables), _timings(tables))
    return {"lines": lines, **{key: value for part in parts for key, value in part.items()}}


def _access(tables: Tables) -> dict[str, Any]:
    lines = tables["http_request"]
    asked = lines.filter((pl.col("method") == "POST") & pl.col("path").is_in(INFERENCE_PATHS))
    return {
        "gin_requests": lines.height,
        "statuses": {str(status): count for status, count in lines["status"].value_counts().rows()},
        "max_latency_s": lines["latency_s"].max(),
        "first_request": lines["stamp"].min(),
        "last_request": lines["stamp"].max(),
        "inference_requests": asked.height,
        "inference_5xx": asked.filter(pl.col("status") >= 500).height,
        "inference_4xx": asked.filter(pl.col("status").is_between(400, 499)).height,
    }


def _truncations(tables: Tables) -> dict[str, Any]:
    cut = tables["prompt_truncation"].filter(pl.col("level") == "token")
    return {
        "truncations": cut.height,
        "truncation_limit": cut["limit_tokens"].unique().sort().to_list(),
        "prompt_tokens_min": cut["prompt_tokens"].min(),
        "prompt_tokens_max": cut["prompt_tokens"].max(),
    }


def _ratios(frame: pl.DataFrame) -> list[str]:
    rows = frame.select("layers_gpu", "layers_total").drop_nulls().rows()
    return list(dict.fromkeys(f"{some}/{whole}" for some, whole in rows))


def _loads(tables: Tables) -> dict[str, Any]:
    ends = tables["load_end"].filter(pl.col("ok") & pl.col("load_s").is_not_null())
    clamps = tables["context_clamp"].filter(
        (pl.col("reason") == "above_native") & pl.col("requested_tokens").is_not_null()
    )
    return {
        "version": tables["server_start"]["version"].drop_nulls().unique(maintain_order=True).to_list(),
        "runner_started_lines": ends.height,
        "runner_start_max_s": ends["load_s"].max(),
        "loads": tables["runner_start"].filter(pl.col("has_model")).height,
        "ctx_clamps": clamps.height,
        "ctx_clamp_pairs": sorted(set(clamps.select("requested_tokens", "native_tokens").rows())),
        "offloads": _ratios(tables["layer_offload"]),
        "offload_plan": _ratios(tables["load_plan"]),
        "n_ctx_slot": _windows(tables),
    }


def _windows(tables: Tables) -> list[int]:
    printed = tables["context_clamp"].filter(pl.col("requested_tokens").is_null())["granted_tokens"]
    meta = tables["model_meta"].filter(pl.col("key").is_in(["n_ctx_seq", "n_ctx_per_seq"]))["value_num"].cast(pl.Int64)
    parts = [tables["slot_init"]["slot_ctx_tokens"], tables["task_event"]["slot_ctx_tokens"], printed, meta]
    return pl.concat([part.alias("window") for part in parts]).drop_nulls().unique().sort().to_list()


def _counts(tables: Tables) -> dict[str, Any]:
    levels = tables["line_severity"].filter(pl.col("form") == "slog")["level"]
    moved = tables["unload"].filter(pl.col("message").str.starts_with("model requires more"))
    return {
        "level_warn": int((levels == "WARN").sum()),
        "level_error": int((levels == "ERROR").sum()),
        "client_aborts": tables.count("request_cancel", "stage", "slot_wait"),
        "load_aborts": tables.count("request_cancel", "stage", "load"),
        "post_predict_canceled": tables.count("request_cancel", "stage", "predict"),
        "cancelled_tasks": tables.count("request_cancel", "stage", "task"),
        "evictions_for_space": moved.height,
        "vram_recovery_warnings": tables.count("queue_event", "event", "vram_not_recovered"),
        "invalid_options": tables.count("load_option", "option", "invalid_option"),
        "full_reprocessing": tables.count("cache_event", "event", "full_reprocessing"),
        "erased_checkpoints": tables.count("cache_event", "event", "checkpoint_erased"),
        "context_shifts": tables["context_shift"].height,
    }


def _timings(tables: Tables) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, phase in (("prompt_eval", "prefill"), ("eval", "decode")):
        lines = tables["prompt_timing"].filter((pl.col("phase") == phase) & pl.col("tps").is_not_null())
        found[f"{name}s"] = lines.height
        found[f"{name}_tokens_max"] = lines["tokens"].max()
        found[f"{name}_rate_min"] = lines["tps"].min()
        found[f"{name}_rate_max"] = lines["tps"].max()
    return found


def agrees(key: str, expected: Any, found: Any) -> bool:
    """Whether a value of the corpus and one of ours are the same: lists as sets in order, times as text, floats rounded."""
    if key == "ctx_clamp_pairs":
        return sorted(tuple(map(int, re.findall(r"\d+", str(pair)))) for pair in expected) == found
    if key in ("first_request", "last_request"):
        return str(expected).replace("/", "-").replace(" - ", " ")[:19] == str(found)[:19]
    if key == "statuses":
        return {str(status): count for status, count in expected.items()} == found
    if isinstance(found, list):
        wanted = expected if isinstance(expected, list) else [expected]
        as_text = list(dict.fromkeys(map(str, wanted))), list(map(str, found))
        return (
            sorted(as_text[0]) == sorted(as_text[1])
            if key in ("n_ctx_slot", "truncation_limit")
            else as_text[0] == as_text[1]
        )
    if isinstance(expected, float):
        return found is not None and abs(expected - float(found)) < 0.0051
    return bool(expected == found)
