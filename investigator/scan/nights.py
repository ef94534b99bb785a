"""What changed since the last night: incidents with a stable identity are new, continuing, or gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

from investigator.diagnosis.model import Incident
from investigator.rulebook.findings import SEVERITIES, Severity

Change = Literal["new", "worse", "continuing", "better", "gone"]

#: Calls must rise by this share before a continuing incident is called worse.
WORSE_BY = 0.5


@dataclass(frozen=True, slots=True)
class Seen:
    """One incident in one night. identity: the same for the same trouble on the same model and host, in each night."""

    identity: str
    title: str
    cause: str | None
    severity: Severity
    sentence: str
    model: str | None
    place: str
    failed_calls: int


@dataclass(frozen=True, slots=True)
class Known:
    """An incident that was open after the last night."""

    seen: Seen
    first_night: int
    nights: int


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of one incident tonight. `before`: failed calls of the night before, None for a new one."""

    seen: Seen
    change: Change
    first_night: int
    nights: int
    before: int | None


def seen(incident: Incident, place: str) -> Seen:
    """An incident as nights remember it. place: what its logs share, such as the server log's path without rotation."""
    cause = incident.cause or next((finding.rule for finding in incident.findings), "unexplained")
    key = "\n".join((cause, incident.model or "", place))
    return Seen(
        identity=blake2b(key.encode(), digest_size=6).hexdigest(),
        title=incident.title,
        cause=incident.cause,
        severity=incident.severity,
        sentence=incident.sentence,
        model=incident.model,
        place=place,
        failed_calls=incident.impact.failed_calls,
    )


def merged(tonight: Sequence[Seen]) -> tuple[Seen, ...]:
    """One per identity: the worst speaks for all, calls add up."""
    found: dict[str, Seen] = {}
    for each in tonight:
        other = found.get(each.identity)
        if other is None:
            found[each.identity] = each
            continue
        worst = max((other, each), key=lambda s: (_rank(s), s.failed_calls))
        calls = other.failed_calls + each.failed_calls
        found[each.identity] = Seen(
            worst.identity, worst.title, worst.cause, worst.severity, worst.sentence, worst.model, worst.place, calls
        )
    return tuple(sorted(found.values(), key=lambda s: (-_rank(s), -s.failed_calls, s.identity)))


def compare(
    tonight: Sequence[Seen], known: Mapping[str, Known], night: int, read_places: frozenset[str]
) -> tuple[Told, ...]:
    """Tonight against what was open. Gone is an incident only if logs of its place were read and it was not in them."""
    told = [_told(each, known.get(each.identity), night) for each in merged(tonight)]
    here = {each.seen.identity for each in told}
    for identity, before in sorted(known.items()):
        if identity not in here and before.seen.place in read_places:
            told.append(Told(before.seen, "gone", before.first_night, before.nights, before.seen.failed_calls))
    return tuple(told)


def _told(now: Seen, before: Known | None, night: int) -> Told:
    if before is None:
        return Told(now, "new", night, 1, None)
    calls = before.seen.failed_calls
    change: Change = "continuing"
    if _rank(now) > _rank(before.seen) or now.failed_calls > calls * (1 + WORSE_BY):
        change = "worse"
    elif _rank(now) < _rank(before.seen) or now.failed_calls < calls * (1 - WORSE_BY):
        change = "better"
    return Told(now, change, before.first_night, before.nights + 1, calls)


def _rank(seen: Seen) -> int:
    return SEVERITIES.index(seen.severity)
