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

from .breaks import Break, find_break
from .interval import Interval, Label
from .points import PrefillPoint, usable_points
from .prefill import prefill_s
from .solve import NOISE_FLOOR, certainty, law_row, law_rows, relative_residuals, solve
from .units import Floats

__all__ = ["Basis", "Break", "PrefillFit", "PrefillPoint", "fit_prefill", "usable_points"]

Basis: TypeAlias = Literal["fit", "constant_rate"]

_PRIOR_WEIGHT = 3.0  # the noise floor counts as much as this many residuals
_LAW_ERROR = 0.05  # per doubling of the depth beyond the deepest point, growing faster than in proportion
_COVERAGE = 2.0  # standard deviations on each side


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
        return interval if self.break_at is None else self.break_at.beyond(interval, new_tokens + cached_tokens)

    def relative_sd(self, new_tokens: float, cached_tokens: float) -> float:
        """Relative standard deviation of a predicted time: noise, open constants and untested depth."""
        row = law_row(new_tokens, cached_tokens)
        mid = float(row @ np.array([1 / self.r0_tps, self.c]))
        constants = float(row @ np.array(self.covariance) @ row) / mid**2
        doublings = max(0.0, math.log2((new_tokens + cached_tokens) / self.deepest_tokens))
        return math.sqrt(self.noise**2 + max(constants, 0.0) + (_LAW_ERROR * doublings**1.5) ** 2)


def fit_prefill(points: Sequence[PrefillPoint]) -> PrefillFit | None:
    """Fit r0 and c to timed reads of one host, model, build and cache type; None if no point is usable."""
    usable = usable_points(points)
    if not usable:
        return None
    dropped = len(points) - len(usable)
    break_at = find_break(usable)
    base = [p for p in usable if break_at is None or p.depth_tokens < break_at.depth_tokens]
    return _fit(usable, base, dropped, break_at)


def _fit(usable: list[PrefillPoint], base: list[PrefillPoint], dropped: int, break_at: Break | None) -> PrefillFit:
    constants = solve(base)
    if constants is None:
        return _constant_rate(usable, dropped)
    residuals = relative_residuals(usable, constants)
    noise = _noise(relative_residuals(base, constants))
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
    residuals = relative_residuals(points, (1 / rate, 0.0))
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


def _noise(residuals: Floats) -> float:
    """Relative standard deviation of one read: the residuals' own, pulled towards the floor while they are few."""
    squares = float(np.sum(residuals**2))
    freedom = max(len(residuals) - 2, 0)
    estimate = math.sqrt((squares + _PRIOR_WEIGHT * NOISE_FLOOR**2) / (freedom + _PRIOR_WEIGHT))
    return max(estimate, NOISE_FLOOR)


def _covariance(
    points: Sequence[PrefillPoint], constants: tuple[float, float], noise: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    rows = law_rows(points)
    scaled = rows * (certainty(points) / (rows @ np.array(constants)))[:, None]
    norms = np.linalg.norm(scaled, axis=0)
    inverse = np.linalg.pinv((scaled / norms).T @ (scaled / norms)) / np.outer(norms, norms) * noise**2
    return (float(inverse[0, 0]), float(inverse[0, 1])), (float(inverse[1, 0]), float(inverse[1, 1]))


def _bounds_from_one_depth(fit: PrefillFit, new_tokens: float, cached_tokens: float) -> Interval:
    """All cost per token on one side, all cost attention on the other: any r0 > 0 and c >= 0 lies between."""
    reference = max(fit.points, key=lambda p: p.depth_tokens)
    row, seen = law_row(new_tokens, cached_tokens), law_row(reference.new_tokens, reference.cached_tokens)
    constant_rate_s = new_tokens / fit.r0_tps
    all_attention_s = row[1] / seen[1] * seen[0] / fit.r0_tps
    low, high = sorted((constant_rate_s, float(all_attention_s)))
    widen = 1 + _COVERAGE * fit.noise
    return Interval(low / widen, constant_rate_s, high * widen, "estimated")
