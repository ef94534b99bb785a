"""Candidate pairs of agent calls and server requests → which request belongs to which call.

First each call gets one request, so that the sum of the scores is as great as can be; then calls that were given up
get one of which neither end agrees (it waited, the server went on); at last the calls get the repeats between and
behind their first one. Requests of one call do not overlap, and none follows one
that came to an answer, unless nothing else can be meant: see `_goes_on`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations, pairwise

TOLERANCE_S = 1.5
_SURE_SCORE = 4.0
_AT_ONCE_S = 1.0  # the next request of one call follows an answer at once
_INSIDE_S = 0.1
_AMBIGUOUS = 0.5
_GIVES = 0.75  # no call gives up a request for one that fits it clearly less
_DEPTH = 4  # how many calls may have to change their request so that another one gets its own


@dataclass(frozen=True, slots=True)
class Candidate:
    """A request that lies inside a call (or a logged try of one: `owner` names the whole call).

    `aligned`: one end of the two agrees; `begun`: the call's start is known; `gave_up`: the call's client left;
    `outside_s`: by how much the request lies outside of the call, beyond the stamps' resolution; `outlasts`: the server
    went on after the call's end; `last`: it ended with the call.
    """

    call: int
    owner: str
    request: int
    score: float
    reasons: str
    aligned: bool
    clock: str
    begun: bool
    gave_up: bool
    outside_s: float
    outlasts: bool
    last: bool


@dataclass(frozen=True, slots=True)
class Times:
    """Start and end of a request in seconds of its clock, and whether it came to an answer."""

    start_s: float
    end_s: float
    good: bool


@dataclass(slots=True)
class Assignment:
    """`taken`: request → the candidate that holds it. `owned`: call → its requests."""

    times: Mapping[int, Times]
    taken: dict[int, Candidate] = field(default_factory=dict)
    owned: dict[int, list[int]] = field(default_factory=dict)

    def take(self, candidate: Candidate) -> None:
        self.taken[candidate.request] = candidate
        self.owned.setdefault(candidate.call, []).append(candidate.request)

    def drop(self, request: int) -> None:
        self.owned[self.taken.pop(request).call].remove(request)


def assign(candidates: Iterable[Candidate], times: Mapping[int, Times]) -> Assignment:
    """Each request at most once; a call as often as its requests follow each other."""
    ordered = sorted(candidates, key=lambda c: (-c.score, c.call, c.request))
    result = Assignment(times)
    _one_each([c for c in ordered if c.aligned], result)
    for candidate in ordered:
        free = candidate.request not in result.taken and not result.owned.get(candidate.call)
        if free and candidate.gave_up:
            result.take(candidate)
    _repeats([c for c in ordered if c.begun], _sole(ordered), result)
    return result


def _one_each(ordered: list[Candidate], result: Assignment) -> None:
    """One request for each call, best first; a later call may push others aside if all together fit better."""
    of_call: dict[int, list[Candidate]] = {}
    for candidate in ordered:
        of_call.setdefault(candidate.call, []).append(candidate)
    for candidate in ordered:
        if candidate.request not in result.taken and not result.owned.get(candidate.call):
            result.take(candidate)
    for call in sorted(of_call):
        if result.owned.get(call):
            continue
        gain, moves = _best_chain(call, of_call, result, frozenset({call}), _DEPTH)
        if gain > 0:
            for old in [result.taken[c.request] for c in moves if c.request in result.taken]:
                result.drop(old.request)
            for candidate in moves:
                result.take(candidate)


def _best_chain(
    call: int, of_call: dict[int, list[Candidate]], result: Assignment, seen: frozenset[int], depth: int
) -> tuple[float, list[Candidate]]:
    """What a call gains by a request of its own, and the changes this takes."""
    best: tuple[float, list[Candidate]] = (0.0, [])
    for candidate in of_call.get(call, []):
        holder = result.taken.get(candidate.request)
        if holder is None:
            if candidate.score > best[0]:
                best = (candidate.score, [candidate])
        elif depth and holder.call not in seen:
            gain, moves = _best_chain(holder.call, of_call, result, seen | {holder.call}, depth - 1)
            if holder.score - (moves[0].score if moves else 0.0) > _GIVES:
                continue
            targets = {move.request for move in moves}
            total = candidate.score - holder.score + gain
            if total > best[0] and candidate.request not in targets:
                best = (total, [candidate, *moves])
    return best


def _sole(candidates: Iterable[Candidate]) -> set[int]:
    """Requests that only one call can have caused."""
    calls: dict[int, set[str]] = {}
    for candidate in candidates:
        calls.setdefault(candidate.request, set()).add(candidate.owner)
    return {request for request, of in calls.items() if len(of) == 1}


def _repeats(ordered: list[Candidate], sole: set[int], result: Assignment) -> None:
    """Further requests of calls that have one; again until nothing is added, since a chain grows from its end."""
    left = [c for c in ordered if c.request not in result.taken]
    grown = True
    while grown:
        grown = False
        for candidate in left:
            if candidate.request not in result.taken and _may_repeat(candidate, sole, result):
                result.take(candidate)
                grown = True
        left = [c for c in left if c.request not in result.taken]


def _may_repeat(candidate: Candidate, sole: set[int], result: Assignment) -> bool:
    others = result.owned.get(candidate.call)
    if not others or any(result.taken[other].clock != candidate.clock for other in others):
        return False
    ordered = sorted([*others, candidate.request], key=lambda request: (result.times[request].start_s, request))
    held = {other: result.taken[other] for other in others} | {candidate.request: candidate}
    if any(held[one].last and held[other].outlasts for one, other in combinations(ordered, 2)):
        return False
    steps = pairwise(ordered)
    # A client that left may have missed an answer.
    return all(_follows(one, other, candidate, sole, result.times) for one, other in steps)


def _follows(one: int, other: int, candidate: Candidate, sole: set[int], times: Mapping[int, Times]) -> bool:
    """Whether two requests of one call may come one after the other."""
    first, second = times[one], times[other]
    if second.start_s < first.end_s - TOLERANCE_S:
        return False
    return candidate.gave_up or not first.good or _goes_on(one, other, candidate, sole, times)


def _goes_on(one: int, other: int, candidate: Candidate, sole: set[int], times: Mapping[int, Times]) -> bool:
    """A request behind an answer: work inside one call of the agent (it compacts, it continues a cut answer).

    Only if it follows at once, lies inside the call and no other call can have caused either.
    """
    gap = times[other].start_s - times[one].end_s
    return gap <= _AT_ONCE_S and candidate.outside_s <= _INSIDE_S and one in sole and other in sole


def rivals(candidates: Iterable[Candidate], result: Assignment) -> dict[int, float]:
    """For each paired request the best score of another call for it, or of another free request for its call.

    Another try of the same call is no rival: whose request it is stays the same.
    """
    best: dict[int, float] = dict.fromkeys(result.taken, 0.0)
    for candidate in candidates:
        holder = result.taken.get(candidate.request)
        if holder is not None and holder.owner != candidate.owner:
            best[candidate.request] = max(best[candidate.request], candidate.score)
        if holder is None:
            for request in result.owned.get(candidate.call, []):
                best[request] = max(best[request], candidate.score)
    return best


def confidence(score: float, rival: float) -> float:
    """1 for a pair that fits in every respect and has no rival; half of it when a rival fits as well."""
    quality = min(1.0, max(0.1, score / _SURE_SCORE))
    lead = min(1.0, max(0.0, 2 * (score - rival) / max(score, 1e-9)))
    return round(quality * (0.5 + 0.5 * lead), 2)


def explain(reasons: str, rival: float, siblings: int, sure: float) -> str:
    """The reasons of a pair; says so where another pair would do nearly as well."""
    extra = [f"one of {siblings} requests of this call"] if siblings > 1 else []
    if rival == 0:
        extra.append("only candidate")
    else:
        extra.append("ambiguous: another one fits as well" if sure < _AMBIGUOUS else "best of several candidates")
    return "; ".join([reasons, *extra])
