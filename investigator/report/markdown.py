"""The Markdown report: a summary that fits a ticket comment, then the details. Log text stays text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from investigator.diagnosis.model import Diagnosis
from investigator.report.language import _, speaking
from investigator.report.redact import REDACT, Redaction
from investigator.report.text import Shown, clipped, plural
from investigator.report.viewmodel import page
from investigator.report.viewtypes import (
    Cell,
    EvidenceView,
    HypothesisView,
    IncidentView,
    MachineCell,
    MachinesView,
    Page,
    StepView,
    Table,
    WorldView,
)

#: Bytes of the part that a tracker shows at a glance.
SUMMARY_BYTES = 4_000
#: GitHub takes 65,536 characters a comment.
TOTAL_CHARS = 60_000
_MAX_EVIDENCE = 40
_MAX_LINE = 500
_HYPOTHESIS = ("hypothesis", "verdict", "for", "against", "collect")
_SPECIAL = re.compile(r"([\\`*_\[\]|~!{}$^])")
_LINE_START = re.compile(r"^(\d*)([-+=#.)]+(?:\s|$))")
_PING = re.compile(r"([@#])(?=[\w-])")


def render_markdown(diagnosis: Diagnosis, redaction: Redaction = REDACT, lang: str = "en") -> str:
    """Summary (at most 4 KB), then details up to what a comment may hold; says what it leaves out."""
    with speaking(lang):
        return _rendered(page(diagnosis, redaction=redaction))


def _rendered(view: Page) -> str:
    sections = [_summary(view)]
    used = len(sections[0])
    left_out = []
    for title, text in _details(view):
        if used + len(text) > TOTAL_CHARS:
            left_out.append(title)
            continue
        sections.append(text)
        used += len(text)
    if left_out:
        told = _("Left out to fit a comment: {parts}. The HTML report has everything.")
        sections.append(f"_{told.format(parts=', '.join(map(_, left_out)))}_")
    return "\n\n".join(sections) + "\n"


def plain(text: str) -> str:
    """Foreign text on one line of Markdown: no markup, no HTML, no link, no @mention, no #reference."""
    flat = " ".join(text.split())
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    flat = _SPECIAL.sub(r"\\\1", flat)
    flat = flat.replace("://", ":\\/\\/").replace("www.", "www\\.")
    flat = _PING.sub(r"\1 ", flat)
    return _LINE_START.sub(r"\1\\\2", flat)


def fence(text: str, language: str = "") -> str:
    """Text in a code block whose fence is longer than any run of backticks inside."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def code(text: str) -> str:
    """Text as inline code."""
    flat = " ".join(text.split()) or " "
    longest = max((len(run) for run in re.findall(r"`+", flat)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    # A bar would end a table's cell even inside code.
    return f"{ticks}{pad}{flat}{pad}{ticks}".replace("|", "¦")


def _summary(view: Page) -> str:
    severity = f" · {_('severity')} **{view.severity.text}**" if view.severity else ""
    head = [f"## {plain(view.verdict.text)}{severity}", plain(view.sentence)]
    if view.narrowed:
        head.append(f"_{plain(view.narrowed)}_")
    if not view.redacted:
        head.insert(0, f"> **{plain(view.receipt)}**")
    if view.tiles:
        head.append(" · ".join(f"**{plain(t.value.text)}** {plain(_(t.label))}" for t in view.tiles))
    parts = [clipped("\n\n".join(head), 1_600)]
    for incident in view.incidents:
        for block in _incident_summary(incident, many=len(view.incidents) > 1):
            if sum(len(p.encode()) + 2 for p in parts) + len(block.encode()) <= SUMMARY_BYTES:
                parts.append(block)
    return "\n\n".join(parts)


def _incident_summary(incident: IncidentView, *, many: bool) -> Iterable[str]:
    if many:
        yield f"### {incident.number}. {plain(incident.title)}\n\n{plain(incident.sentence)}"
    steps = [step for finding in incident.sums for step in finding.steps if not step.folded]
    if steps:
        yield "\n".join([f"| {_('the sum')} | | |", "|---|---|---:|", *(_step_row(step) for step in steps[:12])])
    if incident.nearest:
        yield f"**{_('What nearly explains it')}:**\n" + "\n".join(
            f"- {plain(n.title)}: {plain(n.say)}" + (f" ({n.ratio})" if n.ratio else "") for n in incident.nearest
        )
    if incident.helps:
        yield f"**{_('Would have helped')}:**\n" + "\n".join(_world_line(w) for w in incident.helps[:3])
    if incident.useless:
        yield f"**{_('Would not have helped')}:**\n" + "\n".join(_world_line(w) for w in incident.useless[:4])
    ruled_out = [h for h in incident.differential if h.verdict.kind == "ruled_out"]
    if ruled_out:
        yield f"**{_('Ruled out')}:**\n" + "\n".join(
            f"- {plain(h.title)}" + ("" if h.together else f": {plain('; '.join(h.cons) or _('no sign of it'))}")
            for h in ruled_out[:6]
        )


def _step_row(step: StepView) -> str:
    interval = f" ({plain(step.interval)})" if step.interval else ""
    result = f"**{plain(step.value.text)}**{interval} {step.tag.text}"
    expr = code(clipped(step.expr, 90)) if step.expr else ""
    return f"| {plain(clipped(step.say, 120))} | {expr} | {result} |"


def _world_line(world: WorldView) -> str:
    changes = f" **{_('and')}** ".join(plain(change) for change in world.changes)
    return f"- {changes}: {world.verdict.text}, {world.saves}. {plain(world.why)}"


def _details(view: Page) -> Iterable[tuple[str, str]]:
    for incident in view.incidents:
        yield from _incident_details(incident)
    if view.evidence:
        shown = view.evidence[:_MAX_EVIDENCE]
        more = len(view.evidence) - len(shown)
        blocks = [_evidence(e) for e in shown] + ([f"{plural(more, 'more line')} {_('left out')}."] if more else [])
        yield "evidence", f"### {_('Evidence')}\n\n" + "\n\n".join(blocks)
    yield "rules", f"### {_('Rules and their outcomes')}\n\n" + _table(view.rules)
    inputs = Table(
        ("input", "format", "lines", "unrecognised", "sha256"),
        tuple(
            tuple(
                Cell(Shown(text, text))
                for text in (i.path, i.format, f"{i.lines:,}", f"{dict(i.shares)['unrecognised']:,}", i.sha256)
            )
            for i in view.inputs
        ),
    )
    yield "inputs", f"### {_('What was read')}\n\n" + _table(inputs)
    told = (("Left out on request", view.suppressed), ("Assumptions", view.assumptions))
    for title, table in (*told, ("Problems with inputs", view.problems)):
        if table.rows:
            yield title.lower(), f"### {_(title)}\n\n" + _table(table)
    end = (view.tool_version, view.exit, f"{_('times in')} {view.zone}", view.receipt)
    yield "colophon", f"investigator {' · '.join(map(plain, end))}"


def _incident_details(incident: IncidentView) -> Iterable[tuple[str, str]]:
    title = plain(incident.title)
    if incident.fixes:
        blocks = (
            "\n\n".join(
                part
                for part in (
                    f"**{plain(f.title)}** – {plain(f.where)}",
                    fence(f.text, f.language) if f.text else "",
                    plain(f.proves),
                )
                if part
            )
            for f in incident.fixes
        )
        yield (
            "fixes",
            f"### {_('Ready to paste') if incident.pastes else _('What to change')}: {title}\n\n" + "\n\n".join(blocks),
        )
    if incident.machines:
        yield "machines", _machines(incident.machines, title)
    if incident.attempts:
        rows = (
            f"- **{plain(a.heading)}** ({plain(a.times)}, {plain(a.outcome.text)}): {plain(a.why)}"
            for a in incident.attempts
        )
        yield (
            "tries",
            f"### {_('Which try failed for which reason')}\n\n{plain(incident.subtitle)}\n\n" + "\n".join(rows),
        )
    if incident.differential:
        rows = (_hypothesis_row(h) for h in incident.differential)
        yield (
            "hypotheses",
            "\n".join([f"### {_('Every hypothesis')}", "", _heads(_HYPOTHESIS), *rows]),
        )


def _machines(view: MachinesView, title: str) -> str:
    told = "\n\n".join([f"**{plain(view.sentence)}**", *map(plain, view.remarks)])
    head = f"| {' | '.join(map(plain, view.heads))} |\n|{'---|' * len(view.heads)}"
    rows = (
        f"| {plain(m.name)} ({plain(m.about)}) | {' | '.join(map(_machine_cell, m.cells))} |"
        for m in (*view.rows, *view.others)
    )
    return "\n\n".join(
        (
            f"### {_('Would another machine have helped')}? {title}",
            told,
            "\n".join([head, *rows]),
            f"{plain(view.note)}.",
        )
    )


def _machine_cell(cell: MachineCell) -> str:
    text = cell.tag.text if cell.tag else cell.value.text if cell.value else ""
    return plain(f"{text} ({cell.sub})" if cell.sub else text)


def _hypothesis_row(h: HypothesisView) -> str:
    pros, cons = (plain("; ".join(texts)) or "—" for texts in (h.pros, h.cons))
    return f"| {plain(h.title)} | {h.verdict.text} | {pros} | {cons} | {code(h.collect) if h.collect else ''} |"


def _evidence(e: EvidenceView) -> str:
    lines = "\n".join(f"{no:>6} {'>' if cited else ' '} {clipped(text, _MAX_LINE)}" for no, text, cited in e.lines)
    state = f" ({e.state})" if e.state else ""
    return f"{code(e.full)}{plain(state)}\n\n{fence(lines)}"


def _table(table: Table) -> str:
    rows = (f"| {' | '.join(_cell(cell) for cell in row)} |" for row in table.rows)
    note = f"\n\n{plain(table.note)}." if table.note else ""
    return "\n".join([_heads(table.heads), *rows]) + note


def _heads(heads: Sequence[str]) -> str:
    return f"| {' | '.join(map(_, heads))} |\n|{'---|' * len(heads)}"


def _cell(cell: Cell) -> str:
    if cell.tag is not None:
        return plain(cell.tag.text)
    if cell.value is None:
        return ""
    return code(cell.value.text) if cell.code else plain(cell.value.text)
