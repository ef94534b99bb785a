"""A depth beyond which the law no longer holds: memory pressure, swap, a split to the CPU, several sequences held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .interval import Interval
from .points import PrefillPoint
from .solve import DEPTH_SPREAD, mean_depths, scaled_rows, trusts
from .units import Floats

_SLOWER = 1.15  # a read this much above the law of all shallower ones is not noise
_STEADY = 0.05  # ... if that law holds this well among them
_MIN_BEFORE = 3
_MIN_AFTER = 2
_MAX_STARTS = 200
_MAX_GAP = 2.0  # beyond twice the depth a slower read may be the law's own error


@dataclass(frozen=True, slots=True)
class Break:
    """From this depth on reads took `slowdown` times what the law of the shallower ones says (swap, CPU split, …)."""

    depth_tokens: int
    slowdown: float

    @property
    def say(self) -> str:
        """In words, with what is known to do it."""
        return (
            f"from {self.depth_tokens:,} tokens on reads took up to {self.slowdown:.1f} times as long as the law of "
            "the shallower ones says: memory pressure, swap, or a part on the CPU"
        )

    def beyond(self, interval: Interval, depth_tokens: float) -> Interval:
        """Seconds by the old law, from the break on: the worst slowdown is the best guess, the old law the lower bound,
        twice the extra the upper."""
        if depth_tokens < self.depth_tokens:
            return interval
        slow = self.slowdown
        return Interval(interval.low, interval.mid * slow, interval.high * (2 * slow - 1), "estimated")


def find_break(points: Sequence[PrefillPoint]) -> Break | None:
    """The shallowest depth from which reads are slower than the law of all shallower ones allows, if there is one.

    `points` by depth. Nine in ten of the shallower reads must follow their law, and nine in ten of the others be above
    it. With many points only some starts are tried, so the depth found may be a little too large.
    """
    last = len(points) - _MIN_AFTER
    if last < _MIN_BEFORE:
        return None
    rows, laws = scaled_rows(points), _prefix_laws(points)
    step = max(1, (last - _MIN_BEFORE + 1) // _MAX_STARTS)
    for start in range(_MIN_BEFORE, last + 1, step):
        slowdown = 1 / (rows @ laws[start])
        steady = np.quantile(np.abs(slowdown[:start] - 1), 0.9) <= _STEADY
        near = points[start].depth_tokens <= _MAX_GAP * points[start - 1].depth_tokens
        if near and steady and slowdown[start] >= _SLOWER and np.quantile(slowdown[start:], 0.1) >= _SLOWER:
            return Break(points[start].depth_tokens, float(slowdown[start:].max()))
    return None


def _prefix_laws(points: Sequence[PrefillPoint]) -> Floats:
    """(1/r0, c) fitted to the first k points, for every k: shape (points + 1, 2), NaN where they cannot tell.

    Plain weighted least squares by running sums, as a robust fit per depth would take minutes for a busy server.
    """
    left = scaled_rows(points) * trusts(points)[:, None]
    right = trusts(points)
    norms = np.linalg.norm(left, axis=0)
    left = left / norms
    aa, cc, ac = (np.cumsum(left[:, i] * left[:, j]) for i, j in ((0, 0), (1, 1), (0, 1)))
    ay, cy = (np.cumsum(left[:, i] * right) for i in (0, 1))
    determinant = aa * cc - ac**2
    depths = mean_depths(points)
    told_apart = np.maximum.accumulate(depths) >= DEPTH_SPREAD * np.minimum.accumulate(depths)
    solvable = (determinant > 1e-9 * aa * cc) & told_apart
    safe = np.where(solvable, determinant, 1.0)
    rate, attention = (cc * ay - ac * cy) / safe, (aa * cy - ac * ay) / safe
    rate, attention = np.where(attention < 0, ay / aa, rate), np.maximum(attention, 0.0)
    laws = np.column_stack([rate, attention]) / norms
    laws[~solvable | (rate < 0)] = np.nan
    return np.vstack([np.full((1, 2), np.nan), laws])
