"""Findings that belong together become one incident: same attempt, same run, same work, or linked by cause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from investigator.rulebook.findings import SEVERITIES, Finding, Severity, Value

#: The same rule firing for the same model again within this time is the same trouble.
SAME_TROUBLE = timedelta(hours=2)

#: Keys that tie two findings together when they share a value.
_TIES = ("attempt_id", "run_id", "work_id", "load_id", "request_id")

Row = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of one incident, those that rule something out, and its failed attempts."""

    findings: tuple[Finding, ...]
    ruled_out: tuple[Finding, ...]
    attempts: tuple[Row, ...]


class _Sets:
    """Disjoint sets over finding numbers."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def find(self, item: int) -> int:
        while self._parent[item] != item:
            self._parent[item] = self._parent[self._parent[item]]
            item = self._parent[item]
        return item

    def join(self, left: int, right: int) -> None:
        low, high = sorted((self.find(left), self.find(right)))
        self._parent[high] = low


def group(
    findings: Sequence[Finding], edges: Iterable[tuple[str, str]], attempts: Mapping[str, Row]
) -> tuple[Group, ...]:
    """Split findings into incidents. `edges` are (cause, effect) finding ids; `attempts` all attempts by id.

    What is only ruled out makes no incident; it joins those it speaks of.
    """
    telling = [f for f in findings if f.kind != "ruled-out"]
    innocent = [f for f in findings if f.kind == "ruled-out"]
    ties = [_ties(finding, attempts) for finding in telling]
    sets = _Sets(len(telling))
    _join_by_ties(sets, ties)
    _join_by_edges(sets, telling, edges)
    _join_by_time(sets, telling)
    members: dict[int, list[int]] = {}
    for number in range(len(telling)):
        members.setdefault(sets.find(number), []).append(number)
    return tuple(_group(telling, ties, numbers, innocent, attempts) for numbers in members.values())


def _ties(finding: Finding, attempts: Mapping[str, Row]) -> frozenset[tuple[str, str]]:
    ties = {(key, value) for key in _TIES for value in finding.keys.get(key, ())}
    for subject in finding.subjects:
        row = attempts.get(subject)
        if row is not None:
            ties |= {(key, str(row[key])) for key in ("attempt_id", "run_id", "work_id") if row.get(key) is not None}
    return frozenset(ties)


def _join_by_ties(sets: _Sets, ties: Sequence[frozenset[tuple[str, str]]]) -> None:
    first: dict[tuple[str, str], int] = {}
    for number, own in enumerate(ties):
        for tie in own:
            sets.join(first.setdefault(tie, number), number)


def _join_by_edges(sets: _Sets, findings: Sequence[Finding], edges: Iterable[tuple[str, str]]) -> None:
    number = {finding.finding_id: n for n, finding in enumerate(findings)}
    for cause, effect in edges:
        if cause in number and effect in number:
            sets.join(number[cause], number[effect])


def _join_by_time(sets: _Sets, findings: Sequence[Finding]) -> None:
    last: dict[tuple[str, tuple[str, ...]], tuple[int, datetime]] = {}
    timed = [(f.happened_at, n) for n, f in enumerate(findings) if f.happened_at is not None]
    for at, number in sorted(timed):
        finding = findings[number]
        same = (finding.rule, finding.keys.get("model_key", ()) or finding.keys.get("stream", ()))
        if same in last and at - last[same][1] <= SAME_TROUBLE:
            sets.join(last[same][0], number)
        last[same] = (number, finding.last_at or at)


def _group(
    findings: Sequence[Finding],
    ties: Sequence[frozenset[tuple[str, str]]],
    numbers: Sequence[int],
    innocent: Sequence[Finding],
    attempts: Mapping[str, Row],
) -> Group:
    own = tuple(findings[n] for n in numbers)
    bound = frozenset[tuple[str, str]]().union(*(ties[n] for n in numbers))
    subjects = {subject for finding in own for subject in finding.subjects}
    failed = tuple(row for row in attempts.values() if row.get("failed") and _touched(row, subjects, bound))
    about = bound | {(key, str(row[key])) for row in failed for key in _TIES if row.get(key) is not None}
    ruled_out = tuple(f for f in innocent if _ties(f, attempts) & about)
    return Group(own, ruled_out, failed)


def _touched(row: Row, subjects: set[str], bound: frozenset[tuple[str, str]]) -> bool:
    return row["attempt_id"] in subjects or (
        row.get("work_id") is not None and ("work_id", str(row["work_id"])) in bound
    )


def explained(finding: Finding, attempts: Sequence[Row]) -> frozenset[str]:
    """Ids of the failed calls that a finding speaks of."""
    subjects = set(finding.subjects) | set(finding.keys.get("attempt_id", ()))
    return frozenset(str(row["call_id"]) for row in attempts if row["attempt_id"] in subjects)


def severity_rank(severity: Severity) -> int:
    return SEVERITIES.index(severity)


@dataclass(slots=True)
class Span:
    """First and last moment of some rows; None where no time is known."""

    start: datetime | None = None
    end: datetime | None = None
    _moments: list[datetime] = field(default_factory=list)

    @classmethod
    def of(cls, attempts: Sequence[Row], findings: Sequence[Finding]) -> Span:
        """Over attempts' arrivals and ends; over findings' times where no attempt has one."""
        moments = [
            m for row in attempts for m in (row.get("arrived_at"), row.get("ended_at")) if isinstance(m, datetime)
        ]
        if not moments:
            moments = [m for f in findings for m in (f.happened_at, f.last_at) if m is not None]
        return cls(min(moments), max(moments)) if moments else cls()
