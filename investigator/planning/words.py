"""Intervals as a table shows them."""

from __future__ import annotations

from investigator.capacity import GIB, Interval
from investigator.capacity.units import format_duration


def gib_of(bytes_: float) -> str:
    """GiB with one digit; two below 1."""
    value = bytes_ / GIB
    return f"{value:,.2f}" if abs(value) < 1 else f"{value:,.1f}"


def between_gib(value: Interval | None) -> str:
    """`0.3–1.1`, or one number where the bounds print the same; `?` where it is not known."""
    if value is None:
        return "?"
    low, high = gib_of(value.low), gib_of(value.high)
    return low if low == high else f"{low}–{high}" if value.low >= 0 else f"{low} to {high}"


def between_s(value: Interval | None) -> str:
    """`11 min (10 min–12 min)`; `?` where it is not known."""
    if value is None:
        return "?"
    low, mid, high = (
        format_duration(round(each, 1 if each < 10 else 0)) for each in (value.low, value.mid, value.high)
    )
    return mid if low == high else f"{mid} ({low}–{high})"
