"""The verdict on one screen: what the report's first page says, in at most 24 lines of 80 columns.

It is made of the report's own view (masked, control characters visible), so that the two never differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from investigator.cli.terminal import MAX_WIDTH

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from investigator.diagnosis.model import Diagnosis, Incident
    from investigator.report import Redaction
    from investigator.report.viewtypes import FindingView, IncidentView, Page, StepView, WorldView

MAX_LINES = 24
_VALUE = 14
_MAX_EXPR = 32
_SIGNS = {"cause_found": ("✖", "bold red"), "unexplained": ("?", "bold yellow"), "insufficient": ("…", "bold yellow")}
_HEALTHY = ("✔", "bold green")
_LABELS = ("The sum", "Nearest", "Ruled out", "Would help", "Would not", "Fix", "Also", "Report", "Read")


@dataclass(frozen=True, slots=True)
class Section:
    """Lines under one label. `least` lines are kept when the screen gets short, the others by `rank` (0 first).

    whole: its lines are not cut at the screen's edge.
    """

    label: str
    lines: tuple[Text, ...]
    least: int
    rank: int
    whole: bool = False


def print_verdict(
    console: Console,
    diagnosis: Diagnosis,
    report: str | None,
    case: str | None,
    redaction: Redaction | None = None,
    lang: str = "en",
) -> None:
    """Print the verdict; `report` and `case` are the paths written, if any."""
    from investigator.report.language import speaking

    with speaking(lang):
        _print(console, diagnosis, (report, case), redaction)


def _print(
    console: Console, diagnosis: Diagnosis, paths: tuple[str | None, str | None], redaction: Redaction | None
) -> None:
    from investigator.report import REDACT
    from investigator.report.viewmodel import page as page_of

    page = page_of(diagnosis, redaction=redaction or REDACT)
    width = min(console.width, MAX_WIDTH)
    narrowed = _wrapped(page.narrowed, width, 2, "yellow")
    top = (_head(page), *_wrapped(page.sentence, width, 3, "bold"), *narrowed, *_tiles(page, width))
    labels = max(len(_(label)) for label in _LABELS) + 2
    inner = width - labels
    sections = [
        *(_incident_sections(page.incidents[0], step_names(diagnosis.incidents[0]), inner) if page.incidents else ()),
        Section("Also", _wrapped("; ".join(incident.title for incident in page.incidents[1:]), inner, 2), 1, 5),
        Section("Report", _paths(*paths, inner), 2, 0, whole=True),
        Section("Read", _wrapped(_read(page), inner, 2), 2, 0),
    ]
    for line in top:
        _put(console, line, width)
    for section, count in zip(sections, fit(sections, MAX_LINES - len(top)), strict=True):
        for number, line in enumerate(section.lines[:count]):
            label = _(section.label) if number == 0 else ""
            _put(console, _text((f"{label:<{labels}}", "dim"), line), 0 if section.whole else width)


def fit(sections: Sequence[Section], room: int) -> list[int]:
    """How many lines of each section are shown: the least of all, then more by rank while there is room."""
    counts = [min(section.least, len(section.lines)) for section in sections]
    for index in sorted(range(len(sections)), key=lambda i: sections[i].rank):
        spare = max(room - sum(counts), 0)
        counts[index] += min(spare, len(sections[index].lines) - counts[index])
    return counts


def _incident_sections(incident: IncidentView, names: Sequence[Sequence[str]], width: int) -> Iterable[Section]:
    yield Section("The sum", tuple(_sum_line(line) for line in decisive(incident.sums, names)), 6, 2)
    near = tuple(_text((miss.title, "yellow"), f": {miss.say}") for miss in incident.nearest[:3])
    yield Section("Nearest", near, 1, 2)
    out = _wrapped(" · ".join(h.title for h in incident.differential if h.verdict.kind == "ruled_out"), width, 2)
    yield Section("Ruled out", out, len(out), 0)
    good = [world for world in incident.helps if world.minimal and world.verdict.kind == "yes"] or list(incident.helps)
    # The best set whole, the next on a line: half a sentence would look like a whole one.
    best = [_wrapped(_helps(world), width, 1 if number else 2, "green") for number, world in enumerate(good[:2])]
    yield Section("Would help", tuple(line for lines in best for line in lines), len(best[0]) if best else 0, 3)
    # First what people try of the right set alone, then everything else.
    needed = {change for world in good[:1] for change in world.changes}
    alone = sorted(incident.useless, key=lambda world: (not needed.issuperset(world.changes), len(world.changes)))
    yield Section("Would not", tuple(_text(("✘ ", "red"), _useless(world)) for world in alone[:4]), 2, 4)
    fixes = tuple(_text((fix.where, "cyan"), f": {fix.title}") for fix in incident.fixes[:3])
    yield Section("Fix", fixes, 2, 1)


def step_names(incident: Incident) -> list[list[str]]:
    """Names of the steps of every root cause, in the order in which the page shows them."""
    from investigator.report.incident_view import told_causes

    return [[step.name for step in finding.steps] for finding in told_causes(incident)]


@dataclass(frozen=True, slots=True)
class SumLine:
    """A step; `interval` joins the steps `<name>_low` and `<name>_high` to it."""

    step: StepView
    interval: str


def decisive(findings: Sequence[FindingView], names: Sequence[Sequence[str]]) -> list[SumLine]:
    """The steps that decide, cause by cause: no value twice, intervals beside what they belong to."""
    lines: dict[str, SumLine] = {}
    for finding, own in zip(findings, names, strict=True):
        values = {name: step.value.text for name, step in zip(own, finding.steps, strict=True)}
        for name, step in zip(own, finding.steps, strict=True):
            if name.removesuffix("_low").removesuffix("_high") != name and len(values) > 1:
                continue
            low, high = values.get(f"{name}_low"), values.get(f"{name}_high")
            lines.setdefault(step.value.text, SumLine(step, f"{low} – {high}" if low and high else ""))
    return list(lines.values())


def _sum_line(line: SumLine) -> Text:
    step = line.step
    value = ("≈ " if step.tag.kind == "estimated" else "") + step.value.text
    how = line.interval or (step.expr if len(step.expr) <= _MAX_EXPR else "")
    return _text((f"{value:>{_VALUE}}", "bold"), (f"  {how}", "cyan") if how else " ", f"  {step.say}")


def _helps(world: WorldView) -> str:
    sign, joint = "✔" if world.verdict.kind == "yes" else "~", f" {_('and').upper()} "
    return f"{sign} {joint.join(world.changes)}: {world.verdict.text} {world.saves}"


def _useless(world: WorldView) -> str:
    alone, joint = f" {_('alone')}" if len(world.changes) == 1 else "", f" {_('and')} "
    return f"{joint.join(world.changes)}{alone}: {world.why}"


def _head(page: Page) -> Text:
    sign, style = _SIGNS.get(page.verdict.kind, _HEALTHY)
    severity = f" · {_('severity')} {page.severity.text}" if page.severity else ""
    return _text((f"{sign} {page.verdict.text}", style), severity)


def _tiles(page: Page, width: int) -> tuple[Text, ...]:
    told = [f"{tile.value.text} {_(tile.label)}" for tile in page.tiles]
    while len(" · ".join(told)) > width and len(told) > 1:
        told.pop()
    return (*_wrapped(" · ".join(told), width, 1, "dim"), _text(""))


def _paths(report: str | None, case: str | None, width: int) -> tuple[Text, ...]:
    """A path is never cut: it is to be copied."""
    told = [] if report is None else [_text((report, "bold cyan"))]
    if case is not None:
        told.append(_text(f"{_('case')} ", case))
    together = _text(" · ").join(told)
    return (together,) if told and together.cell_len <= width else tuple(told)


def _read(page: Page) -> str:
    counts = dict(page.totals)
    from investigator.report.text import number, plural

    kinds = ", ".join(f"{number(counts[name])} {_(name)}" for name in ("facts", "noise", "foreign", "unrecognised"))
    return f"{number(counts['lines'])} {_('lines')}, {plural(page.counts['inputs'], 'file')}: {kinds}"


def _(text: str) -> str:
    """A fixed string in the language in use; the report's catalogue is read when it is needed."""
    from investigator.report.language import _ as spoken

    return spoken(text)


def _text(*parts: str | Text | tuple[str, str]) -> Text:
    from rich.text import Text

    return Text.assemble(*parts)


def _wrapped(text: str, width: int, most: int, style: str = "") -> tuple[Text, ...]:
    """At most `most` lines of `width`; what is left out is shown by an ellipsis."""
    from rich.console import Console
    from rich.text import Text

    flat = " ".join(text.split())
    if not flat:
        return ()
    lines = Text(flat, style).wrap(Console(width=width), width)
    kept = [lines[number] for number in range(min(most, len(lines)))]
    if len(lines) > most:
        kept[-1].truncate(width - 2)
        kept[-1].append(" …")
    return tuple(kept)


def _put(console: Console, line: Text, width: int) -> None:
    line.rstrip()
    if width:
        line.truncate(width, overflow="ellipsis")
    console.print(line, no_wrap=True, overflow="ignore", crop=False)
