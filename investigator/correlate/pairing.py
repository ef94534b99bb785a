"""Which server requests an agent's call owns, without any shared id.

Under the estimated clock offset a request lies inside the call that caused it. Among the candidates the ends, starts,
prompt tokens, outcomes and routes decide. One call may own several requests, one after the other: those an SDK repeated
behind the agent's back. A call that came to an answer owns at most one request that did.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from .offsets import Calls, Offset, Requests, estimate_offset
from .outcomes import SUCCESSES
from .sourced import value_of

_TOLERANCE_S = 1.5
_UNKNOWN_START_S = 3600.0  # a call without a start may have begun this long before its end
_SURE_SCORE = 4.0
_SAME_LENGTH_S = 0.15
_ALIGNED_S = 1.5  # one end of a call's only request lies this near to the call's own
_CLOSED = (
    "client_closed_before_first_byte",
    "client_closed_mid_stream",
    "client_closed_in_queue",
    "client_closed_in_load",
    "open_at_end",
    "connection_lost",
)
#: Outcomes that a server's log and an agent's record may give the same failure.
_SAME_FAILURE: dict[str, tuple[str, ...]] = {
    "refused_window": ("refused_window", "refused_other"),
    "refused_other": ("refused_other", "refused_window", "server_error"),
    "server_error": ("server_error", "load_failed", "refused_other"),
    "load_failed": ("server_error", "load_failed", "client_closed_in_load"),
    **dict.fromkeys(_CLOSED, (*_CLOSED, "server_error")),
}

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


@dataclass(slots=True)
class _Candidate:
    call: int
    request: int
    score: float
    reasons: str
    aligned: bool
    clock: str
    begun: bool
    gave_up: bool


def clock_of() -> pl.Expr:
    """The clock a request is timed by: its stream's, or its own stretch's where times count from the process start."""
    return pl.when(pl.col("at_basis") == "relative").then("stretch").otherwise("stream")


def pair(calls: pl.DataFrame, requests: pl.DataFrame) -> Pairing:
    """Pair `find_calls` with `find_requests` rows."""
    work = requests.filter("inference").with_columns(
        duration=pl.col("duration_s"), clock=clock_of(), asked=value_of("asked_tokens")
    )
    dated = pl.col("ended_at").is_not_null() | pl.col("started_at").is_not_null()
    told = calls.filter(dated).with_columns(asked=value_of("asked_tokens"))
    clocks: list[ClockPair] = []
    candidates: list[_Candidate] = []
    for (agent,), mine in told.partition_by("agent", as_dict=True, maintain_order=True).items():
        for (clock,), theirs in work.partition_by("clock", as_dict=True, maintain_order=True).items():
            relative = theirs["at_basis"][0] == "relative"
            offset = estimate_offset(_calls(mine), _dated(_requests(theirs), theirs), relative)
            if offset is not None:
                clocks.append(ClockPair(str(agent), str(clock), offset))
                candidates += _candidates(mine, theirs, offset, str(clock))
    return Pairing(_choose(candidates, requests), tuple(clocks))


def _seconds(frame: pl.DataFrame, column: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    values = frame[column]
    if values.dtype == pl.Datetime:
        values = values.dt.epoch("us") / 1e6
    return values.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _calls(frame: pl.DataFrame) -> Calls:
    failed = ~frame["outcome"].is_in(SUCCESSES)
    return Calls(
        _seconds(frame, "started_at"), _seconds(frame, "ended_at"), _seconds(frame, "asked"), failed.to_numpy()
    )


def _requests(frame: pl.DataFrame) -> Requests:
    """Requests of one clock."""
    ends = _seconds(frame, "end_s")
    step = 1.0 if np.allclose(ends, np.round(ends), atol=1e-6) else 0.001
    failed = ~frame["outcome"].is_in(SUCCESSES)
    return Requests(_seconds(frame, "start_s"), ends, _seconds(frame, "asked"), failed.to_numpy(), step)


def _dated(requests: Requests, frame: pl.DataFrame) -> Requests:
    """Without the start of requests that only waited for a slot: nobody logged when they came."""
    waited = ((frame["outcome"] == "client_closed_in_queue") & frame["duration"].is_null()).to_numpy()
    return replace(requests, start_s=np.where(waited, np.nan, requests.start_s))


def _candidates(calls: pl.DataFrame, requests: pl.DataFrame, offset: Offset, clock: str) -> list[_Candidate]:
    """All (call, request) pairs in which the request lies inside the call, scored."""
    theirs = _requests(requests)
    mine = _calls(calls)
    order = np.argsort(theirs.start_s, kind="stable")
    starts = theirs.start_s[order]
    rows = requests.select("request", "outcome", "route", "asked", length="duration").rows(named=True)
    offsets = offset.at(np.where(np.isnan(mine.end_s), mine.start_s, mine.end_s))
    found: list[_Candidate] = []
    for index, call in enumerate(
        calls.select("call", "outcome", "route", "asked", length="duration_s").rows(named=True)
    ):
        end = mine.end_s[index] - offsets[index]
        begun = mine.start_s[index] - offsets[index]
        begin = begun if not np.isnan(begun) else end - _UNKNOWN_START_S
        # A call without an end may own what begins with it.
        latest = end if not np.isnan(end) else begun + _ALIGNED_S
        low = np.searchsorted(starts, begin - _TOLERANCE_S - theirs.step_s)
        high = np.searchsorted(starts, latest + _TOLERANCE_S)
        for place in order[low:high].tolist():
            gaps = (abs(end - theirs.middle_s[place]), abs(begun - theirs.start_s[place]))
            over = theirs.end_s[place] - end > _TOLERANCE_S + theirs.step_s
            if over and not _ends_later(call, rows[place], gaps[1]):
                continue
            scored = _score(call, rows[place], gaps, theirs.step_s)
            if scored is not None:
                ids = int(call["call"]), int(rows[place]["request"])
                flags = not np.isnan(begun), call["outcome"] in _CLOSED
                found.append(_Candidate(ids[0], ids[1], *scored, clock, *flags))
    return found


def _ends_later(call: dict[str, object], request: dict[str, object], start_gap: float) -> bool:
    """A server may notice only after a batch that its client has left: then the starts must agree."""
    left = request["outcome"] in _CLOSED or request["outcome"] in ("unknown", "server_error")
    waited = call["outcome"] in _CLOSED and request["outcome"] in _CLOSED  # it may have waited for a slot first
    return left and call["outcome"] not in SUCCESSES and (waited or start_gap <= _ALIGNED_S)


def _score(
    call: dict[str, object], request: dict[str, object], gaps: tuple[float, float], step_s: float
) -> tuple[float, str, bool] | None:
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
    aligned = end_gap <= _ALIGNED_S or (known_start and start_gap <= _ALIGNED_S)
    return score, "; ".join(reasons), aligned


def _outcomes_agree(call: str, request: str) -> bool | None:
    """True, False, or None where either side does not know; a call that succeeded may own requests that failed."""
    if "unknown" in (call, request):
        return None
    if call in SUCCESSES:
        return True if request in SUCCESSES else None
    if request in SUCCESSES:
        # A hang-up in mid-stream is logged as 200, and a proxy in between may keep an answer back: nobody knows then.
        return None if call in _CLOSED else False
    return request in _SAME_FAILURE.get(call, (request,))


def _choose(candidates: list[_Candidate], requests: pl.DataFrame) -> pl.DataFrame:
    """Best candidates first; each request once, a call as often as its requests follow each other."""
    named = requests.join(
        pl.DataFrame({"request": sorted({c.request for c in candidates})}, schema={"request": pl.UInt32}), on="request"
    )
    rows_of = named.select("request", "outcome", "start_s", "end_s").rows()
    good = {request: outcome in SUCCESSES for request, outcome, _, _ in rows_of}
    times = {request: (start, end) for request, _, start, end in rows_of}
    owned: dict[int, list[int]] = {}
    taken: dict[int, _Candidate] = {}
    ordered = sorted(candidates, key=lambda c: (-c.score, c.call, c.request))
    # First one request for each call, then the repeats between and behind them, at last what waited for a slot.
    for candidate, step in [(c, step) for step in range(3) for c in ordered]:
        others = owned.setdefault(candidate.call, [])
        if candidate.request in taken or bool(others) != (step == 1):
            continue
        # What lies somewhere in the middle can only be a repeat between others of the same call.
        one_server = all(taken[other].clock == candidate.clock for other in others)
        answers = {} if candidate.gave_up else good  # a client that left may have missed an answer
        fits = all(_follow(candidate.request, other, times, answers) for other in others)
        if (candidate.aligned, candidate.begun, candidate.gave_up)[step] and one_server and fits:
            others.append(candidate.request)
            taken[candidate.request] = candidate
    rivals = _rivals(ordered, taken)
    rows = [
        (
            c.request,
            c.call,
            _confidence(c.score, rivals[c.request]),
            _explain(c.reasons, rivals[c.request], len(owned[c.call])),
        )
        for c in sorted(taken.values(), key=lambda c: c.request)
    ]
    return pl.DataFrame(rows, schema=_PAIR_SCHEMA, orient="row")


def _follow(one: int, other: int, times: dict[int, tuple[float, float]], good: dict[int, bool]) -> bool:
    """Whether two requests of one call do not overlap, and none follows one that came to an answer."""
    first, second = sorted((one, other), key=lambda request: times[request])
    return not good.get(first, False) and times[second][0] >= times[first][1] - _TOLERANCE_S


def _rivals(ordered: Iterable[_Candidate], taken: dict[int, _Candidate]) -> dict[int, float]:
    """For each paired request the best score of another call for it, or of another request for its call."""
    best: dict[int, float] = dict.fromkeys(taken, 0.0)
    of_call: dict[int, list[int]] = {}
    for request, candidate in taken.items():
        of_call.setdefault(candidate.call, []).append(request)
    for candidate in ordered:
        holder = taken.get(candidate.request)
        if holder is not None and holder.call != candidate.call:
            best[candidate.request] = max(best[candidate.request], candidate.score)
        if holder is None:
            for request in of_call.get(candidate.call, []):
                best[request] = max(best[request], candidate.score)
    return best


def _confidence(score: float, rival: float) -> float:
    """1 for a pair that fits in every respect and has no rival; half of it when a rival fits as well."""
    quality = min(1.0, max(0.1, score / _SURE_SCORE))
    lead = min(1.0, max(0.0, 2 * (score - rival) / max(score, 1e-9)))
    return round(quality * (0.5 + 0.5 * lead), 2)


def _explain(reasons: str, rival: float, siblings: int) -> str:
    extra = [f"one of {siblings} requests of this call"] if siblings > 1 else []
    extra.append("only candidate" if rival == 0 else "best of several candidates")
    return "; ".join([reasons, *extra])
