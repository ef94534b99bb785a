"""KV cache arithmetic: against sizes that engines printed, and its monotone behaviour."""

from __future__ import annotations

import csv
import re
import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.capacity import (
    GIB,
    KV_TYPE_BYTES,
    MIB,
    AttentionLayers,
    CacheSettings,
    KvGeometry,
    RecurrentLayers,
    cell_count,
    kv_bytes,
    kv_bytes_at,
    kv_bytes_per_token,
    kv_type_factor,
    mla_layers,
)
from investigator.capacity import geometry_of as catalogue_geometry
from investigator.catalog import find_model

Row = dict[str, str]

#: `pad256(128+2048)`, `4*1024+512`, `512 window + 512 ubatch`, `512*(unified?seqs:1)+512`, `parallel*1024+512 batch`
WINDOW_AND_UBATCH = re.compile(r"(?<![\d+])(\d+)(?: window|\*\(unified\?seqs:1\))? ?\+ ?(\d+)")


def window_and_ubatch(row: Row) -> tuple[int | None, int]:
    """What the row says of its window layers; the usual micro-batch, and no window, where it says nothing."""
    told = WINDOW_AND_UBATCH.search(row["note"]) or WINDOW_AND_UBATCH.search(row["rule"])
    if told is not None:
        return int(told[1]), int(told[2])
    model = find_model(row["model"])
    known = model.window_attention if model else None
    return (known.window_tokens if known else None), 512


def settings_of(row: Row) -> CacheSettings:
    """What was asked for: context, slots, micro-batch and types; cells follow from them."""
    slots, streams = (int(row[name] or 1) for name in ("n_seq", "streams"))
    return CacheSettings(
        n_ctx_tokens=int(row["n_ctx"]),
        slots=slots,
        unified=streams < slots or "+" in row["cells"],
        ubatch_tokens=window_and_ubatch(row)[1],
        type_k=row["type_k"],
        type_v=row["type_v"],
        padding_tokens=1 if "estimate" in row["engine"] else 256,
    )


def geometry_of(row: Row) -> KvGeometry:
    if "d_conv" in row["rule"]:
        model = find_model(row["model"])
        assert model is not None and model.recurrent is not None, row["model"]
        return KvGeometry((), recurrent=catalogue_geometry(model).recurrent)
    heads, key, value = (int(row[name]) for name in ("kv_heads", "head_dim_k", "head_dim_v"))
    window = window_and_ubatch(row)[0]
    windows = [None, window] if "+" in row["kv_layers"] else [window if "SWA half" in row["note"] else None]
    groups = zip(row["kv_layers"].split("+"), windows, strict=True)
    return KvGeometry(tuple(AttentionLayers(int(n), heads, key, value, window) for n, window in groups))


def test_sizes_that_engines_printed(shared: Path) -> None:
    with (shared / "knowledge/validation/kv-cache.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    errors = {}
    for row in rows:
        printed = float(row["printed_mib"]) * MIB
        errors[row["id"]] = abs(kv_bytes(geometry_of(row), settings_of(row)).total_bytes / printed - 1)
    assert len(errors) >= 70
    assert {name: error for name, error in errors.items() if error > 0.02} == {}
    assert statistics.quantiles(errors.values(), n=20)[-1] <= 0.005
    assert statistics.median(errors.values()) < 1e-4


def test_the_catalogues_geometry_gives_the_same_sizes(shared: Path) -> None:
    """Not the layers and heads of the row, but those of models.yaml; a line tells one kind of layer, or all."""
    with (shared / "knowledge/validation/kv-cache.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if "estimate" not in row["engine"]]
    errors = {}
    for row in rows:
        model = find_model(row["model"])
        as_stored = model and not (model.latent_attention and row["type_v"] != "none")  # all heads, or a second copy
        if model is None or not as_stored or "full context" in row["note"]:
            continue
        size = kv_bytes(catalogue_geometry(model), settings_of(row))
        told = (size.growing_bytes, size.window_bytes, size.recurrent_bytes, size.total_bytes)
        errors[row["id"], model.id] = min(abs(each / (float(row["printed_mib"]) * MIB) - 1) for each in told)
    assert len(errors) >= 40 and len({model for _, model in errors}) >= 15
    assert {key: error for key, error in errors.items() if error > 0.005} == {}


GEMMA4_12B = KvGeometry((AttentionLayers(8, 1, 512, 512), AttentionLayers(40, 8, 256, 256, window_tokens=1024)))


@pytest.mark.parametrize(
    ("settings", "global_mib", "window_mib"),
    [
        pytest.param(
            CacheSettings(8192, slots=4, unified=True, type_k="q8_0", type_v="q8_0"), 68, 765, id="four-slots"
        ),
        pytest.param(CacheSettings(8192, slots=1, unified=True, type_k="q8_0", type_v="q8_0"), 68, 255, id="one-slot"),
        pytest.param(CacheSettings(4096, slots=4, unified=True, type_k="q8_0", type_v="q8_0"), 34, 680, id="half"),
        pytest.param(
            CacheSettings(8192, type_k="q8_0", type_v="q8_0", window_type_k="f16", window_type_v="f16"),
            68,
            480,
            id="f16",
        ),
        pytest.param(CacheSettings(8192, full_window=True), 128, 2560, id="no-windowed-cache"),
    ],
)
def test_sliding_window(settings: CacheSettings, global_mib: float, window_mib: float) -> None:
    size = kv_bytes(GEMMA4_12B, settings)
    assert (size.growing_bytes / MIB, size.window_bytes / MIB) == (global_mib, window_mib)


def test_an_engine_without_windows_pays_full_context() -> None:
    gemma3_27b = KvGeometry((AttentionLayers(10, 16, 128, 128), AttentionLayers(52, 16, 128, 128, 1024)))
    assert kv_bytes(gemma3_27b, CacheSettings(131_072, full_window=True)).total_bytes == 62 * GIB
    assert kv_bytes(gemma3_27b, CacheSettings(131_072)).total_bytes == pytest.approx(10.4 * GIB, rel=0.03)


@pytest.mark.parametrize(
    ("n_ctx", "slots", "unified", "cells"),
    [
        (1024, 3, False, 1536),
        (1024, 4, False, 1024),
        (1024, 3, True, 1024),
        (33_920, 1, False, 34_048),
        (1, 1, True, 256),
    ],
)
def test_cells_are_padded_per_stream(n_ctx: int, slots: int, unified: bool, cells: int) -> None:
    assert cell_count(CacheSettings(n_ctx, slots=slots, unified=unified)) == cells


def test_latent_attention_stores_576_elements_per_layer() -> None:
    deepseek = KvGeometry((mla_layers(61, 512, 64),))
    assert kv_bytes_per_token(deepseek) == 61 * 576 * 2 == 70_272
    copied = KvGeometry((mla_layers(61, 512, 64, transposed_copy=True),))
    assert kv_bytes_per_token(copied) - kv_bytes_per_token(deepseek) == 61 * 512 * 2


def test_ollama_multiplies_the_window_by_the_slots() -> None:
    plain = KvGeometry((AttentionLayers(48, 4, 128, 128),))
    one, four = (kv_bytes(plain, CacheSettings.for_ollama(8192, parallel=n)).total_bytes for n in (1, 4))
    assert four == 4 * one == float(kv_bytes_at(8192, 4, 98_304, "f16"))


def test_recurrent_state_is_constant_in_context_and_linear_in_slots() -> None:
    hybrid = KvGeometry((AttentionLayers(10, 2, 256, 256),), RecurrentLayers(30, 4, 4096, 128, 16))
    sizes = [
        kv_bytes(hybrid, CacheSettings(ctx, slots=n)).recurrent_bytes for ctx, n in ((4096, 1), (65_536, 1), (4096, 4))
    ]
    assert sizes[0] == sizes[1] == sizes[2] / 4 == pytest.approx(62.81 * MIB, rel=1e-4)


def test_type_factors_over_arrays() -> None:
    factors = kv_type_factor(np.array(["f16", "q8_0", "Q4_0", "turbo"], dtype=object))
    np.testing.assert_array_equal(factors, [1.0, 0.53125, 0.28125, np.nan])
    assert float(kv_type_factor("q8_0")) == 0.53125
    sizes = kv_bytes_at(np.array([131_072, 262_144, np.nan]), 1, 98_304, "f16")
    np.testing.assert_array_equal(sizes, [12 * GIB, 24 * GIB, np.nan])


def test_unknown_cache_type_is_refused() -> None:
    with pytest.raises(KeyError, match="turbo3"):
        kv_bytes(GEMMA4_12B, CacheSettings(4096, type_k="turbo3"))


ANY_SETTINGS = st.builds(
    CacheSettings,
    n_ctx_tokens=st.integers(1, 1_000_000),
    slots=st.integers(1, 16),
    unified=st.booleans(),
    ubatch_tokens=st.sampled_from([128, 512, 2048]),
    type_k=st.sampled_from(sorted(KV_TYPE_BYTES)),
    type_v=st.sampled_from(sorted(KV_TYPE_BYTES)),
)


@given(ANY_SETTINGS, st.integers(0, 100_000))
def test_more_context_never_costs_less(settings: CacheSettings, more: int) -> None:
    larger = replace(settings, n_ctx_tokens=settings.n_ctx_tokens + more)
    assert kv_bytes(GEMMA4_12B, larger).total_bytes >= kv_bytes(GEMMA4_12B, settings).total_bytes


@given(ANY_SETTINGS, st.integers(0, 8))
def test_more_ollama_slots_never_cost_less(settings: CacheSettings, more: int) -> None:
    sizes = [
        kv_bytes(GEMMA4_12B, CacheSettings.for_ollama(settings.n_ctx_tokens, n)).total_bytes
        for n in (settings.slots, settings.slots + more)
    ]
    assert sizes == sorted(sizes)


@given(ANY_SETTINGS, st.sampled_from(sorted(KV_TYPE_BYTES)))
def test_wider_elements_never_cost_less(settings: CacheSettings, other: str) -> None:
    by_width = sorted((settings.type_k, other), key=KV_TYPE_BYTES.__getitem__)
    sizes = [kv_bytes(GEMMA4_12B, replace(settings, type_k=name)).total_bytes for name in by_width]
    assert sizes == sorted(sizes)
