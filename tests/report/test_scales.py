from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.report import scales


def test_linear_maps_and_clamps() -> None:
    scale = scales.Linear(0, 100, 10, 210)
    assert [scale(v) for v in (0, 50, 100, -5, 500)] == [10, 110, 210, 10, 210]
    assert scales.Linear(5, 5, 0, 10)(5) == 0


@pytest.mark.parametrize(
    ("lo", "hi", "count", "found"),
    [
        (0, 273_000, 6, [0, 50_000, 100_000, 150_000, 200_000, 250_000]),
        (0, 1, 4, [0, 0.5, 1]),
        (0, 0.9, 3, [0, 0.5]),
        (3, 3, 5, [3]),
        (0, float("inf"), 5, [0]),
    ],
)
def test_ticks(lo: float, hi: float, count: int, found: list[float]) -> None:
    assert scales.ticks(lo, hi, count) == found


@pytest.mark.parametrize(
    ("hi", "found"),
    [(700, [0, 300, 600]), (50, [0, 15, 30, 45]), (40_000, [0, 10_800, 21_600, 32_400]), (5e7, [0, 31_536_000])],
)
def test_second_ticks_are_those_of_a_clock(hi: float, found: list[float]) -> None:
    assert scales.second_ticks(0, hi, 4) == found


def test_byte_ticks_are_powers_of_two() -> None:
    assert [t / 2**30 for t in scales.byte_ticks(0, 50 * 2**30, 7)] == [0, 8, 16, 24, 32, 40, 48]


def test_time_ticks_are_round_in_the_servers_zone() -> None:
    start, end = datetime(2026, 2, 18, 10, 8), datetime(2026, 2, 18, 10, 47)
    labels = [label for _, label in scales.time_ticks(start, end, 8, 5400)]
    assert labels == ["11:40", "11:45", "11:50", "11:55", "12:00", "12:05", "12:10", "12:15"]
    days = scales.time_ticks(datetime(2026, 2, 10), datetime(2026, 2, 18), 4, 0)
    assert [label for _, label in days][:2] == ["10 Feb", "12 Feb"]


@given(
    lo=st.floats(-1e9, 1e9), width=st.floats(1e-3, 1e9), count=st.integers(1, 12),
)  # fmt: skip
def test_ticks_lie_inside_and_are_not_many(lo: float, width: float, count: int) -> None:
    for found in (scales.ticks(lo, lo + width, count), scales.second_ticks(lo, lo + width, count)):
        assert len(found) <= count + 1
        assert all(lo - width * 1e-6 <= t <= lo + width * (1 + 1e-6) for t in found)
        assert found == sorted(found)


@given(st.lists(st.tuples(st.floats(0, 900), st.floats(0, 200)).map(lambda p: (p[0], p[0] + p[1])), max_size=30))
def test_levels_never_overlap(extents: list[tuple[float, float]]) -> None:
    chosen = scales.levels(extents, 1)
    for n, (a, b) in enumerate(extents):
        for m in range(n):
            c, d = extents[m]
            assert chosen[n] != chosen[m] or b + 1 <= c or d + 1 <= a


def test_interpolated() -> None:
    points = [(0.0, 0.0), (10.0, 100.0), (20.0, 400.0)]
    assert [scales.interpolated(points, x) for x in (0, 5, 10, 15, 20)] == [0, 50, 100, 250, 400]
    assert scales.interpolated(points, 21) is None
    assert scales.interpolated([], 1) is None
