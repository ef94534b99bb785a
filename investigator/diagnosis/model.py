"""What a diagnosis is: the records that the reports print. Plain, frozen, in the order to be shown.

Every text here is already rendered but neither escaped nor redacted; reports do both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from investigator.rulebook.findings import EvidenceRef, Finding, Label, RuleResult, Severity, Value

if TYPE_CHECKING:
    # Names of types only: who prints a diagnosis need not load what made it.
    from investigator.capacity import Interval
    from investigator.capacity import Verdict as Chance
    from investigator.capacity.memory import FitVerdict
    from investigator.catalog import Price
    from investigator.correlate.narrow import Narrowed
    from investigator.rulebook.exceptions import Suppressed
    from investigator.rulebook.pack import Pack

VerdictKind = Literal["cause_found", "unexplained", "insufficient", "healthy"]
HypothesisVerdict = Literal["cause", "contributes", "symptom", "ruled_out", "cannot_tell"]
Saves = Literal["yes", "might", "no"]
Confidence = Literal["high", "medium", "low", "none"]


@dataclass(frozen=True, slots=True)
class Verdict:
    kind: VerdictKind
    sentence: str


@dataclass(frozen=True, slots=True)
class CauseLine:
    """A root, or a further cause: how many failed calls it explains and how direct the evidence is."""

    rule: str
    cause: str
    title: str
    explains: int
    label: Label
    finding_id: str
    alone: int = 0
    """Failed calls of which no other root speaks: removing this one alone would have saved them."""


@dataclass(frozen=True, slots=True)
class Edge:
    """`cause` explains `effect` (finding ids)."""

    cause: str
    effect: str


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One line of the differential table. `collect` is a command that would tell, for 'cannot_tell'."""

    rule: str
    cause: str | None
    title: str
    verdict: HypothesisVerdict
    evidence_for: tuple[str, ...]
    evidence_against: tuple[str, ...]
    collect: str | None
    evidence: tuple[EvidenceRef, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One lever set to one value. `say` is the change in words."""

    lever: str
    before: Value
    after: Value
    unit: str | None
    say: str


@dataclass(frozen=True, slots=True)
class World:
    """One set of changes, replayed over the incident's failed attempts.

    saves: 'yes' only when every failed call is saved for certain; saved / might / total count calls.
    minimal: no smaller set of these changes saves. why: the sum that decides, in words.
    popular: a fix that people commonly try; shown also when it would not have helped.
    """

    changes: tuple[Change, ...]
    saves: Saves
    saved_calls: int
    might_calls: int
    total_calls: int
    minimal: bool
    cost: float
    why: str
    popular: bool


@dataclass(frozen=True, slots=True)
class Fix:
    """A paste-ready change: where (file or command), the text, and the index of the world that proves it, if any."""

    title: str
    where: str
    language: str
    text: str
    proves: str


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt as the report's table and charts show it; `why` says in words why this try failed."""

    attempt_id: str
    call_id: str
    columns: Mapping[str, Value]
    why: str
    evidence: tuple[EvidenceRef, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """Prompt tokens against prefill seconds of one (host, model): measured points, the fit and its interval."""

    model: str
    points: tuple[tuple[float, float, Label], ...]
    line: tuple[tuple[float, float, float, float], ...]
    limit_s: float | None
    r0_tps: float | None
    c_s_per_token2: float | None
    note: str
    lower_bound: bool = False
    """Whether the line is only the least that reading takes, because requests of one depth alone were timed."""


@dataclass(frozen=True, slots=True)
class MemoryBar:
    """Where memory goes at one window; `limit_bytes` is what the device lets a model use."""

    title: str
    parts: tuple[tuple[str, float], ...]
    limit_bytes: float | None
    limit_basis: str | None


@dataclass(frozen=True, slots=True)
class MachineRow:
    """The incident's load on one machine. `alone`: with the settings as they were; `with_window`: with the window that
    saving needs, None where it needs none. `reading_s`: of the longest read there, in the second world if there is one.
    `price`: of a machine with this much memory; None where no list price is known.
    """

    machine_id: str
    name: str
    memory_gib: float
    cards: int
    price: Price | None
    is_present: bool
    memory: FitVerdict | None
    need_bytes: Interval | None
    limit_bytes: Interval | None
    reading_s: Interval | None
    alone: Chance
    with_window: Chance | None
    confidence: Confidence
    basis: str | None
    note: str
    why_not: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MachineTable:
    """The same load on other machines; `sentence` says first whether a purchase alone would have been enough.

    `remarks`: what it takes beside a purchase, and instead of one. `timeout_s`: the limit that a read must stay below.
    """

    incident_id: str
    sentence: str
    remarks: tuple[str, ...]
    window_tokens: int | None
    timeout_s: float | None
    rows: tuple[MachineRow, ...]


@dataclass(frozen=True, slots=True)
class Nearest:
    """A cause that nearly held for a failed call. ratio: 1 is at the limit, None where nothing is measured.

    texts: language → `say` with the name of the rule's step in it.
    """

    rule: str
    title: str
    subject: str
    ratio: float | None
    say: str
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Impact:
    """The damage. server_s: the time that servers spent on what failed; server_share: its share of all the time
    that they were busy. None where not known.
    """

    failed_calls: int
    failed_attempts: int
    wall_s: float | None
    tokens_read_in_vain: int | None
    server_s: float | None = None
    server_share: float | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    incident_id: str
    title: str
    severity: Severity
    cause: str | None
    sentence: str
    causes: tuple[CauseLine, ...]
    edges: tuple[Edge, ...]
    symptoms: tuple[str, ...]
    findings: tuple[Finding, ...]
    differential: tuple[Hypothesis, ...]
    what_would_help: tuple[World, ...]
    fixes: tuple[Fix, ...]
    attempts: tuple[AttemptRow, ...]
    impact: Impact
    curve: Curve | None
    memory: tuple[MemoryBar, ...]
    started_at: datetime | None
    ended_at: datetime | None
    run_ids: tuple[str, ...]
    model: str | None
    machines: MachineTable | None = None
    nearest: tuple[Nearest, ...] = ()


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """A line with neighbours: `before` and `after` hold (line_no, text). `state`: kept | fetched | rotated_away."""

    source: str
    line_no: int
    text: str
    before: tuple[tuple[int, str], ...]
    after: tuple[tuple[int, str], ...]
    state: Literal["kept", "fetched", "rotated_away"]


@dataclass(frozen=True, slots=True)
class InputLine:
    """One input file: what it was read as and what became of its lines."""

    path: str
    format: str
    sha256: str
    size_bytes: int
    lines: int
    facts: int
    noise: int
    foreign: int
    unrecognised: int
    shapes: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class InputProblem:
    path: str
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something that had to be assumed: a time zone, a clock offset, a default; `basis` says from what."""

    about: str
    value: str
    basis: str


@dataclass(frozen=True, slots=True)
class TimelineSpan:
    """A timeline bar. lane: agent | server; kind: call | queue | load | prefill | decode | request | abandoned."""

    lane: Literal["agent", "server"]
    kind: str
    start: datetime
    end: datetime
    outcome: str
    label: str
    attempt_id: str | None


@dataclass(frozen=True, slots=True)
class TimelineMark:
    """A moment on the timeline: server start, crash, limit reached."""

    at: datetime
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that the reports print of one case."""

    tool_version: str
    verdict: Verdict
    incidents: tuple[Incident, ...]
    rules: tuple[RuleResult, ...]
    inputs: tuple[InputLine, ...]
    problems: tuple[InputProblem, ...]
    assumptions: tuple[Assumption, ...]
    evidence: Mapping[str, EvidenceLine]
    spans: tuple[TimelineSpan, ...]
    marks: tuple[TimelineMark, ...]
    attempts: tuple[AttemptRow, ...]
    zone_offset_s: int | None
    unpaired: Mapping[str, int]
    exit_code: int
    exit_reasons: tuple[str, ...]
    packs: tuple[Pack, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    narrowed: Narrowed | None = None
    titles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Language → titles of the rules, by the English one."""
