"""Scales and ticks of the charts: pure arithmetic on plain numbers."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from investigator.report.text import local

_SECOND_STEPS = (
    *(1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200),
    *(86400, 172800, 604800, 1209600, 2592000, 7776000, 31536000),
)
_MIB = 1024**2


@dataclass(frozen=True, slots=True)
class Linear:
    """Maps lo…hi of the data to start…stop on the paper (pixels); clamps what lies outside."""

    lo: float
    hi: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        width = self.hi - self.lo
        share = 0.0 if width <= 0 else (value - self.lo) / width
        return round(self.start + min(max(share, 0.0), 1.0) * (self.stop - self.start), 2)


def ticks(lo: float, hi: float, count: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten in lo…hi, about `count` of them, never more than count + 1."""
    if not (math.isfinite(lo) and math.isfinite(hi)) or hi <= lo or count < 1:
        return [lo]
    raw = (hi - lo) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= raw * (1 - 1e-9))
    return _multiples(lo, hi, step)


def second_ticks(lo: float, hi: float, count: int) -> list[float]:
    """Steps that a clock has: 15 s, 1 min, 5 min, 1 h …"""
    return _stepped(lo, hi, count, _SECOND_STEPS)


def byte_ticks(lo: float, hi: float, count: int) -> list[float]:
    """Powers of two of a MiB."""
    return _stepped(lo, hi, count, [_MIB * 2.0**n for n in range(31)])


def time_ticks(start: datetime, end: datetime, count: int, zone_offset_s: int | None) -> list[tuple[datetime, str]]:
    """Round moments of the local clock with labels: the time of day, or the day where steps are days."""
    base = local(start, zone_offset_s).replace(hour=0, minute=0, second=0, microsecond=0)
    lo, hi = ((local(t, zone_offset_s) - base).total_seconds() for t in (start, end))
    found = second_ticks(lo, hi, count)
    step = found[1] - found[0] if len(found) > 1 else 60.0
    form = "%-d %b" if step >= 86400 else "%H:%M" if step >= 60 else "%H:%M:%S" if step >= 1 else "%H:%M:%S.%f"
    cut = 0 if step >= 1 else 4 if step < 0.1 else 5  # of microseconds
    moments = [base + timedelta(seconds=t) for t in found]
    return [(moment, moment.strftime(form)[: -cut or None]) for moment in moments]


def levels(extents: Sequence[tuple[float, float]], gap: float) -> list[int]:
    """Level of each (start, end) extent, in the order given, so that none overlaps another on its level."""
    ends: list[float] = []
    chosen = [0] * len(extents)
    for index in sorted(range(len(extents)), key=lambda i: (extents[i], i)):
        start, end = extents[index]
        level = next((n for n, taken in enumerate(ends) if taken + gap <= start), len(ends))
        if level == len(ends):
            ends.append(end)
        ends[level] = end
        chosen[index] = level
    return chosen


def interpolated(points: Sequence[tuple[float, float]], at: float) -> float | None:
    """Value at `at` on the polyline through `points` (ascending x); None outside of it."""
    if not points or not points[0][0] <= at <= points[-1][0]:
        return None
    right = bisect_left([x for x, _ in points], at)
    x1, y1 = points[right]
    if x1 == at or right == 0:
        return y1
    x0, y0 = points[right - 1]
    return y0 + (y1 - y0) * (at - x0) / (x1 - x0)


def _stepped(lo: float, hi: float, count: int, steps: Sequence[float]) -> list[float]:
    if not (math.isfinite(lo) and math.isfinite(hi)) or hi <= lo or count < 1:
        return [lo]
    raw = (hi - lo) / count
    return _multiples(lo, hi, next((s for s in steps if s >= raw), steps[-1] * math.ceil(raw / steps[-1])))


def _multiples(lo: float, hi: float, step: float) -> list[float]:
    first, last = math.ceil(lo / step - 1e-9), math.floor(hi / step + 1e-9)
    return [round(n * step, 12) for n in range(first, last + 1)] or [lo]
