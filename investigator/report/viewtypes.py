"""What the templates get: plain records of finished strings. Nothing is computed in a template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from investigator.report.charts import Drawing
from investigator.report.text import Shown


@dataclass(frozen=True, slots=True)
class Link:
    """A reference to an evidence line; `href` is None where the line itself is not in the report."""

    text: str
    href: str | None
    title: str


@dataclass(frozen=True, slots=True)
class Tag:
    """A word with a shape: `kind` picks shape and colour."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Tile:
    """An impact number: value, and what it counts."""

    value: Shown
    label: str


@dataclass(frozen=True, slots=True)
class OperandView:
    name: str
    value: Shown
    tag: Tag | None
    note: str | None
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class StepView:
    say: str
    expr: str
    value: Shown
    also: str
    tag: Tag
    operands: tuple[OperandView, ...]
    interval: str = ""
    folded: bool = False
    """Shown as the interval of another step, not as a step of its own."""


@dataclass(frozen=True, slots=True)
class RemedyView:
    do: str
    where: str
    setting: str | None
    proves: str | None


@dataclass(frozen=True, slots=True)
class FindingView:
    anchor: str
    title: str
    rule: str
    verdict: Tag
    tag: Tag
    short: str
    long: str
    steps: tuple[StepView, ...]
    links: tuple[Link, ...]
    remedies: tuple[RemedyView, ...]
    explains: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A table cell: text with its exact form, or a tag."""

    value: Shown | None = None
    tag: Tag | None = None
    numeric: bool = False
    code: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Column heads and rows; `note` says what was left out."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing in two sizes with title, description in words, legend and the data behind it."""

    anchor: str
    title: str
    desc: str
    wide: Drawing
    narrow: Drawing
    legend: tuple[Tag, ...]
    table: Table
    caption: str = ""
    y_label: str = ""
    x_label: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A finding in the cause graph, with what it explains below it; `again`: shown in full elsewhere."""

    anchor: str
    title: str
    short: str
    tag: Tag
    again: bool
    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class HypothesisView:
    title: str
    rule: str
    verdict: Tag
    pros: tuple[str, ...]
    cons: tuple[str, ...]
    collect: str | None
    collect_numbers: tuple[tuple[int, int], ...]
    """Places of the commands of `collect` in the incident's list of them, from 1: first and last of each run."""
    links: tuple[Link, ...]
    together: bool = False
    """Many quiet causes on one line: `cons` are their titles."""


@dataclass(frozen=True, slots=True)
class WorldView:
    changes: tuple[str, ...]
    verdict: Tag
    saves: str
    pips: tuple[str, ...]
    why: str
    minimal: bool


@dataclass(frozen=True, slots=True)
class FixView:
    title: str
    where: str
    language: str
    text: str
    proves: str


@dataclass(frozen=True, slots=True)
class AttemptView:
    heading: str
    outcome: Tag
    why: str
    times: str
    facts: tuple[Shown, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class MachineCell:
    """A value or a tag, with a remark below it; `title` tells more to who asks."""

    value: Shown | None = None
    tag: Tag | None = None
    sub: str = ""
    title: str = ""
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class MachineView:
    """The load on one machine, a cell for every head but the first."""

    name: str
    about: str
    cells: tuple[MachineCell, ...]
    present: bool


@dataclass(frozen=True, slots=True)
class MachinesView:
    """`sentence` first: a purchase that does not fix it must say so before any row. `others`: folded away."""

    anchor: str
    sentence: str
    remarks: tuple[str, ...]
    heads: tuple[str, ...]
    rows: tuple[MachineView, ...]
    others: tuple[MachineView, ...]
    others_label: str
    note: str


@dataclass(frozen=True, slots=True)
class NearestView:
    """A cause that nearly held. ratio: how much of the limit was reached, empty where nothing is measured."""

    title: str
    rule: str
    say: str
    ratio: str
    subject: str


@dataclass(frozen=True, slots=True)
class IncidentView:
    anchor: str
    number: int
    title: str
    severity: Tag | None
    sentence: str
    subtitle: str
    tiles: tuple[Tile, ...]
    sums: tuple[FindingView, ...]
    others: tuple[FindingView, ...]
    timeline: Chart | None
    tokens: Chart | None
    curve: Chart | None
    memory: Chart | None
    attempts: tuple[AttemptView, ...]
    attempts_note: str
    graph: tuple[Node, ...]
    symptoms: tuple[str, ...]
    nearest: tuple[NearestView, ...]
    differential: tuple[HypothesisView, ...]
    collects: tuple[str, ...]
    """What to collect to be able to tell, each command once."""
    helps: tuple[WorldView, ...]
    useless: tuple[WorldView, ...]
    worlds_note: str
    fixes: tuple[FixView, ...]
    machines: MachinesView | None
    incident_id: str = ""

    @property
    def pastes(self) -> bool:
        """Whether any fix has a text to paste; others are advice."""
        return any(fix.text for fix in self.fixes)


@dataclass(frozen=True, slots=True)
class EvidenceView:
    anchor: str
    where: str
    full: str
    text: str
    lines: tuple[tuple[int, str, bool], ...]
    state: str


@dataclass(frozen=True, slots=True)
class InputView:
    path: str
    format: str
    sha256: str
    size: Shown
    lines: int
    shares: tuple[tuple[str, int], ...]
    shapes: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The whole report."""

    tool_version: str
    case_title: str
    root: str
    zone: str
    verdict: Tag
    sentence: str
    narrowed: str
    severity: Tag | None
    remedy: tuple[str, ...]
    remedy_note: str
    tiles: tuple[Tile, ...]
    incidents: tuple[IncidentView, ...]
    charts: tuple[Chart, ...]
    """Of the whole case, where no incident has its own."""
    rules: Table
    quiet_rules: Table
    evidence: tuple[EvidenceView, ...]
    evidence_note: str
    inputs: tuple[InputView, ...]
    totals: tuple[tuple[str, int], ...]
    assumptions: Table
    problems: Table
    unpaired: str
    suppressed: Table
    redacted: bool
    receipt: str
    exit: str
    counts: Mapping[str, int]
