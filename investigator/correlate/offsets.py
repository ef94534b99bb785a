"""Offset between an agent's clock and a server's, estimated from the data alone.

A call and the last request it owns end together (to fractions of a second), so the differences of all ends pile up at
the true offset. A server that logs in wall-clock time is expected within minutes of the agent; one that counts from its
own start may be anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MAX_SKEW_S = 150.0  # clocks of machines that both have a wall clock
_MAX_PAIRS = 4_000_000
_CANDIDATES = 12
_SLACK_S = 1.0


@dataclass(frozen=True, slots=True)
class Calls:
    """Ends and starts in seconds (start NaN if unknown), prompt tokens (NaN if unknown), whether the call failed."""

    start_s: Floats
    end_s: Floats
    tokens: Floats
    failed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Requests:
    """The same of server requests; `step_s` is the resolution of their stamps: the end lies in [end, end + step)."""

    start_s: Floats
    end_s: Floats
    tokens: Floats
    failed: NDArray[np.bool_]
    step_s: float

    @property
    def middle_s(self) -> Floats:
        return self.end_s + self.step_s / 2


@dataclass(frozen=True, slots=True)
class Offset:
    """Agent's clock minus the server's (for a relative log: the agent's time at the server's zero)."""

    seconds: float
    pairs: int
    score: float
    relative: bool

    @property
    def basis(self) -> str:
        what = "start of the server's clock" if self.relative else "offset"
        return f"{what} estimated from the ends of {self.pairs} calls" if self.pairs else "no call matches a request"


def estimate_offset(calls: Calls, requests: Requests, relative: bool) -> Offset | None:
    """The offset under which most calls end with a request that fits them; None if none does."""
    if not len(calls.end_s) or not len(requests.end_s):
        return None
    row, column = _pairs(calls, requests, relative)
    if not len(row):
        return None
    difference = calls.end_s[row] - requests.middle_s[column]
    weight = _weights(calls, requests, row, column, difference)
    best: Offset | None = None
    for candidate in _peaks(difference, weight, requests.step_s + _SLACK_S, relative):
        offset = _evaluate(difference, weight, row, column, candidate, requests.step_s, relative)
        if offset is not None and (best is None or _better(offset, best)):
            best = offset
    return best


def _better(one: Offset, other: Offset) -> bool:
    if abs(one.score - other.score) > 1e-6:
        return one.score > other.score
    return abs(one.seconds) < abs(other.seconds)


def _pairs(calls: Calls, requests: Requests, relative: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Index pairs to be considered: near in time for wall clocks, else all (thinned out evenly when too many)."""
    n_calls, n_requests = len(calls.end_s), len(requests.end_s)
    if relative:
        step = max(1, n_calls * n_requests // _MAX_PAIRS)
        rows = np.arange(0, n_calls, step)
        return np.repeat(rows, n_requests), np.tile(np.arange(n_requests), len(rows))
    order = np.argsort(requests.middle_s, kind="stable")
    ends = requests.middle_s[order]
    low = np.searchsorted(ends, calls.end_s - MAX_SKEW_S)
    count = np.searchsorted(ends, calls.end_s + MAX_SKEW_S) - low
    rows = np.repeat(np.arange(n_calls), count)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return rows, order[np.repeat(low, count) + within]


def _weights(
    calls: Calls, requests: Requests, row: NDArray[np.int64], column: NDArray[np.int64], difference: Floats
) -> Floats:
    """How well a call and a request go together apart from when: length, tokens, failure."""
    length = calls.end_s[row] - calls.start_s[row]
    served = requests.end_s[column] - requests.start_s[column]
    gap = length - served
    tolerance = 1.0 + requests.step_s + 0.02 * served
    equal = np.abs(gap) <= tolerance
    longer = gap > tolerance  # retries, or a start that was derived
    weight = np.where(np.isnan(length), 0.6, np.where(equal, 1.0 + 0.5 * (served > 2), np.where(longer, 0.4, 0.0)))
    theirs, mine = requests.tokens[column], calls.tokens[row]
    both = ~np.isnan(theirs) & ~np.isnan(mine)
    weight = weight + np.where(both & (theirs == mine), 3.0, 0.0)
    weight = np.where(both & (theirs != mine), weight * 0.3, weight)
    weight = np.where(calls.failed[row] == requests.failed[column], weight, weight * 0.3)
    return np.where(np.abs(difference) < np.inf, weight, 0.0)


def _peaks(difference: Floats, weight: Floats, width: float, relative: bool) -> list[float]:
    """Centres of the heaviest windows of `width` seconds over the differences."""
    order = np.argsort(difference, kind="stable")
    sorted_difference, cumulative = difference[order], np.concatenate([[0.0], np.cumsum(weight[order])])
    last = np.searchsorted(sorted_difference, sorted_difference + width, side="right")
    mass = cumulative[last] - cumulative[np.arange(len(order))]
    mass = mass if relative else mass - 1e-4 * np.abs(sorted_difference)
    peaks: list[float] = []
    for index in np.argsort(-mass, kind="stable"):
        centre = float((sorted_difference[index] + sorted_difference[last[index] - 1]) / 2)
        if all(abs(centre - seen) > width for seen in peaks):
            peaks.append(centre)
        if len(peaks) == _CANDIDATES:
            break
    return peaks


def _evaluate(
    difference: Floats,
    weight: Floats,
    row: NDArray[np.int64],
    column: NDArray[np.int64],
    centre: float,
    step_s: float,
    relative: bool,
) -> Offset | None:
    """Score of one candidate: each call and each request counts once, the best pair first."""
    inside = np.flatnonzero((np.abs(difference - centre) <= step_s / 2 + _SLACK_S) & (weight > 0.25))
    order = inside[np.argsort(-weight[inside], kind="stable")]
    calls: set[int] = set()
    requests: set[int] = set()
    chosen: list[int] = []
    for index in order.tolist():
        if int(row[index]) in calls or int(column[index]) in requests:
            continue
        calls.add(int(row[index]))
        requests.add(int(column[index]))
        chosen.append(index)
    if not chosen:
        return None
    picked = np.array(chosen)
    return Offset(_median(difference[picked], weight[picked]), len(chosen), float(weight[picked].sum()), relative)


def _median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values, kind="stable")
    half = np.cumsum(weights[order])
    middle = half[-1] / 2
    low = int(np.searchsorted(half, middle - 1e-9))
    high = min(int(np.searchsorted(half, middle + 1e-9)), len(values) - 1)
    return float((values[order][low] + values[order][high]) / 2)
