"""Prefill constants from a case's own timings, with an interval that says how far they can be trusted.

Least squares on relative error for t = a n + c ((d+n)^2 - d^2), a = 1/r0 > 0, c >= 0; outliers are weighed down
(Huber), starting from the plain solution, so the result does not depend on the order of the points or on chance.

The interval of a prediction joins what the points say about noise (their residuals, never below a floor), what they
leave open about a and c (covariance: grows where the prediction lies outside the points), and what no fit can know (the
law is tested to twice the fitted depth only: grows with the ratio of the depths).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from .interval import Interval, Label
from .prefill import prefill_s
from .units import Floats, as_floats

Basis: TypeAlias = Literal["fit", "constant_rate"]

#: Below this the batch is not filled: the law underestimates such reads by about 40 % (median).
MIN_NEW_TOKENS = 1024

_CHUNK_TOKENS = 512  # perplexity and imatrix runs read in whole chunks of this size
_HUBER = 1.345  # keeps 95 % efficiency on normal noise
_ROUNDS = 25
_DEPTH_POWER = 0.75
_NOISE_FLOOR = 0.02  # the same request varies by about this much between runs
_PRIOR_WEIGHT = 3.0  # the floor counts as much as this many residuals
_LAW_ERROR = 0.05  # per doubling of the depth beyond the deepest point, growing faster than in proportion
_COVERAGE = 2.0  # standard deviations on each side
_DERIVED_NOISE = 2.0  # a time taken from latencies varies this much more than a printed timing
_BREAK_FACTOR = 1.15  # a reading this much above the law of all shallower ones is not noise
_BREAK_NOISE = 0.05  # ... if that law holds this well among them


@dataclass(frozen=True, slots=True)
class PrefillPoint:
    """One timed read: `new_tokens` evaluated behind `cached_tokens` in `seconds`.

    `label`: `measured` if the engine printed the time, `derived` if it comes from a latency. `window_tokens`: the
    context of the server, when known; it tells perplexity runs from long prompts.
    """

    new_tokens: int
    cached_tokens: int
    seconds: float
    label: Label = "measured"
    window_tokens: int | None = None

    @property
    def depth_tokens(self) -> int:
        """Tokens in the cache when the read has ended."""
        return self.new_tokens + self.cached_tokens


@dataclass(frozen=True, slots=True)
class Break:
    """From this depth on reads took `slowdown` times what the law of the shallower ones says (swap, CPU split, …)."""

    depth_tokens: int
    slowdown: float


@dataclass(frozen=True, slots=True)
class PrefillFit:
    """Fitted constants; `residuals` are relative, measured / fitted - 1, in the order of `points`.

    With `basis` `constant_rate` (one depth only) c is 0 and r0 the mean rate seen: predictions deeper than that are
    lower bounds, and their interval reaches up to the time under which all the cost were attention.
    """

    r0_tps: float
    c: float
    basis: Basis
    points: tuple[PrefillPoint, ...]
    residuals: tuple[float, ...]
    noise: float
    covariance: tuple[tuple[float, float], tuple[float, float]]
    dropped: int = 0
    break_at: Break | None = None

    @property
    def n_points(self) -> int:
        return len(self.points)

    @property
    def deepest_tokens(self) -> int:
        return max(point.depth_tokens for point in self.points)

    @property
    def label(self) -> Label:
        """Label of the constants: never `measured`, they are computed."""
        return "derived" if self.basis == "fit" else "estimated"

    def predict(self, new_tokens: float, cached_tokens: float = 0) -> Interval:
        """Seconds to read `new_tokens` behind `cached_tokens`, with bounds that should hold nine times in ten."""
        if new_tokens <= 0:
            return Interval.exact(0.0, "derived")
        if self.basis == "constant_rate":
            return _bounds_from_one_depth(self, new_tokens, cached_tokens)
        mid = float(prefill_s(new_tokens, cached_tokens, self.r0_tps, self.c))
        spread = _COVERAGE * self.relative_sd(new_tokens, cached_tokens)
        interval = Interval(mid / (1 + spread), mid, mid * (1 + spread), "estimated")
        return _after_break(self, interval, new_tokens + cached_tokens)

    def relative_sd(self, new_tokens: float, cached_tokens: float) -> float:
        """Relative standard deviation of a predicted time: noise, open constants and untested depth."""
        row = _row(new_tokens, cached_tokens)
        mid = float(row @ np.array([1 / self.r0_tps, self.c]))
        constants = float(row @ np.array(self.covariance) @ row) / mid**2
        doublings = max(0.0, math.log2((new_tokens + cached_tokens) / self.deepest_tokens))
        return math.sqrt(self.noise**2 + max(constants, 0.0) + (_LAW_ERROR * doublings**1.5) ** 2)


def usable_points(points: Sequence[PrefillPoint]) -> list[PrefillPoint]:
    """The points a fit may use, ordered by depth.

    Dropped: nothing read or no time; runs of whole 512-token chunks larger than the window (perplexity, imatrix: no
    depth); and reads below MIN_NEW_TOKENS, unless there are no others.
    """
    timed = [p for p in points if p.new_tokens > 0 and p.seconds > 0 and math.isfinite(p.seconds)]
    prompts = [p for p in timed if not _is_chunked_run(p)]
    filled = [p for p in prompts if p.new_tokens >= MIN_NEW_TOKENS]
    return sorted(filled or prompts, key=lambda p: (p.depth_tokens, p.new_tokens, p.seconds))


def fit_prefill(points: Sequence[PrefillPoint]) -> PrefillFit | None:
    """Fit r0 and c to timed reads of one host, model, build and cache type; None if no point is usable."""
    usable = usable_points(points)
    if not usable:
        return None
    dropped = len(points) - len(usable)
    break_at = _find_break(usable)
    base = [p for p in usable if break_at is None or p.depth_tokens < break_at.depth_tokens]
    return _fit(usable, base, dropped, break_at)


def _fit(usable: list[PrefillPoint], base: list[PrefillPoint], dropped: int, break_at: Break | None) -> PrefillFit:
    solution = _solve(base)
    if solution is None:
        return _constant_rate(usable, dropped)
    constants = solution
    residuals = _residuals(usable, constants)
    inside = _residuals(base, constants)
    noise = _noise(inside)
    return PrefillFit(
        r0_tps=1 / constants[0],
        c=constants[1],
        basis="fit",
        points=tuple(usable),
        residuals=tuple(float(r) for r in residuals),
        noise=noise,
        covariance=_covariance(base, constants, noise),
        dropped=dropped,
        break_at=break_at,
    )


def _constant_rate(points: list[PrefillPoint], dropped: int) -> PrefillFit:
    rate = float(np.median([p.new_tokens / p.seconds for p in points]))
    residuals = _residuals(points, (1 / rate, 0.0))
    return PrefillFit(
        r0_tps=rate,
        c=0.0,
        basis="constant_rate",
        points=tuple(points),
        residuals=tuple(float(r) for r in residuals),
        noise=_noise(residuals) if len(points) > 1 else 0.0,
        covariance=((0.0, 0.0), (0.0, 0.0)),
        dropped=dropped,
    )


def _row(new_tokens: float, cached_tokens: float) -> Floats:
    return np.array([new_tokens, new_tokens * (2 * cached_tokens + new_tokens)], dtype=np.float64)


def _rows(points: Sequence[PrefillPoint]) -> Floats:
    return np.array([_row(p.new_tokens, p.cached_tokens) for p in points])


def _solve(points: list[PrefillPoint]) -> tuple[float, float] | None:
    """(1/r0, c); None if the points cannot tell the two terms apart."""
    rows, seconds = _rows(points), np.array([p.seconds for p in points])
    scaled = rows / seconds[:, None]
    mean_depth = rows[:, 1] / rows[:, 0]
    if mean_depth.max() < 1.2 * mean_depth.min():
        return None
    trust = _trust(points)
    weights = trust
    constants = _nonnegative(scaled, weights)
    for _ in range(_ROUNDS if len(points) > 2 else 0):
        residuals = np.abs(scaled @ np.array(constants) - 1)
        scale = max(1.4826 * float(np.median(residuals)), _NOISE_FLOOR)
        weights = trust * np.minimum(1.0, np.sqrt(_HUBER * scale / np.maximum(residuals, 1e-12)))
        previous, constants = constants, _nonnegative(scaled, weights)
        if np.allclose(previous, constants, rtol=1e-9, atol=0.0):
            break
    return constants


def _trust(points: Sequence[PrefillPoint]) -> Floats:
    """Weight of each relative error before outliers are looked for; the deepest measured point has 1.

    Shallow reads carry what the law leaves out (warm-up, half-filled batches), and predictions are asked for deep ones.
    """
    depths = np.array([p.depth_tokens for p in points], dtype=np.float64)
    return as_floats(_certainty(points) * (depths / depths.max()) ** _DEPTH_POWER)


def _certainty(points: Sequence[PrefillPoint]) -> Floats:
    return np.array([1.0 if p.label == "measured" else 1 / _DERIVED_NOISE for p in points])


def _nonnegative(scaled: Floats, weights: Floats) -> tuple[float, float]:
    """Weighted least squares of `scaled @ x = 1` with x >= 0; with two terms the border cases can be tried in turn."""
    left, right = scaled * weights[:, None], weights
    norms = np.linalg.norm(left, axis=0)
    a, c = np.linalg.lstsq(left / norms, right, rcond=None)[0] / norms
    if a > 0 and c >= 0:
        return float(a), float(c)
    only_rate = float(left[:, 0] @ right / norms[0] ** 2)
    only_attention = float(left[:, 1] @ right / norms[1] ** 2)
    fastest = 1e-3 * only_rate  # r0 must stay a number: at most a thousand times the mean rate
    return (only_rate, 0.0) if c < 0 else (fastest, only_attention)


def _residuals(points: Sequence[PrefillPoint], constants: tuple[float, float]) -> Floats:
    measured_s = np.array([p.seconds for p in points])
    return as_floats(measured_s / (_rows(points) @ np.array(constants)) - 1)


def _noise(residuals: Floats) -> float:
    """Relative standard deviation of one read: the residuals' own, pulled towards the floor while they are few."""
    squares = float(np.sum(residuals**2))
    freedom = max(len(residuals) - 2, 0)
    return math.sqrt((squares + _PRIOR_WEIGHT * _NOISE_FLOOR**2) / (freedom + _PRIOR_WEIGHT))


def _covariance(
    points: Sequence[PrefillPoint], constants: tuple[float, float], noise: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    rows = _rows(points)
    scaled = rows * (_certainty(points) / (rows @ np.array(constants)))[:, None]
    norms = np.linalg.norm(scaled, axis=0)
    inverse = np.linalg.pinv((scaled / norms).T @ (scaled / norms)) / np.outer(norms, norms) * noise**2
    return (float(inverse[0, 0]), float(inverse[0, 1])), (float(inverse[1, 0]), float(inverse[1, 1]))


def _is_chunked_run(point: PrefillPoint) -> bool:
    window = point.window_tokens
    return window is not None and point.depth_tokens > window and point.new_tokens % _CHUNK_TOKENS == 0


def _find_break(points: list[PrefillPoint]) -> Break | None:
    """The shallowest depth from which every read is slower than the law of all shallower ones allows."""
    for start in range(3, len(points)):
        solution = _solve(points[:start])
        if solution is None or np.abs(_residuals(points[:start], solution)).max() > _BREAK_NOISE:
            continue
        beyond = _residuals(points[start:], solution) + 1
        near = points[start].depth_tokens <= 2 * points[start - 1].depth_tokens
        if near and len(beyond) >= 2 and beyond.min() >= _BREAK_FACTOR:
            return Break(points[start].depth_tokens, float(beyond.max()))
    return None


def _after_break(fit: PrefillFit, interval: Interval, depth_tokens: float) -> Interval:
    """Beyond a break the worst slowdown is the best guess, the old law the lower bound, twice the extra the upper."""
    if fit.break_at is None or depth_tokens < fit.break_at.depth_tokens:
        return interval
    slow = fit.break_at.slowdown
    return Interval(interval.low, interval.mid * slow, interval.high * (2 * slow - 1), "estimated")


def _bounds_from_one_depth(fit: PrefillFit, new_tokens: float, cached_tokens: float) -> Interval:
    """All cost per token on one side, all cost attention on the other: any r0 > 0 and c >= 0 lies between."""
    reference = max(fit.points, key=lambda p: p.depth_tokens)
    row, seen = _row(new_tokens, cached_tokens), _row(reference.new_tokens, reference.cached_tokens)
    constant_rate_s = new_tokens / fit.r0_tps
    all_attention_s = row[1] / seen[1] * seen[0] / fit.r0_tps
    low, high = sorted((constant_rate_s, float(all_attention_s)))
    widen = 1 + _COVERAGE * fit.noise
    return Interval(low / widen, constant_rate_s, high * widen, "estimated")
