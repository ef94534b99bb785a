"""Robust least squares on relative error for the two constants of the prefill law."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .points import PrefillPoint
from .units import Floats, as_floats

#: A time taken from latencies varies this much more than a printed timing.
DERIVED_NOISE = 2.0
#: The same request varies by about this much between runs.
NOISE_FLOOR = 0.02

_HUBER = 1.345  # keeps 95 % efficiency on normal noise
_ROUNDS = 25
_DEPTH_POWER = 0.75
DEPTH_SPREAD = 1.2  # mean depths closer together than this cannot tell rate from attention
_FASTEST = 1e-3  # r0 must stay a number: at most a thousand times the mean rate


def law_row(new_tokens: float, cached_tokens: float) -> Floats:
    """What 1/r0 and c are multiplied with: tokens read, and pairs of tokens compared."""
    return np.array([new_tokens, new_tokens * (2 * cached_tokens + new_tokens)], dtype=np.float64)


def law_rows(points: Sequence[PrefillPoint]) -> Floats:
    """`law_row` of each point, shape (points, 2)."""
    new = np.array([p.new_tokens for p in points], dtype=np.float64)
    cached = np.array([p.cached_tokens for p in points], dtype=np.float64)
    return np.column_stack([new, new * (2 * cached + new)])


def relative_residuals(points: Sequence[PrefillPoint], constants: tuple[float, float]) -> Floats:
    """Measured / fitted - 1 of each point."""
    measured_s = np.array([p.seconds for p in points])
    return as_floats(measured_s / (law_rows(points) @ np.array(constants)) - 1)


def certainty(points: Sequence[PrefillPoint]) -> Floats:
    """1 for a printed timing, less for one derived from latencies."""
    return np.array([1.0 if p.label == "measured" else 1 / DERIVED_NOISE for p in points])


def solve(points: Sequence[PrefillPoint]) -> tuple[float, float] | None:
    """(1/r0, c) with r0 > 0 and c >= 0; None if the points cannot tell the two terms apart.

    Huber weights, starting from the plain solution: the result depends on no order and no chance.
    """
    rows, trust = scaled_rows(points), trusts(points)
    mean_depth = mean_depths(points)
    if mean_depth.max() < DEPTH_SPREAD * mean_depth.min():
        return None
    constants = _nonnegative(rows, trust)
    for _ in range(_ROUNDS if len(points) > 2 else 0):
        residuals = np.abs(rows @ np.array(constants) - 1)
        scale = max(1.4826 * float(np.median(residuals)), NOISE_FLOOR)
        weights = trust * np.minimum(1.0, np.sqrt(_HUBER * scale / np.maximum(residuals, 1e-12)))
        previous, constants = constants, _nonnegative(rows, weights)
        if np.allclose(previous, constants, rtol=1e-9, atol=0.0):
            break
    return constants


def mean_depths(points: Sequence[PrefillPoint]) -> Floats:
    """Mean depth of each read, twice: what tells the two terms of the law apart."""
    rows = law_rows(points)
    return as_floats(rows[:, 1] / rows[:, 0])


def scaled_rows(points: Sequence[PrefillPoint]) -> Floats:
    """The law's rows divided by the measured times: the fitted constants make each of them 1."""
    return as_floats(law_rows(points) / np.array([p.seconds for p in points])[:, None])


def trusts(points: Sequence[PrefillPoint]) -> Floats:
    """Weight of each relative error before outliers are looked for; the deepest measured point has 1.

    Shallow reads carry what the law leaves out (warm-up, half-filled batches), and predictions are asked for deep ones.
    """
    depths = np.array([p.depth_tokens for p in points], dtype=np.float64)
    return as_floats(certainty(points) * (depths / depths.max()) ** _DEPTH_POWER)


def _nonnegative(rows: Floats, weights: Floats) -> tuple[float, float]:
    """Weighted least squares of `rows @ x = 1` with x >= 0; with two terms the border cases can be tried in turn."""
    left, right = rows * weights[:, None], weights
    norms = np.linalg.norm(left, axis=0)
    a, c = np.linalg.lstsq(left / norms, right, rcond=None)[0] / norms
    if a > 0 and c >= 0:
        return float(a), float(c)
    only_rate = float(left[:, 0] @ right / norms[0] ** 2)
    only_attention = float(left[:, 1] @ right / norms[1] ** 2)
    return (only_rate, 0.0) if c < 0 else (_FASTEST * only_rate, only_attention)
