"""Offset between an agent's clock and a server's, estimated from the data alone.

A call and the last request it owns end together (to fractions of a second), so the differences of all ends pile up at
the true offset. A server that logs in wall-clock time is expected within minutes of the agent; one that counts from its
own start may be anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MAX_SKEW_S = 150.0  # clocks of machines that both have a wall clock
_MAX_PAIRS = 4_000_000
_CANDIDATES = 12
_SLACK_S = 1.0
_MIN_WEIGHT = 0.25
_START_WEIGHT = 0.5
_CUT_WEIGHT = 0.7  # calls that a limit cut are all as long: less than an end and a start that agree
_COVER_WEIGHT = 0.5
_PART_S = 7200.0  # drift is looked for over parts of this length
_MIN_PARTS = 4
_MIN_LOCAL = 3
_CLEARLY = 1.05


@dataclass(frozen=True, slots=True)
class Calls:
    """Ends and starts in seconds (NaN if unknown), prompt tokens (NaN if unknown), whether the call failed.

    `step_s`: resolution of the stamps; the moments are the middles of what each stamp may mean.
    """

    start_s: Floats
    end_s: Floats
    tokens: Floats
    failed: NDArray[np.bool_]
    step_s: float = 0.0


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
    """Agent's clock minus the server's (for a relative log: the agent's time at the server's zero).

    `seconds` holds at the agent's time `reference_s`; `drift` is what it gains per second.
    """

    seconds: float
    pairs: int
    score: float
    relative: bool
    drift: float = 0.0
    reference_s: float = 0.0

    def at(self, agent_time_s: Floats) -> Floats:
        """Offset at each of the agent's times (seconds)."""
        return self.seconds + self.drift * (agent_time_s - self.reference_s)

    @property
    def basis(self) -> str:
        what = "start of the server's clock" if self.relative else "offset"
        moving = f", drifting by {self.drift * 86400:+.1f} s a day" if self.drift else ""
        return f"{what} estimated from the ends of {self.pairs} calls{moving}"


def estimate_offset(calls: Calls, requests: Requests, relative: bool) -> Offset | None:
    """The offset under which most calls end with a request that fits them, with drift if that fits clearly more.

    None if no call goes with any request.
    """
    if not len(calls.end_s) or not len(requests.end_s):
        return None
    pairs = _pairs(calls, requests, relative)
    if not len(pairs.row):
        return None
    step_s = requests.step_s + calls.step_s
    constant = _best_constant(pairs, step_s, relative, _Cover(calls, requests) if relative else None)
    return with_drift(pairs, constant, step_s) if constant is not None else None


class _Cover:
    """How many requests began while some call was going on: tells apart offsets under which equally many calls fit."""

    def __init__(self, calls: Calls, requests: Requests) -> None:
        known = ~np.isnan(calls.start_s)
        order = np.argsort(calls.start_s[known], kind="stable")
        self._starts = calls.start_s[known][order]
        # A call whose end nobody told is not taken to outlast all others.
        over = np.nanmax(calls.end_s) if not np.all(np.isnan(calls.end_s)) else np.inf
        ends = np.where(np.isnan(calls.end_s), np.maximum(over, calls.start_s), calls.end_s)[known][order]
        self._latest = np.maximum.accumulate(ends) if len(ends) else ends
        self._requests = requests.start_s[~np.isnan(requests.start_s)]

    def share(self, seconds: float) -> float:
        """Share of the requests, under this offset."""
        if not len(self._starts) or not len(self._requests):
            return 0.0
        moments = self._requests + seconds
        before = np.searchsorted(self._starts, moments + _SLACK_S) - 1
        inside = (before >= 0) & (self._latest[np.maximum(before, 0)] >= moments - _SLACK_S)
        return float(inside.mean())


def _best_constant(pairs: Pairs, step_s: float, relative: bool, cover: _Cover | None = None) -> Offset | None:
    best: Offset | None = None
    for candidate in _peaks(pairs.difference, pairs.weight, step_s + _SLACK_S, relative):
        offset = _evaluate(pairs, candidate, step_s, relative)
        if offset is not None and cover is not None:
            offset = replace(offset, score=offset.score * (1 + _COVER_WEIGHT * cover.share(offset.seconds)))
        if offset is not None and (best is None or _better(offset, best)):
            best = offset
    return best


def with_drift(pairs: Pairs, constant: Offset, step_s: float) -> Offset:
    """A straight line through the offsets of successive parts of the case, if it explains clearly more calls."""
    times = pairs.ends[pairs.row]
    span = float(times.max() - times.min())
    parts = max(1, int(span // _PART_S))
    if parts < _MIN_PARTS:
        return constant
    middle = float(times.min() + span / 2)
    local = [
        _local(pairs, times, middle + span * ((k + 0.5) / parts - 0.5), span / parts, step_s, constant)
        for k in range(parts)
    ]
    found = [point for point in local if point is not None]
    if len(found) < _MIN_PARTS:
        return constant
    at, seconds = (np.array(values) for values in zip(*found, strict=True))
    slope = _theil_sen(at, seconds)
    base = float(np.median(seconds - slope * (at - middle)))
    line: Offset | None = constant
    for _ in range(3):
        straight = pairs.moved(slope * (times - middle))
        line = _evaluate(straight, base, step_s, constant.relative)
        if line is None:
            return constant
        chosen = np.abs(straight.difference - line.seconds) <= step_s / 2 + _SLACK_S
        chosen &= pairs.weight > _MIN_WEIGHT
        slope += _slope(times[chosen] - middle, straight.difference[chosen], pairs.weight[chosen])
        base = line.seconds
    if line is None or line.score < _CLEARLY * constant.score or abs(slope * span) < step_s:
        return constant
    return Offset(line.seconds, line.pairs, line.score, constant.relative, slope, middle)


def _local(
    pairs: Pairs, times: Floats, middle: float, width: float, step_s: float, constant: Offset
) -> tuple[float, float] | None:
    """Time and offset of one part of the case, from its own calls."""
    mine = pairs.only(
        (np.abs(times - middle) <= width / 2) & (np.abs(pairs.difference - constant.seconds) <= MAX_SKEW_S)
    )
    best = _best_constant(mine, step_s, constant.relative) if len(mine.row) else None
    return (middle, best.seconds) if best is not None and best.pairs >= _MIN_LOCAL else None


def _theil_sen(at: Floats, seconds: Floats) -> float:
    first, second = np.triu_indices(len(at), 1)
    return float(np.median((seconds[second] - seconds[first]) / (at[second] - at[first])))


def _slope(at: Floats, residual: Floats, weight: Floats) -> float:
    centred = at - np.average(at, weights=weight)
    spread = float(np.sum(weight * centred**2))
    return (
        float(np.sum(weight * centred * (residual - np.average(residual, weights=weight)))) / spread
        if spread > 0
        else 0.0
    )


def _better(one: Offset, other: Offset) -> bool:
    if abs(one.score - other.score) > 1e-6:
        return one.score > other.score
    return abs(one.seconds) < abs(other.seconds)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Calls and requests that may belong together: indices, difference of their ends, weight; `ends` of all calls."""

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    difference: Floats
    weight: Floats
    ends: Floats

    def only(self, mask: NDArray[np.bool_]) -> Pairs:
        return Pairs(self.row[mask], self.column[mask], self.difference[mask], self.weight[mask], self.ends)

    def moved(self, by: Floats) -> Pairs:
        return Pairs(self.row, self.column, self.difference - by, self.weight, self.ends)


def _pairs(calls: Calls, requests: Requests, relative: bool) -> Pairs:
    """All pairs to be considered, weighed: by their ends, and where these cannot agree by their starts."""
    by_end = _by_end(calls, requests, relative)
    by_start = _by_start(calls, requests, relative)
    both = [np.concatenate(parts) for parts in zip(by_end, by_start, strict=True)]
    row, column = both[0].astype(np.int64), both[1].astype(np.int64)
    moments = np.where(np.isnan(calls.end_s), calls.start_s, calls.end_s)
    return Pairs(row, column, both[2], both[3], moments).only(both[3] > _MIN_WEIGHT)


def _by_end(calls: Calls, requests: Requests, relative: bool) -> tuple[Floats, Floats, Floats, Floats]:
    row, column = _indices(calls.end_s, requests.middle_s, relative)
    weight = _weights(calls, requests, row, column)
    return row.astype(np.float64), column.astype(np.float64), calls.end_s[row] - requests.middle_s[column], weight


def _by_start(calls: Calls, requests: Requests, relative: bool) -> tuple[Floats, Floats, Floats, Floats]:
    """A client that left, or one that a proxy kept waiting, ends at another time than the server does."""
    starts = requests.start_s + requests.step_s / 2
    row, column = _indices(calls.start_s, starts, relative)
    length = calls.end_s[row] - calls.start_s[row]
    served = requests.end_s[column] - requests.start_s[column]
    differ = np.isnan(length) | ~(np.abs(length - served) <= 1.0 + requests.step_s + calls.step_s + 0.02 * served)
    theirs, mine = requests.tokens[column], calls.tokens[row]
    both = ~np.isnan(theirs) & ~np.isnan(mine)
    weight = np.where(differ & (calls.failed[row] | np.isnan(length)), _START_WEIGHT, 0.0)
    weight = np.where(both, weight * np.where(theirs == mine, 4.0, 0.3), weight)
    return row.astype(np.float64), column.astype(np.float64), calls.start_s[row] - starts[column], weight


def _indices(mine: Floats, theirs: Floats, relative: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Index pairs to be considered: near in time for wall clocks, else all (thinned out evenly when too many)."""
    known, columns = np.flatnonzero(~np.isnan(mine)), np.flatnonzero(~np.isnan(theirs))
    if relative:
        step = max(1, len(known) * len(columns) // _MAX_PAIRS)
        rows = known[::step]
        return np.repeat(rows, len(columns)), np.tile(columns, len(rows))
    order = columns[np.argsort(theirs[columns], kind="stable")]
    ends = theirs[order]
    low = np.searchsorted(ends, mine[known] - MAX_SKEW_S)
    count = np.searchsorted(ends, mine[known] + MAX_SKEW_S) - low
    rows = np.repeat(known, count)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return rows, order[np.repeat(low, count) + within]


def _weights(calls: Calls, requests: Requests, row: NDArray[np.int64], column: NDArray[np.int64]) -> Floats:
    """How well a call and a request go together apart from when: length, tokens, failure."""
    length = calls.end_s[row] - calls.start_s[row]
    served = requests.end_s[column] - requests.start_s[column]
    gap = length - served
    tolerance = 1.0 + requests.step_s + calls.step_s + 0.02 * served
    unknown = np.isnan(gap)
    equal = np.abs(gap) <= tolerance
    longer = gap > tolerance  # retries, or a start that was derived
    alike = np.where(calls.failed[row], _CUT_WEIGHT, 1.0 + 0.5 * (served > 2))
    weight = np.where(unknown, 0.6, np.where(equal, alike, np.where(longer, 0.4, 0.0)))
    theirs, mine = requests.tokens[column], calls.tokens[row]
    both = ~np.isnan(theirs) & ~np.isnan(mine)
    weight = weight + np.where(both & (theirs == mine), 3.0, 0.0)
    weight = np.where(both & (theirs != mine), weight * 0.3, weight)
    # A length that agrees to a tenth of a second is rarely chance; those that a limit cut are all alike.
    exact = (np.abs(gap) <= 0.15) & ~calls.failed[row]
    weight = weight + np.where(exact & (served > 1), 1.0, 0.0)
    return np.where(calls.failed[row] == requests.failed[column], weight, weight * 0.3)


def _peaks(difference: Floats, weight: Floats, width: float, relative: bool) -> list[float]:
    """Centres of the heaviest windows of `width` seconds over the differences."""
    order = np.argsort(difference, kind="stable")
    sorted_difference, cumulative = difference[order], np.concatenate([[0.0], np.cumsum(weight[order])])
    last = np.searchsorted(sorted_difference, sorted_difference + width, side="right")
    mass = cumulative[last] - cumulative[np.arange(len(order))]
    mass = mass if relative else mass - 1e-4 * np.abs(sorted_difference)
    centres = (sorted_difference + sorted_difference[last - 1]) / 2
    peaks: list[float] = []
    while len(peaks) < _CANDIDATES and len(mass) and mass.max() > 0:
        centre = float(centres[int(np.argmax(mass))])
        peaks.append(centre)
        mass = np.where(np.abs(centres - centre) <= width, 0.0, mass)
    return peaks


def _evaluate(pairs: Pairs, centre: float, step_s: float, relative: bool) -> Offset | None:
    """Score of one candidate: each call and each request counts once, the best pair first."""
    row, column, difference, weight = pairs.row, pairs.column, pairs.difference, pairs.weight
    inside = np.flatnonzero(np.abs(difference - centre) <= step_s / 2 + _SLACK_S)
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
