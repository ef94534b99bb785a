"""A value with its honest bounds, and the comparison that a verdict rests on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

Label: TypeAlias = Literal["measured", "derived", "estimated"]
Verdict: TypeAlias = Literal["passes", "might", "fails"]

_STRENGTH: dict[Label, int] = {"measured": 0, "derived": 1, "estimated": 2}


def weakest(*labels: Label) -> Label:
    """The least certain of the labels: a result is never more certain than its weakest operand."""
    return max(labels, key=_STRENGTH.__getitem__)


@dataclass(frozen=True, slots=True)
class Interval:
    """`low <= mid <= high` of one quantity; the unit is the caller's.

    Raises ValueError when the bounds are out of order or not numbers: an interval with NaN would pass every comparison.
    """

    low: float
    mid: float
    high: float
    label: Label = "estimated"

    def __post_init__(self) -> None:
        if not self.low <= self.mid <= self.high:
            raise ValueError(f"interval bounds out of order: {self.low} <= {self.mid} <= {self.high}")

    @classmethod
    def exact(cls, value: float, label: Label = "measured") -> Interval:
        """A value without spread."""
        return cls(value, value, value, label)

    @classmethod
    def around(cls, mid: float, factor: float, label: Label = "estimated") -> Interval:
        """`mid` times and divided by `factor` (>= 1)."""
        return cls(mid / factor, mid, mid * factor, label)

    @property
    def half_width(self) -> float:
        """Half of the relative width: (high - low) / 2 / mid; infinite when mid is 0 and the bounds differ."""
        width = (self.high - self.low) / 2
        if width == 0:
            return 0.0
        return width / abs(self.mid) if self.mid else math.inf

    def contains(self, value: float) -> bool:
        """Whether `value` lies inside the bounds, ends included."""
        return self.low <= value <= self.high

    def against(self, limit: float) -> Verdict:
        """Compare a demand with a limit: `passes` at or below it with the whole interval, `fails` above it with all."""
        if self.high <= limit:
            return "passes"
        return "fails" if self.low > limit else "might"

    def __add__(self, other: Interval | float) -> Interval:
        right = as_interval(other)
        return Interval(
            self.low + right.low, self.mid + right.mid, self.high + right.high, weakest(self.label, right.label)
        )

    __radd__ = __add__

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.mid, -self.low, self.label)

    def __sub__(self, other: Interval | float) -> Interval:
        return self + -as_interval(other)

    def __rsub__(self, other: Interval | float) -> Interval:
        return as_interval(other) + -self

    def __mul__(self, other: Interval | float) -> Interval:
        right = as_interval(other)
        ends = [a * b for a in (self.low, self.high) for b in (right.low, right.high)]
        return Interval(min(ends), self.mid * right.mid, max(ends), weakest(self.label, right.label))

    __rmul__ = __mul__

    def __truediv__(self, other: Interval | float) -> Interval:
        right = as_interval(other)
        if right.low <= 0 <= right.high:
            raise ZeroDivisionError("division by an interval that contains 0")
        return self * Interval(1 / right.high, 1 / right.mid, 1 / right.low, right.label)

    def __rtruediv__(self, other: Interval | float) -> Interval:
        return as_interval(other) / self


def as_interval(value: Interval | float) -> Interval:
    """A plain number as an interval without spread."""
    return value if isinstance(value, Interval) else Interval.exact(float(value))
