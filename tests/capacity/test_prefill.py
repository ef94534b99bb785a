"""The prefill law over floats and arrays, and its inverses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.capacity import (
    Interval,
    largest_prompt_tokens,
    mean_prefill_tps,
    prefill_interval_s,
    prefill_s,
    prefill_tps_at,
    safety_factor,
    smallest_timeout_s,
)

RATES = st.floats(10, 50_000)
SLOPES = st.just(0.0) | st.floats(1e-10, 1e-6)
DEPTHS = st.integers(0, 500_000)


@given(st.integers(1, 1_000_000), DEPTHS, RATES, SLOPES)
def test_solving_then_checking_agrees(new: int, cached: int, r0: float, c: float) -> None:
    seconds = float(prefill_s(new, cached, r0, c))
    assert float(largest_prompt_tokens(seconds, r0, c, cached)) == pytest.approx(new, rel=1e-6)
    assert float(smallest_timeout_s(new, cached, r0, c)) == seconds


@given(st.integers(1, 100_000), st.integers(1, 100_000), DEPTHS, RATES, SLOPES)
def test_two_reads_cost_what_one_costs(first: int, second: int, cached: int, r0: float, c: float) -> None:
    split = prefill_s(first, cached, r0, c) + prefill_s(second, cached + first, r0, c)
    assert float(split) == pytest.approx(float(prefill_s(first + second, cached, r0, c)), rel=1e-9)


@given(st.integers(1, 100_000), st.integers(0, 100_000), DEPTHS, RATES, SLOPES)
def test_more_to_read_and_more_depth_never_cost_less(new: int, more: int, cached: int, r0: float, c: float) -> None:
    base = float(prefill_s(new, cached, r0, c))
    assert float(prefill_s(new + more, cached, r0, c)) >= base
    assert float(prefill_s(new, cached + more, r0, c)) >= base
    assert float(mean_prefill_tps(new, cached + more, r0, c)) <= float(mean_prefill_tps(new, cached, r0, c))


@pytest.mark.parametrize(
    ("r0", "c", "seconds", "mean_tps", "largest"),
    [
        pytest.param(400, 0.0, 366.9, 400, 120_000, id="flat"),
        pytest.param(2891, 2.889e-8, 673, 218, 96_000, id="m2-ultra"),
        pytest.param(3353, 6.8e-9, 191, 769, 189_000, id="dgx-spark"),
        pytest.param(1987, 5.0e-8, 1147, 128, 73_000, id="strix-halo-hip"),
        pytest.param(2116, 7.8e-8, 1749, 84, 59_000, id="strix-halo-vulkan"),
        pytest.param(1790, 8.1e-9, 256, 574, 161_000, id="strix-halo-hybrid-model"),
    ],
)
def test_founding_load_by_machine(r0: float, c: float, seconds: float, mean_tps: float, largest: float) -> None:
    assert float(prefill_s(146_760, 0, r0, c)) == pytest.approx(seconds, rel=0.005)
    assert float(mean_prefill_tps(146_760, 0, r0, c)) == pytest.approx(mean_tps, rel=0.005)
    assert float(largest_prompt_tokens(300, r0, c)) == pytest.approx(largest, rel=0.01)


def test_400_tokens_per_second_is_the_instantaneous_rate_at_37k() -> None:
    assert float(prefill_tps_at(37_000, 2891, 2.889e-8)) == pytest.approx(403, abs=3)


def test_arrays_broadcast_and_unknowns_stay_unknown() -> None:
    seconds = prefill_s(np.array([400, 800, np.nan]), 0, np.array([400, 0, 400]), 0.0)
    np.testing.assert_array_equal(seconds, [1.0, np.nan, np.nan])
    assert np.isnan(mean_prefill_tps(0, 0, 400, 0))
    assert prefill_s(np.arange(6).reshape(2, 3), 0, 400, 0).shape == (2, 3)


def test_no_time_reads_nothing() -> None:
    np.testing.assert_array_equal(largest_prompt_tokens(np.array([0.0, -5, 10]), 400, 0, 0, t0_s=1), [0, 0, 3600])


def test_safety_grows_beyond_twice_the_fitted_depth() -> None:
    np.testing.assert_array_equal(safety_factor(np.array([10, 20, 21]), 10), [1.3, 1.3, 1.6])
    assert float(smallest_timeout_s(40_000, 0, 400, 0, safety=1.3, t0_s=10)) == pytest.approx(143)


def test_interval_of_constants() -> None:
    seconds = prefill_interval_s(100_000, 0, Interval(1000, 2000, 4000), Interval(1e-9, 2e-9, 3e-9, "derived"))
    assert (seconds.low, seconds.mid, seconds.high) == pytest.approx((35, 70, 130))
