"""Limits by kind of machine, buffers, weights, and the verdict with its margin."""

from __future__ import annotations

import pytest

from investigator.capacity import (
    BITS_PER_WEIGHT,
    GIB,
    MIB,
    Interval,
    MachineKind,
    active_weight_bytes,
    compute_buffer_bytes,
    fits,
    fits_on_cards,
    gpu_limit_bytes,
    weights_bytes,
)


@pytest.mark.parametrize(
    ("kind", "memory_gib", "low_gib", "high_gib"),
    [
        (MachineKind.MACOS_UNIFIED, 64, 48, 48),
        (MachineKind.MACOS_UNIFIED, 36, 24, 24),
        (MachineKind.MACOS_UNIFIED, 48, 36, 36),
        (MachineKind.MACOS_UNIFIED, 24, 16, 16),
        (MachineKind.DGX_SPARK, 128, 119.5, 119.5),
        (MachineKind.STRIX_HALO_WINDOWS, 128, 96, 96),
        (MachineKind.STRIX_HALO_LINUX, 128, 108, 120),
        (MachineKind.DISCRETE, 24, 23.4, 23.7),
    ],
)
def test_limits(kind: MachineKind, memory_gib: float, low_gib: float, high_gib: float) -> None:
    limit = gpu_limit_bytes(kind, memory_gib * GIB)
    assert (limit.low / GIB, limit.high / GIB) == pytest.approx((low_gib, high_gib))


@pytest.mark.parametrize("kind", MachineKind)
def test_a_limit_never_exceeds_memory_and_grows_with_it(kind: MachineKind) -> None:
    limits = [gpu_limit_bytes(kind, size * GIB) for size in (8, 16, 32, 36, 48, 64, 128, 512)]
    assert [limit.mid for limit in limits] == sorted(limit.mid for limit in limits)
    assert all(limit.high <= size * GIB for limit, size in zip(limits, (8, 16, 32, 36, 48, 64, 128, 512), strict=True))


def test_a_raised_wired_limit_wins() -> None:
    assert gpu_limit_bytes(MachineKind.MACOS_UNIFIED, 64 * GIB, wired_limit_bytes=58 * GIB).mid == 58 * GIB


@pytest.mark.parametrize(
    ("weights", "verdict", "margin_gib"),
    [(10.0, "fits", 8), (18.0, "fits", 0), (18.5, "might", -0.5), (22.0, "does_not_fit", -4)],
)
def test_verdict_and_margin(weights: float, verdict: str, margin_gib: float) -> None:
    fit = fits(weights * GIB, 4 * GIB, Interval(GIB, GIB, GIB), Interval(23 * GIB, 23.5 * GIB, 24 * GIB))
    assert fit.verdict == verdict
    assert fit.margin_bytes.low / GIB == pytest.approx(margin_gib)
    assert fit.need_bytes.mid == (weights + 5) * GIB


def test_founding_load_on_two_24_gib_cards_needs_q8_0() -> None:
    """24 GiB of f16 cache beside 17.3 GiB of weights: 41.3 GiB, which two cards hold only with smaller buffers."""
    card = gpu_limit_bytes(MachineKind.DISCRETE, 24 * GIB)
    buffers = compute_buffer_bytes(151_936, 2048, 262_144, flash_attention=True)
    full = fits_on_cards(18.56e9, 24 * GIB, buffers, [card, card], layers=48)
    small = fits_on_cards(18.56e9, 12.75 * GIB, buffers, [card, card], layers=48)
    assert (full.verdict, small.verdict) == ("might", "fits")


def test_cards_are_not_one_pool() -> None:
    """13 GiB a layer: one on each card of 20 GiB, so the third has no place although 40 GiB would hold all three."""
    cards = [20 * GIB, 20 * GIB]
    assert fits_on_cards(30 * GIB, 0.0, 0.0, cards, layers=2).verdict == "fits"
    assert fits_on_cards(39 * GIB, 0.0, 0.0, cards, layers=3).verdict == "does_not_fit"
    assert fits_on_cards(38 * GIB, 0.0, 0.0, cards, layers=38).verdict == "fits"


@pytest.mark.parametrize(
    ("n_vocab", "ubatch", "n_ctx", "n_head", "flash", "printed_mib"),
    [
        pytest.param(128_256, 512, 8192, 32, False, 560, id="llama3-8b"),
        pytest.param(129_280, 512, 163_840, 128, False, 41.8 * 1024, id="deepseek-r1"),
        pytest.param(201_088, 2048, 131_072, 64, True, 1672, id="gpt-oss-20b"),
    ],
)
def test_printed_buffers(n_vocab: int, ubatch: int, n_ctx: int, n_head: int, flash: bool, printed_mib: float) -> None:
    size = compute_buffer_bytes(n_vocab, ubatch, n_ctx, flash, n_head)
    assert size.low * 0.95 <= printed_mib * MIB <= size.high * 1.05


def test_weights_from_parameters() -> None:
    estimate = weights_bytes(30.53e9, "q4_K_M")
    assert estimate is not None
    assert estimate.contains(18.56e9)
    assert weights_bytes(30.53e9, "IQ1_S") is None
    assert all(low <= mid <= high for low, mid, high in BITS_PER_WEIGHT.values())
    assert active_weight_bytes(30.25 * GIB, 30.53, 3.3) == pytest.approx(3.511e9, rel=1e-3)
