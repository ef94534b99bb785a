"""The numbers of the founding incident, each from the functions that the report uses."""

from __future__ import annotations

import pytest

from investigator.capacity import (
    GIB,
    AttentionLayers,
    CacheSettings,
    CutEra,
    KvGeometry,
    MachineKind,
    PrefillPoint,
    compute_buffer_bytes,
    cut_era,
    cut_length,
    fit_prefill,
    fits,
    format_gb,
    format_gib,
    gpu_limit_bytes,
    kv_bytes,
    kv_bytes_at,
    kv_bytes_per_token,
    largest_prompt_tokens,
    mean_prefill_tps,
    prefill_s,
    reused_after_cut,
)

R0_TPS, C = 2891, 2.889e-8
ASKED, WINDOW, NATIVE, KEEP = 146_760, 131_072, 262_144, 4
WEIGHTS_BYTES = 18.56e9
QWEN3_CODER_30B = KvGeometry((AttentionLayers(layers=48, kv_heads=4, head_dim_k=128, head_dim_v=128),))


@pytest.mark.parametrize(
    ("num_ctx", "kv_type", "expected"),
    [
        (NATIVE, "f16", "24.0 GiB"),
        (NATIVE, "q8_0", "12.8 GiB"),
        (WINDOW, "f16", "12.0 GiB"),
        (WINDOW, "q4_0", "3.4 GiB"),
    ],
)
def test_kv_of_the_founding_model(num_ctx: int, kv_type: str, expected: str) -> None:
    size = kv_bytes(QWEN3_CODER_30B, CacheSettings.for_ollama(num_ctx, kv_type=kv_type)).total_bytes
    assert format_gib(size) == expected
    assert float(kv_bytes_at(num_ctx, 1, kv_bytes_per_token(QWEN3_CODER_30B), kv_type)) == size


def test_q8_0_is_exactly_12_75_gib() -> None:
    settings = CacheSettings.for_ollama(NATIVE, kv_type="q8_0")
    assert kv_bytes(QWEN3_CODER_30B, settings).total_bytes == 12.75 * GIB


def test_memory_is_ruled_out_on_a_64_gib_mac() -> None:
    limit = gpu_limit_bytes(MachineKind.MACOS_UNIFIED, 64 * GIB)
    assert limit.low == limit.high == 48 * GIB
    graph = compute_buffer_bytes(n_vocab=151_936, ubatch_tokens=512, n_ctx_tokens=NATIVE, flash_attention=True)
    verdict = fits(WEIGHTS_BYTES, 24 * GIB, graph, limit)
    assert verdict.verdict == "fits"
    assert verdict.margin_bytes.low > 5 * GIB
    assert (format_gib(WEIGHTS_BYTES), format_gb(WEIGHTS_BYTES)) == ("17.3 GiB", "18.6 GB")


@pytest.mark.parametrize(("tokens", "seconds"), [(ASKED, 366.9), (WINDOW, 327.7)])
def test_flat_400_tokens_per_second(tokens: int, seconds: float) -> None:
    assert round(float(prefill_s(tokens, 0, 400, 0)), 1) == seconds


@pytest.mark.parametrize(
    ("tokens", "seconds", "digits"),
    [(20_000, 18.5, 1), (40_000, 60.1, 1), (74_560, 186.4, 1), (WINDOW, 542, 0), (ASKED, 673, 0)],
)
def test_law_of_the_machine(tokens: int, seconds: float, digits: int) -> None:
    assert round(float(prefill_s(tokens, 0, R0_TPS, C)), digits) == seconds


def test_measured_mean_is_400_at_the_last_healthy_request() -> None:
    assert float(mean_prefill_tps(74_560, 0, R0_TPS, C)) == pytest.approx(400, abs=0.05)


def test_largest_prompt_within_300_s() -> None:
    assert float(largest_prompt_tokens(300, R0_TPS, C)) == pytest.approx(96_000, rel=0.01)


def test_fit_from_healthy_requests_recovers_the_law() -> None:
    points = [PrefillPoint(20_000, 0, 18.5, "derived"), PrefillPoint(40_000, 0, 60.1, "derived")]
    fit = fit_prefill([*points, PrefillPoint(74_560, 0, 186.4)])
    assert fit is not None
    assert fit.basis == "fit"
    assert fit.r0_tps == pytest.approx(R0_TPS, rel=0.01)
    assert fit.c == pytest.approx(C, rel=0.002)
    asked, read = fit.predict(ASKED), fit.predict(WINDOW)
    assert (asked.mid, read.mid) == pytest.approx((673, 542), abs=1)
    assert asked.contains(673) and 0.05 < asked.half_width < 0.2
    assert [asked.against(limit) for limit in (300, 420, 673, 900)] == ["fails", "fails", "might", "passes"]


def test_one_benchmark_gives_a_lower_bound_only() -> None:
    fit = fit_prefill([PrefillPoint(74_560, 0, 186.4)])
    assert fit is not None
    assert fit.basis == "constant_rate"
    asked = fit.predict(ASKED)
    assert round(asked.low, 1) == 366.9
    assert asked.contains(673)
    assert asked.against(300) == "fails"


def test_cut_and_what_the_second_try_reuses() -> None:
    era = cut_era("0.15.6")
    assert era is CutEra.GO_RUNNER
    new = cut_length(ASKED, WINDOW, KEEP, era)
    assert new == WINDOW
    assert float(reused_after_cut(KEEP, new, ASKED, 20_000)) == 20_000 - (ASKED - WINDOW) == 4_312
    assert float(reused_after_cut(KEEP, new, ASKED, ASKED)) == WINDOW - 1
