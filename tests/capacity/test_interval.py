"""Intervals: order, arithmetic that keeps the truth inside, labels, and comparison with a limit."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.capacity import Interval, as_interval, attempt_s, timeout_verdict, weakest


@st.composite
def intervals(draw: st.DrawFn, low: float = -1e6, high: float = 1e6) -> tuple[Interval, float]:
    """An interval and a value inside it."""
    bounds = sorted(draw(st.lists(st.floats(low, high), min_size=3, max_size=3)))
    low_, mid, high_ = bounds
    return Interval(low_, mid, high_), draw(st.floats(low_, high_))


def widened(result: Interval) -> Interval:
    """Room for rounding: the arithmetic is not outward rounded."""
    slack = 1e-9 * max(abs(result.low), abs(result.high), 1.0)
    return Interval(result.low - slack, result.mid, result.high + slack)


@given(intervals(), intervals())
def test_sum_difference_and_product_hold_the_truth(left: tuple[Interval, float], right: tuple[Interval, float]) -> None:
    (a, x), (b, y) = left, right
    assert widened(a + b).contains(x + y)
    assert widened(a - b).contains(x - y)
    assert widened(a * b).contains(x * y)


@given(intervals(), intervals(low=0.001))
def test_quotient_holds_the_truth(left: tuple[Interval, float], right: tuple[Interval, float]) -> None:
    (a, x), (b, y) = left, right
    assert widened(a / b).contains(x / y)


def test_division_by_zero_and_bad_bounds_are_refused() -> None:
    with pytest.raises(ZeroDivisionError):
        _ = 1 / Interval(-1, 0, 1)
    for bounds in ((2, 1, 3), (1, 2, 1.5), (math.nan, 1, 2), (0, 1, math.nan)):
        with pytest.raises(ValueError, match="out of order"):
            Interval(*bounds)


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [(12.1, "passes"), (12, "passes"), (11.9, "might"), (10, "might"), (8, "might"), (7.9, "fails")],
)
def test_against_a_limit(limit: float, verdict: str) -> None:
    assert Interval(8, 10, 12).against(limit) == verdict
    assert timeout_verdict(Interval(8, 10, 12), limit) == verdict


def test_a_call_without_a_limit_passes() -> None:
    assert timeout_verdict(Interval(8, 10, 12), None) == "passes"


def test_label_is_that_of_the_weakest_operand() -> None:
    measured, derived = Interval.exact(1.0), Interval.exact(2.0, "derived")
    assert (measured + derived).label == "derived"
    assert (measured * Interval.around(2, 1.5)).label == "estimated"
    assert (measured + 1).label == "measured"
    assert weakest("measured", "estimated", "derived") == "estimated"


def test_half_width_is_relative() -> None:
    assert Interval(90, 100, 120).half_width == pytest.approx(0.15)
    assert Interval.exact(0.0).half_width == 0
    assert Interval(-1, 0, 1).half_width == math.inf
    assert as_interval(3) == Interval(3, 3, 3, "measured")


def test_an_attempt_is_waiting_loading_reading_and_answering() -> None:
    total = attempt_s(Interval(90, 100, 120, "derived"), queue_s=5, load_s=10.0, answer_s=Interval(1, 2, 3))
    assert total == Interval(106, 117, 138, "estimated")
