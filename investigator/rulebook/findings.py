"""What the rulebook says of a case: findings and the outcome of each rule, as plain records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Outcome = Literal["fired", "quiet", "not_evaluated", "error"]
Label = Literal["measured", "derived", "estimated"]
Severity = Literal["info", "low", "medium", "high", "critical"]
Kind = Literal["cause", "symptom", "ruled-out", "advice"]
Value = float | int | str | bool | datetime | None

#: Ascending.
SEVERITIES: tuple[Severity, ...] = ("info", "low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True)
class EvidenceRef:
    """A line of a source: `source` is the path as shown to users, `line_no` counts from 1."""

    source: str
    line_no: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line_no}"


@dataclass(frozen=True, slots=True)
class Operand:
    """A column that a step used: its value, where it comes from and how sure it is."""

    name: str
    value: Value
    unit: str | None
    label: Label
    evidence: tuple[EvidenceRef, ...]
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A named step of the arithmetic: `shown` is the expression with numbers in (146,760 tokens ÷ 400 tokens/s)."""

    name: str
    say: str
    expr: str
    value: Value
    unit: str | None
    label: Label
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A finding's words in another language, rendered. `phrases`: those of its steps and remedies, English first."""

    title: str
    short: str
    long: str
    phrases: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that fired for one subject, or for several that were merged."""

    finding_id: str
    rule: str
    rule_version: int
    pack: str
    kind: Kind
    cause: str | None
    title: str
    severity: Severity
    label: Label
    subjects: tuple[str, ...]
    keys: Mapping[str, tuple[str, ...]]
    happened_at: datetime | None
    last_at: datetime | None
    columns: Mapping[str, Value]
    steps: tuple[Step, ...]
    short: str
    long: str
    evidence: tuple[EvidenceRef, ...]
    what_if: Mapping[str, Value]
    remedies: tuple[Remedy, ...]
    texts: Mapping[str, Said] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Remedy:
    """Advice of a rule, rendered; `proves` names the what-if whose world shows that it helps (None: no arithmetic)."""

    do: str
    where: str
    proves: str | None
    setting: str | None = None
    value: Value = None
    paste: str | None = None


@dataclass(frozen=True, slots=True)
class SubjectResult:
    """Outcome of one rule for one subject; `reason` names what is missing or what went wrong."""

    rule: str
    subject: str
    outcome: Outcome
    reason: str | None
    steps: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class RuleResult:
    """A rule's summary: the first of fired, error, not_evaluated, quiet that holds, with counts."""

    rule: str
    kind: Kind
    outcome: Outcome
    counts: Mapping[str, int]
    reasons: tuple[str, ...]
    seconds: float
