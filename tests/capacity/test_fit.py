"""Fitting prefill constants: public timings, guards, outliers, breaks, and intervals that keep their promise."""

from __future__ import annotations

import csv
import statistics
from collections import defaultdict
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.capacity import Interval, PrefillFit, PrefillPoint, fit_prefill, prefill_s, usable_points

R0_TPS, C = 2891, 2.889e-8


def on_the_law(new: int, cached: int = 0, factor: float = 1.0) -> PrefillPoint:
    return PrefillPoint(new, cached, factor * float(prefill_s(new, cached, R0_TPS, C)))


def fitted(*points: PrefillPoint) -> PrefillFit:
    fit = fit_prefill(points)
    assert fit is not None
    return fit


def public_sets(shared: Path) -> Iterator[list[PrefillPoint]]:
    sets: dict[str, list[PrefillPoint]] = defaultdict(list)
    with (shared / "knowledge/validation/prefill.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            point = PrefillPoint(int(row["n_tokens"]), int(row["depth_start"]), float(row["ms"]) / 1000)
            sets[row["set_id"]].append(point)
    for points in sets.values():
        usable = usable_points(points)
        if len(usable) >= 3:
            yield usable


def test_deepest_point_of_public_sets_from_the_others(shared: Path) -> None:
    errors: list[float] = []
    inside: list[bool] = []
    widths: list[float] = []
    far_widths: list[float] = []
    for *others, deepest in public_sets(shared):
        fit = fitted(*others)
        interval = fit.predict(deepest.new_tokens, deepest.cached_tokens)
        errors.append(abs(interval.mid / deepest.seconds - 1))
        inside.append(interval.contains(deepest.seconds))
        beyond = deepest.depth_tokens > 2 * fit.deepest_tokens
        (far_widths if beyond else widths).append(interval.half_width)
    assert len(errors) >= 15
    assert statistics.median(errors) <= 0.03
    assert sum(inside) / len(inside) >= 0.9
    assert statistics.median(widths) <= 0.15
    assert statistics.median(far_widths) <= 0.6


def test_reads_far_beyond_the_fitted_depth_stay_inside(shared: Path) -> None:
    inside = []
    for points in public_sets(shared):
        for count in range(2, len(points)):
            fit = fitted(*points[:count])
            deep = [p for p in points[count:] if p.depth_tokens > 2 * fit.deepest_tokens]
            inside += [fit.predict(p.new_tokens, p.cached_tokens).contains(p.seconds) for p in deep]
    assert len(inside) >= 20
    assert sum(inside) / len(inside) >= 0.85


@pytest.mark.parametrize(
    ("points", "kept"),
    [
        pytest.param([on_the_law(500), on_the_law(5000)], [5000], id="short-read"),
        pytest.param([on_the_law(500), on_the_law(900)], [500, 900], id="only-short-reads"),
        pytest.param([PrefillPoint(287_232, 0, 100, window_tokens=512), on_the_law(4096)], [4096], id="perplexity"),
        pytest.param([PrefillPoint(8192, 0, 4, window_tokens=8192)], [8192], id="whole-window"),
        pytest.param([PrefillPoint(0, 5000, 0.1), PrefillPoint(4096, 0, 0.0)], [], id="no-work-or-no-time"),
        pytest.param([PrefillPoint(4096, 0, float("nan"))], [], id="time-unknown"),
    ],
)
def test_points_a_fit_may_use(points: list[PrefillPoint], kept: list[int]) -> None:
    assert [point.new_tokens for point in usable_points(points)] == kept


def test_nothing_usable_gives_no_fit() -> None:
    assert fit_prefill([]) is None


def test_chunks_at_depth_and_whole_prompts_follow_one_law() -> None:
    fit = fitted(on_the_law(2048, 4096), on_the_law(2048, 16_384), on_the_law(20_000))
    assert (fit.r0_tps, fit.c) == pytest.approx((R0_TPS, C), rel=1e-6)
    assert fit.n_points == 3 and fit.deepest_tokens == 20_000
    assert fit.residuals == pytest.approx([0, 0, 0], abs=1e-9)


def test_cached_tokens_shorten_a_prediction() -> None:
    fit = fitted(on_the_law(20_000), on_the_law(60_000))
    assert fit.predict(60_000).mid == pytest.approx(fit.predict(40_000).mid + fit.predict(20_000, 40_000).mid)
    assert fit.predict(0, 60_000) == Interval.exact(0.0, "derived")


def test_order_of_points_does_not_matter() -> None:
    points = [on_the_law(4096), on_the_law(16_384, factor=1.3), on_the_law(32_768), on_the_law(50_000, factor=0.98)]
    fits = {fitted(*order) for order in permutations(points)}
    assert len(fits) == 1


def test_one_outlier_hardly_moves_the_law() -> None:
    clean = [on_the_law(n) for n in (4096, 8192, 16_384, 24_000, 32_768, 48_000)]
    fit = fitted(*clean, on_the_law(20_000, factor=2.5))
    assert fit.predict(96_000).mid == pytest.approx(float(prefill_s(96_000, 0, R0_TPS, C)), rel=0.05)
    assert fit.break_at is None


def test_a_break_is_named_not_averaged_away() -> None:
    before = [on_the_law(2048, depth) for depth in range(0, 20_480, 2048)]
    after = [on_the_law(2048, depth, factor=1.6) for depth in (22_528, 24_576, 26_624)]
    fit = fitted(*before, *after)
    assert fit.break_at is not None
    assert fit.break_at.depth_tokens == 24_576
    assert fit.break_at.slowdown == pytest.approx(1.6)
    assert fit.c == pytest.approx(C, rel=1e-3)
    deeper = fit.predict(2048, 28_672)
    assert deeper.mid == pytest.approx(on_the_law(2048, 28_672, factor=1.6).seconds, rel=1e-3)
    assert deeper.contains(on_the_law(2048, 28_672, factor=1.7).seconds)
    assert not fit.predict(2048, 4096).contains(on_the_law(2048, 4096, factor=1.6).seconds)


def test_one_slow_read_at_the_end_is_no_break() -> None:
    points = [on_the_law(2048, depth) for depth in range(0, 20_480, 2048)]
    assert fitted(*points, on_the_law(2048, 22_528, factor=1.6)).break_at is None


def test_a_break_among_many_requests() -> None:
    steady = [on_the_law(1500 + 97 * n, factor=1 + 0.02 * (-1) ** n) for n in range(600)]
    slow = [on_the_law(60_000 + 97 * n, factor=1.9) for n in range(100)]
    fit = fitted(*steady, *slow)
    assert fit.break_at is not None
    assert fit.break_at.depth_tokens == pytest.approx(60_000, rel=0.02)
    assert fitted(*steady).break_at is None


@pytest.mark.parametrize("points", [[on_the_law(74_560)], [on_the_law(74_560), on_the_law(74_000)]])
def test_one_depth_gives_a_constant_rate(points: list[PrefillPoint]) -> None:
    fit = fitted(*points)
    assert (fit.basis, fit.c) == ("constant_rate", 0.0)
    truth = float(prefill_s(146_760, 0, R0_TPS, C))
    interval = fit.predict(146_760)
    assert interval.mid < truth
    assert interval.contains(truth)


def test_a_rate_that_does_not_fall_gives_no_negative_slope() -> None:
    fit = fitted(PrefillPoint(4096, 0, 4.2), PrefillPoint(16_384, 0, 16.0), PrefillPoint(32_768, 0, 31.0))
    assert fit.c == 0
    assert fit.r0_tps == pytest.approx(1050, rel=0.05)


def test_derived_points_count_less_and_leave_more_open() -> None:
    printed = [on_the_law(20_000), on_the_law(60_000)]
    latencies = [PrefillPoint(p.new_tokens, 0, p.seconds, "derived") for p in printed]
    assert fitted(*latencies).predict(80_000).half_width > fitted(*printed).predict(80_000).half_width
    mixed = fitted(*printed, PrefillPoint(40_000, 0, 1.2 * on_the_law(40_000).seconds, "derived"))
    assert mixed.predict(80_000).mid == pytest.approx(on_the_law(80_000).seconds, rel=0.03)


@given(
    r0=st.floats(50, 20_000),
    c=st.floats(1e-10, 1e-6),
    depths=st.lists(st.integers(1024, 60_000), min_size=3, max_size=8, unique=True),
    new=st.integers(1, 200_000),
)
def test_interval_holds_the_law_and_widens_with_depth(r0: float, c: float, depths: list[int], new: int) -> None:
    fit = fitted(*(PrefillPoint(n, 0, float(prefill_s(n, 0, r0, c))) for n in depths))
    assert fit.r0_tps > 0 and fit.c >= 0
    assert fit.predict(new).contains(float(prefill_s(new, 0, r0, c)))
    far, farther = (fit.predict(factor * fit.deepest_tokens) for factor in (2, 4))
    assert far.high <= farther.high
    if fit.basis == "fit":
        assert far.half_width <= farther.half_width
