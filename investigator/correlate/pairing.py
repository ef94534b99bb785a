"""Which server requests an agent's call owns, without any shared id.

Under the estimated clock offset a request lies inside the call that caused it. Among the candidates the ends, starts,
prompt tokens, outcomes and routes decide. One call may own several requests, one after the other: those an SDK repeated
behind the agent's back. A call that came to an answer owns at most one request that did.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .assign import TOLERANCE_S, Candidate, Times, assign, confidence, explain, rivals
from .offsets import Calls, Offset, Requests, estimate_offset
from .outcomes import SUCCESSES
from .sourced import value_of

_UNKNOWN_START_S = 3600.0  # a call without a start may have begun this long before its end
_SAME_LENGTH_S = 0.15
_WAITED_S = 1.0
_CLOSE_S = 0.75  # an answer that reached the agent ended this near to the call
_ALIGNED_S = 1.5  # one end of a call's only request lies this near to the call's own
_CLOSED = (
    "client_closed_before_first_byte",
    "client_closed_mid_stream",
    "client_closed_in_queue",
    "client_closed_in_load",
    "open_at_end",
    "connection_lost",
)
_LOST_ANSWER = ("connection_reset", "server_error")
#: Outcomes that a server's log and an agent's record may give the same failure.
_SAME_FAILURE: dict[str, tuple[str, ...]] = {
    "refused_window": ("refused_window", "refused_other"),
    "refused_other": ("refused_other", "refused_window", "server_error"),
    "server_error": ("server_error", "load_failed", "refused_other"),
    "load_failed": ("server_error", "load_failed", "client_closed_in_load"),
    **dict.fromkeys(_CLOSED, (*_CLOSED, "server_error")),
}

_OPEN_CALL_S = 3600.0  # a request of a call without an end may have waited this long for its slot
_SOON_S = 60.0
_OF_REQUEST = ("request", "outcome", "route", "asked")
_OF_CALL = ("call", "call_id", "outcome", "route", "asked")

Row: TypeAlias = Mapping[str, object]
Floats: TypeAlias = NDArray[np.float64]

_PAIR_SCHEMA = {"request": pl.UInt32, "call": pl.UInt32, "pairing_confidence": pl.Float64, "pairing_reasons": pl.String}


@dataclass(frozen=True, slots=True)
class ClockPair:
    """One agent against one server clock."""

    agent: str
    clock: str
    offset: Offset


@dataclass(frozen=True, slots=True)
class Pairing:
    """`pairs`: request, call, pairing_confidence, pairing_reasons. `clocks`: the offsets it rests on."""

    pairs: pl.DataFrame
    clocks: tuple[ClockPair, ...]


def clock_of() -> pl.Expr:
    """The clock a request is timed by: its stream's, or its own stretch's where times count from the process start."""
    return pl.when(pl.col("at_basis") == "relative").then("stretch").otherwise("stream")


def pair(calls: pl.DataFrame, requests: pl.DataFrame) -> Pairing:
    """Pair `find_calls` with `find_requests` rows (after `with_arrival`)."""
    work = requests.filter("inference").with_columns(clock=clock_of(), asked=value_of("asked_tokens"))
    dated = pl.col("ended_at").is_not_null() | pl.col("started_at").is_not_null()
    told = calls.filter(dated).with_columns(asked=value_of("asked_tokens"))
    clocks: list[ClockPair] = []
    candidates: list[Candidate] = []
    for (agent,), mine in told.partition_by("agent", as_dict=True, maintain_order=True).items():
        for (clock,), theirs in work.partition_by("clock", as_dict=True, maintain_order=True).items():
            relative = theirs["at_basis"][0] == "relative"
            offset = estimate_offset(_calls(mine), _requests(theirs), relative)
            if offset is not None:
                clocks.append(ClockPair(str(agent), str(clock), offset))
                candidates += _candidates(mine, theirs, offset, str(clock))
    return Pairing(_pairs(candidates, work), tuple(clocks))


def _seconds(frame: pl.DataFrame, column: str) -> Floats:
    values = frame[column]
    if values.dtype == pl.Datetime:
        values = values.dt.epoch("us") / 1e6
    return values.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _step(*stamps: Floats) -> float:
    """Resolution of stamps: the moment lies in [stamp, stamp + step)."""
    known = np.concatenate([values[~np.isnan(values)] for values in stamps])
    return 1.0 if len(known) and np.allclose(known, np.round(known), rtol=0, atol=1e-6) else 0.001


def _calls(frame: pl.DataFrame) -> Calls:
    failed = ~frame["outcome"].is_in(SUCCESSES)
    start, end = _seconds(frame, "started_at"), _seconds(frame, "ended_at")
    half = _step(start, end) / 2 if len(frame) > 1 else 0.0  # a single stamp may be whole by chance
    return Calls(start + half, end + half, _seconds(frame, "asked"), failed.to_numpy(), 2 * half)


def _requests(frame: pl.DataFrame) -> Requests:
    """Requests of one clock; those that end in the same second follow each other as their lines do."""
    ends = _seconds(frame, "left_s")
    failed, step = ~frame["outcome"].is_in(SUCCESSES), _step(ends)
    place = pl.int_range(pl.len()).over("stream", "left_s", order_by="byte_offset")
    within = frame.select((place + 0.5) / pl.len().over("stream", "left_s") - 0.5).to_series().to_numpy()
    shift = within if step == 1.0 else np.zeros(len(ends))
    return Requests(_seconds(frame, "came_s") + shift, ends + shift, _seconds(frame, "asked"), failed.to_numpy(), step)


def _candidates(calls: pl.DataFrame, requests: pl.DataFrame, offset: Offset, clock: str) -> list[Candidate]:
    """All (call, request) pairs in which the request lies inside the call, scored."""
    theirs, mine = _requests(requests), _calls(calls)
    begun_s = np.where(
        np.isnan(theirs.start_s), np.minimum(_seconds(requests, "start_s"), theirs.end_s), theirs.start_s
    )
    order = np.argsort(begun_s, kind="stable")
    starts = begun_s[order]
    rows = requests.select(*_OF_REQUEST, length=pl.col("left_s") - pl.col("came_s")).rows(named=True)
    offsets = offset.at(np.where(np.isnan(mine.end_s), mine.start_s, mine.end_s))
    step, bounds = theirs.step_s + mine.step_s, _seconds(calls, "not_before")
    found: list[Candidate] = []
    for index, call in enumerate(calls.select(*_OF_CALL, length="duration_s").rows(named=True)):
        moments = (mine.start_s[index], mine.end_s[index], bounds[index])
        begun, ended, bound = (moment - offsets[index] for moment in moments)
        span = _Span(begun, ended, bound, step)
        low = np.searchsorted(starts, span.earliest)
        high = np.searchsorted(starts, span.latest)
        for place in order[low:high].tolist():
            moment = _Moment(theirs.start_s[place], begun_s[place], theirs.middle_s[place])
            candidate = _candidate(call, rows[place], span, moment, clock)
            if candidate is not None:
                found.append(candidate)
    return found


@dataclass(frozen=True, slots=True)
class _Span:
    """A call in seconds of the server's clock (NaN if unknown).

    `bound_s`: what is known of a call without a start; `step_s`: resolution of both sides' stamps.
    """

    begun_s: float
    ended_s: float
    bound_s: float
    step_s: float

    @property
    def earliest(self) -> float:
        known = (value for value in (self.begun_s, self.bound_s) if not math.isnan(value))
        return next(known, self.ended_s - _UNKNOWN_START_S) - TOLERANCE_S - self.step_s

    @property
    def latest(self) -> float:
        """A call without an end may own what begins with it, or what has waited since."""
        ended = self.ended_s if not math.isnan(self.ended_s) else self.begun_s + _OPEN_CALL_S
        return ended + TOLERANCE_S


@dataclass(frozen=True, slots=True)
class _Moment:
    """A request: when it came (NaN if it waited), when work on it began, when it ended."""

    came_s: float
    begun_s: float
    ended_s: float

    def outside(self, span: _Span) -> float:
        """Seconds by which the request lies outside of the call, beyond what the stamps' resolution allows."""
        early, late = span.begun_s - self.begun_s, self.ended_s - span.ended_s
        return max(0.0, *(value - span.step_s for value in (early, late) if not math.isnan(value)))

    def came_before_end(self, span: _Span) -> bool:
        """Whether the client had time to wait for it; a call as short as that begins with it."""
        waited = span.ended_s - self.came_s
        return not waited < _WAITED_S or abs(span.begun_s - self.came_s) <= _CLOSE_S + span.step_s


def _candidate(call: Row, request: Row, span: _Span, moment: _Moment, clock: str) -> Candidate | None:
    gaps = (abs(span.ended_s - moment.ended_s), abs(span.begun_s - moment.came_s))
    over = moment.ended_s - span.ended_s > TOLERANCE_S + span.step_s
    if over and not (_ends_later(call, request, gaps[1]) and moment.came_before_end(span)):
        return None
    waits, open_call = math.isnan(moment.came_s), math.isnan(span.ended_s)
    if open_call and not waits and gaps[1] > _ALIGNED_S + span.step_s:
        return None
    scored = _score(call, request, gaps, span.step_s)
    if scored is None:
        return None
    score, reasons, aligned = scored
    outside = moment.outside(span)
    score -= min(2.0, 2.0 * outside) if not over else 0.0
    if open_call and waits:
        score, aligned = score + math.exp(-max(0.0, moment.begun_s - span.begun_s) / _SOON_S), True
    flags = not math.isnan(span.begun_s), call["outcome"] in _CLOSED
    ids = int(str(call["call"])), str(call["call_id"]), int(str(request["request"]))
    last = gaps[0] <= _SAME_LENGTH_S + span.step_s / 2
    return Candidate(*ids, score, reasons, aligned, clock, *flags, outside, over, last)


def _ends_later(call: Row, request: Row, start_gap: float) -> bool:
    """A server may notice only after a batch that its client has left: then the starts must agree."""
    left = request["outcome"] in _CLOSED or request["outcome"] in ("unknown", "server_error")
    waited = call["outcome"] in _CLOSED and request["outcome"] in _CLOSED  # it may have waited for a slot first
    return left and call["outcome"] not in SUCCESSES and (waited or start_gap <= _ALIGNED_S)


def _score(call: Row, request: Row, gaps: tuple[float, float], step_s: float) -> tuple[float, str, bool] | None:
    """Score, reasons, whether an end of the request lies at an end of the call; None if the two contradict."""
    if call["route"] is not None and request["route"] is not None and call["route"] != request["route"]:
        return None
    together = _outcomes_agree(str(call["outcome"]), str(request["outcome"]))
    if together is False:
        return None
    score, reasons = 1.0, ["inside the call"]
    known_start = not math.isnan(gaps[1])
    end_gap, start_gap = (math.inf if math.isnan(gap) else max(0.0, gap - step_s / 2) for gap in gaps)
    length = (
        abs(float(str(call["length"])) - float(str(request["length"])))
        if call["length"] and request["length"]
        else None
    )
    score += 2.0 * float(np.exp(-end_gap))
    if end_gap < 1:
        reasons.append(f"ends {end_gap:.1f} s apart")
    if known_start:
        score += float(np.exp(-start_gap))
        reasons += [f"starts {start_gap:.1f} s apart"] if start_gap < 1 else []
    if length is not None and length <= _SAME_LENGTH_S:
        score += 1.0
        reasons.append(f"as long to {length:.2f} s")
    asked, theirs = call["asked"], request["asked"]
    if isinstance(asked, int) and isinstance(theirs, int):
        score += 3.0 if asked == theirs else -1.0
        reasons.append("same prompt tokens" if asked == theirs else "other prompt tokens")
    if call["route"] is not None and call["route"] == request["route"]:
        score += 0.5
        reasons.append("same route")
    if together:
        score += 0.5
        reasons.append("same outcome")
    near = _CLOSE_S if together and call["outcome"] in SUCCESSES else _ALIGNED_S
    aligned = end_gap <= near or (known_start and start_gap <= near)
    return score, "; ".join(reasons), aligned


def _outcomes_agree(call: str, request: str) -> bool | None:
    """True, False, or None where either side does not know; a call that succeeded may own requests that failed."""
    if "unknown" in (call, request):
        return None
    if call in SUCCESSES:
        return True if request in SUCCESSES else None
    if request in SUCCESSES:
        # A hang-up in mid-stream is logged as 200, and what stands in between may lose an answer: nobody knows then.
        return None if call in (*_CLOSED, *_LOST_ANSWER) else False
    return request in _SAME_FAILURE.get(call, (request,))


def _pairs(candidates: list[Candidate], requests: pl.DataFrame) -> pl.DataFrame:
    """Assigned pairs with confidence and reasons."""
    mine = sorted({candidate.request for candidate in candidates})
    named = requests.join(pl.DataFrame({"request": mine}, schema={"request": pl.UInt32}), on="request")
    rows = named.select(
        "request", pl.coalesce("came_s", "start_s"), "left_s", pl.col("outcome").is_in(SUCCESSES)
    ).rows()
    result = assign(candidates, {row[0]: Times(*row[1:]) for row in rows})
    rival = rivals(candidates, result)
    found = []
    for c in sorted(result.taken.values(), key=lambda c: c.request):
        sure = confidence(c.score, rival[c.request])
        why = explain(c.reasons, rival[c.request], len(result.owned[c.call]), sure)
        found.append((c.request, c.call, sure, why))
    return pl.DataFrame(found, schema=_PAIR_SCHEMA, orient="row")
