"""Diagnosis → the page: masked, made visible, capped, in reading order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from investigator.diagnosis.model import AttemptRow, Diagnosis, InputLine
from investigator.report.cells import capped, num, text_cell
from investigator.report.clean import clean
from investigator.report.columns import rule_reasons
from investigator.report.evidence_view import Evidence, cited, common_root
from investigator.report.incident_view import impact_tiles, incident_view
from investigator.report.language import _, current
from investigator.report.redact import REDACT, Redaction
from investigator.report.text import Shown, clipped, number, plural, share_of, size, zone_words
from investigator.report.timeline_view import timeline_chart
from investigator.report.token_chart import tokens_chart
from investigator.report.translated import in_language
from investigator.report.viewtypes import Cell, Chart, InputView, Page, Table, Tag, Tile
from investigator.report.words import RULE_OUTCOMES, VERDICTS, narrowed_words, severity_tag, tag
from investigator.rulebook.exceptions import Suppressed
from investigator.rulebook.findings import SEVERITIES, RuleResult

#: Stands on every report that was made without redaction.
NOT_REDACTED = "Not redacted: this report may hold keys, names, addresses and other secrets. Do not pass it on."
_LOOK = "Patterns find what they know: look before you publish."
MAX_INPUTS = 300
_MAX_SHAPES = 8


class Caps(NamedTuple):
    """How much of a case a page shows; what is left out is counted on it."""

    incidents: int
    evidence_lines: int


#: From everything that is useful to what surely fits.
CAPS = (Caps(20, 400), Caps(8, 200), Caps(3, 80), Caps(1, 20))


def page(diagnosis: Diagnosis, caps: Caps = CAPS[0], redaction: Redaction = REDACT) -> Page:
    """The template-ready view of a diagnosis. Pure: the same diagnosis gives the same page."""
    d, receipt = clean(diagnosis, redaction)
    if current() != "en":
        d = in_language(d)
    told = d.incidents[: caps.incidents]
    evidence = Evidence(d.evidence.values(), cited(told), caps.evidence_lines)
    incidents = tuple(incident_view(d, incident, n, evidence) for n, incident in enumerate(told, 1))
    remedy, remedy_note = _remedy(d)
    return Page(
        tool_version=d.tool_version,
        case_title=d.incidents[0].title if d.incidents else _(VERDICTS[d.verdict.kind]),
        root=common_root(line.path for line in d.inputs),
        zone=zone_words(d.zone_offset_s),
        verdict=tag(d.verdict.kind, VERDICTS),
        sentence=d.verdict.sentence,
        narrowed=narrowed_words(d.narrowed),
        severity=_severity(d),
        remedy=remedy,
        remedy_note=remedy_note,
        tiles=_tiles(d),
        incidents=incidents,
        charts=() if incidents else _charts(d),
        rules=_rules([r for r in d.rules if r.outcome != "quiet"]),
        quiet_rules=_rules([r for r in d.rules if r.outcome == "quiet"]),
        evidence=evidence.views(),
        evidence_note=f"{plural(evidence.left_out, 'more line')} {_('left out')}" if evidence.left_out else "",
        inputs=tuple(_input(line) for line in d.inputs[:MAX_INPUTS]),
        totals=_totals(d.inputs),
        assumptions=_assumptions(d),
        problems=_problems(d),
        unpaired=_unpaired(d.unpaired) + _pairing(d.attempts),
        suppressed=capped(("rule", "why", "until", "finding"), d.suppressed, _suppressed_row),
        redacted=redaction.on,
        receipt=_receipt(receipt) if redaction.on else _(NOT_REDACTED),
        exit=_exit(d),
        counts=_counts(d, caps),
    )


def _charts(d: Diagnosis) -> tuple[Chart, ...]:
    """What both sides did, and how near the prompts came to the windows."""
    found = (timeline_chart("timeline", d, None), tokens_chart("tokens", d.attempts, d.zone_offset_s))
    return tuple(chart for chart in found if chart is not None)


def _severity(d: Diagnosis) -> Tag | None:
    """The worst; a remark of a healthy case has its severity where it stands: beside "healthy" it would contradict."""
    grave = () if d.verdict.kind == "healthy" else d.incidents
    worst = max((i.severity for i in grave), key=SEVERITIES.index, default=None)
    return None if worst is None else severity_tag(worst)


def _assumptions(d: Diagnosis) -> Table:
    return capped(
        ("about", "taken as", "because"),
        d.assumptions,
        lambda a: (text_cell(a.about), text_cell(a.value), text_cell(a.basis)),
    )


def _problems(d: Diagnosis) -> Table:
    return capped(
        ("input", "problem", "what happened"),
        d.problems,
        lambda p: (text_cell(p.path, code=True), text_cell(_(p.kind.replace("_", " "))), text_cell(p.message)),
    )


def _exit(d: Diagnosis) -> str:
    reasons = f": {'; '.join(d.exit_reasons)}" if d.exit_reasons else ""
    return f"{_('exit code')} {d.exit_code}{reasons}"


def _remedy(d: Diagnosis) -> tuple[tuple[str, ...], str]:
    """The cheapest smallest set of changes that saves every failed call of the first incident, if one was proved."""
    worlds = [w for w in d.incidents[0].what_would_help if w.saves == "yes" and w.minimal] if d.incidents else []
    best = min(worlds, key=lambda w: (w.cost, len(w.changes), [c.say for c in w.changes]), default=None)
    if best is None:
        return (), ""
    return tuple(c.say for c in best.changes), _("saves {saved} of {calls}").format(
        saved=number(best.saved_calls), calls=plural(best.total_calls, "failed call")
    )


def _tiles(d: Diagnosis) -> tuple[Tile, ...]:
    """Impact over all incidents; of the only one, its own."""
    read = len(d.attempts)
    calls = (
        (Tile(Shown(number(read), plural(read, "attempt")), "call read" if read == 1 else "calls read"),)
        if read
        else ()
    )
    if len(d.incidents) < 2:
        return (impact_tiles(d.incidents[0]) if d.incidents else ()) or calls
    failed = sum(incident.impact.failed_calls for incident in d.incidents)
    incidents = len(d.incidents)
    in_them = Tile(Shown(number(failed), str(failed)), "failed call in them" if failed == 1 else "failed calls in them")
    return (Tile(Shown(number(incidents), str(incidents)), "incidents"), *((in_them,) if failed else calls))


def _counts(d: Diagnosis, caps: Caps) -> Mapping[str, int]:
    return {
        "attempts": len(d.attempts),
        "failed": sum(row.columns.get("failed") is True for row in d.attempts),
        "incidents": len(d.incidents),
        "incidents_left_out": max(len(d.incidents) - caps.incidents, 0),
        "inputs": len(d.inputs),
        "inputs_left_out": max(len(d.inputs) - MAX_INPUTS, 0),
    }


def _rules(rules: Sequence[RuleResult]) -> Table:
    rank = {"fired": 0, "error": 1, "not_evaluated": 2, "quiet": 3}
    ordered = sorted(rules, key=lambda r: (rank[r.outcome], r.rule))
    return capped(("rule", "kind", "outcome", "subjects", "why"), ordered, _rule_row, limit=400)


def _rule_row(r: RuleResult) -> tuple[Cell, ...]:
    words, exact = rule_reasons(r)
    return (
        text_cell(r.rule, code=True),
        text_cell(_(r.kind.replace("-", " "))),
        Cell(tag=_outcome(r)),
        text_cell(_rule_counts(r.counts)),
        text_cell(words or "—", exact or "—"),
    )


def _suppressed_row(s: Suppressed) -> tuple[Cell, ...]:
    return (
        text_cell(s.rule, code=True),
        text_cell(s.reason),
        text_cell(s.until or "—"),
        text_cell(": ".join(filter(None, (s.title, s.short)))),
    )


def _outcome(r: RuleResult) -> Tag:
    """A cause that fired is an alarm; a symptom, advice or a thing ruled out is none."""
    if r.outcome == "fired" and r.kind != "cause":
        return Tag("ruled_out" if r.kind == "ruled-out" else "symptom", _(RULE_OUTCOMES["fired"]))
    return tag(r.outcome, RULE_OUTCOMES)


def _rule_counts(counts: Mapping[str, int]) -> str:
    order = ("fired", "error", "not_evaluated", "quiet")
    return ", ".join(f"{number(counts[name])} {_(RULE_OUTCOMES[name])}" for name in order if counts.get(name)) or _(
        "none"
    )


def _input(line: InputLine) -> InputView:
    shares = (
        ("facts", line.facts),
        ("noise", line.noise),
        ("foreign", line.foreign),
        ("unrecognised", line.unrecognised),
    )
    shapes = tuple((clipped(shape, 200), count) for shape, count in line.shapes[:_MAX_SHAPES])
    exact = Shown(size(line.size_bytes), f"{number(line.size_bytes)} {_('bytes')}")
    return InputView(line.path, line.format, line.sha256, exact, line.lines, shares, shapes)


def _totals(inputs: Sequence[InputLine]) -> tuple[tuple[str, int], ...]:
    return tuple(
        (name, sum(getattr(line, name) for line in inputs))
        for name in ("lines", "facts", "noise", "foreign", "unrecognised")
    )


def _unpaired(unpaired: Mapping[str, int]) -> str:
    names = {"both": _("by both sides"), "server": _("by the server only"), "agent": _("by the agent only")}
    counts = [
        (names.get(side, f"by {side}"), unpaired[side])
        for side in (*names, *sorted(set(unpaired) - set(names)))
        if unpaired.get(side)
    ]
    return (
        _("attempts seen") + " " + ", ".join(f"{name}: {number(count)}" for name, count in counts)
        if counts
        else _("nothing was left unpaired")
    )


def _pairing(attempts: Sequence[AttemptRow]) -> str:
    """How sure it is which request belongs to which call, over the attempts that both sides saw."""
    sure = [value for row in attempts if (value := num(row, "pairing_confidence")) is not None]
    if not sure:
        return ""
    low, high = share_of(min(sure)), share_of(max(sure))
    return f"; {_('confidence of the pairing')}: {low if low == high else f'{low} – {high}'}"


def _receipt(receipt: Mapping[str, int]) -> str:
    if not receipt:
        return f"{_('No secret was recognised.')} {_(_LOOK)}"
    kinds = ", ".join(f"{number(count)} {_(kind)}" for kind, count in receipt.items())
    return f"{_('Masked')}: {kinds}. {_(_LOOK)}"
