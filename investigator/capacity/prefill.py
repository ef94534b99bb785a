"""How long a prompt takes to read, and the same law solved for the prompt and for the timeout.

The law (n tokens to read behind d tokens that are already cached)::

    t = t0 + n / r0 + c * ((d + n)^2 - d^2)

r0 (tokens/s) is the rate of the matrix multiplications, c (s/token^2) the attention cost of a pair of tokens. On 25
public sets of at least 3 points the law fits the worst point within 1.4 % (median; 95th percentile 7 %) and predicts
the deepest point from the others within 2.5 % (median; worst 29 %, under memory pressure). A constant rate from the
shallowest point is 49 % short (median).

All functions take floats or arrays and broadcast; NaN in, NaN out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .interval import Interval, weakest
from .units import Floats, as_floats


def prefill_s(
    to_read_tokens: ArrayLike,
    cached_tokens: ArrayLike,
    r0_tps: ArrayLike,
    c_s_per_token2: ArrayLike,
    t0_s: ArrayLike = 0.0,
) -> Floats:
    """Seconds to read `to_read_tokens` behind `cached_tokens`: n/r0 + c((d+n)^2 - d^2) + t0."""
    new, depth = as_floats(to_read_tokens), as_floats(cached_tokens)
    pairs = new * (2 * depth + new)
    return as_floats(as_floats(t0_s) + _divide(new, r0_tps) + as_floats(c_s_per_token2) * pairs)


def mean_prefill_tps(
    to_read_tokens: ArrayLike,
    cached_tokens: ArrayLike,
    r0_tps: ArrayLike,
    c_s_per_token2: ArrayLike,
    t0_s: ArrayLike = 0.0,
) -> Floats:
    """Mean tokens/s over the whole read; it falls with depth. NaN for nothing to read."""
    seconds = prefill_s(to_read_tokens, cached_tokens, r0_tps, c_s_per_token2, t0_s)
    return _divide(to_read_tokens, seconds)


def prefill_tps_at(depth_tokens: ArrayLike, r0_tps: ArrayLike, c_s_per_token2: ArrayLike) -> Floats:
    """Instantaneous tokens/s at a depth: 1 / (1/r0 + 2cd). A quoted rate is usually this one, at an unknown depth."""
    per_token_s = _divide(1.0, r0_tps) + 2 * as_floats(c_s_per_token2) * as_floats(depth_tokens)
    return _divide(1.0, per_token_s)


def largest_prompt_tokens(
    timeout_s: ArrayLike,
    r0_tps: ArrayLike,
    c_s_per_token2: ArrayLike,
    cached_tokens: ArrayLike = 0.0,
    t0_s: ArrayLike = 0.0,
) -> Floats:
    """Largest number of tokens still to be read that ends within `timeout_s`, as a real number; 0 if none does.

    Solves c n^2 + b n = T - t0 with b = 1/r0 + 2cd in the form 2(T - t0) / (b + sqrt(b^2 + 4c(T - t0))), which stays
    exact for c = 0.
    """
    budget_s = np.maximum(as_floats(timeout_s) - as_floats(t0_s), 0.0)
    c = as_floats(c_s_per_token2)
    slope = _divide(1.0, r0_tps) + 2 * c * as_floats(cached_tokens)
    return _divide(2 * budget_s, slope + np.sqrt(slope**2 + 4 * c * budget_s))


def smallest_timeout_s(
    to_read_tokens: ArrayLike,
    cached_tokens: ArrayLike,
    r0_tps: ArrayLike,
    c_s_per_token2: ArrayLike,
    safety: ArrayLike = 1.0,
    t0_s: ArrayLike = 0.0,
) -> Floats:
    """Smallest limit that this read passes, times `safety` (see `safety_factor`)."""
    return as_floats(
        prefill_s(to_read_tokens, cached_tokens, r0_tps, c_s_per_token2, t0_s) * as_floats(safety),
    )


def safety_factor(depth_tokens: ArrayLike, deepest_fitted_tokens: ArrayLike) -> Floats:
    """1.3 inside twice the fitted depth, 1.6 beyond it, where the law is untested."""
    ratio = _divide(depth_tokens, deepest_fitted_tokens)
    return np.where(np.isnan(ratio), np.nan, np.where(ratio > 2, 1.6, 1.3))


def prefill_interval_s(to_read_tokens: float, cached_tokens: float, r0_tps: Interval, c: Interval) -> Interval:
    """Seconds from constants that are intervals: fastest r0 with the smallest c, and the other way round."""
    low, mid, high = (
        float(prefill_s(to_read_tokens, cached_tokens, r0, slope))
        for r0, slope in ((r0_tps.high, c.low), (r0_tps.mid, c.mid), (r0_tps.low, c.high))
    )
    return Interval(low, mid, high, weakest(r0_tps.label, c.label))


def _divide(top: ArrayLike, bottom: ArrayLike) -> Floats:
    """Quotient with NaN, not infinity, over zero: an unknown rate must not look like an endless read."""
    denominator = as_floats(bottom)
    return as_floats(as_floats(top) / np.where(denominator == 0, np.nan, denominator))
