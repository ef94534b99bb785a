"""A finding as the page shows it: its sum step by step, with where each number comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from investigator.diagnosis.model import CauseLine, Incident
from investigator.report.columns import column, spoken
from investigator.report.evidence_view import Evidence
from investigator.report.language import _
from investigator.report.text import duration, number, plural, quantity
from investigator.report.viewtypes import FindingView, OperandView, RemedyView, StepView, Tag
from investigator.report.words import HYPOTHESES, tag
from investigator.rulebook.findings import Finding, Operand, Step

_SUM = re.compile(r"[+−×÷^(=≠<>≤≥]| mod | is | between ")

#: Words that a sum is shown with (rulebook.shown).
_WORDS = re.compile(r"(?<![\w.-])(?:is unknown|is known|is one of|unknown)(?![\w.-])")

#: Longer times are told in minutes and hours as well.
_LONG_S = 60

#: Findings of an incident that a page shows.
MAX_FINDINGS = 40


def finding_view(
    f: Finding, anchor: str, explains: Mapping[str, CauseLine], incident: Incident, zone: int | None, evidence: Evidence
) -> FindingView:
    return FindingView(
        anchor=finding_anchor(anchor, incident, f.finding_id),
        title=f.title,
        rule=f"{f.rule} v{f.rule_version} · {f.pack}",
        verdict=verdict_tags(incident).get(f.rule, tag(f.kind)),
        tag=tag(f.label),
        short=f.short,
        long=f.long,
        steps=_steps(f.steps, zone, evidence),
        links=evidence.links(f.evidence, 4),
        remedies=tuple(RemedyView(r.do, _(r.where), r.setting, r.proves) for r in f.remedies),
        explains=_explains(explains.get(f.finding_id), incident),
    )


def _explains(line: CauseLine | None, incident: Incident) -> str:
    """How many of the failed calls, and of how many it is the only cause; nothing where none failed."""
    failed = incident.impact.failed_calls
    if line is None or not failed:
        return ""
    if not line.explains:
        return _("beside the failures")
    told = _("explains {part} of {calls}").format(part=number(line.explains), calls=plural(failed, "failed call"))
    if line.alone == line.explains:
        return told
    return f"{told}, {_('{count} alone').format(count=number(line.alone)) if line.alone else _('none alone')}"


def verdict_tags(incident: Incident) -> dict[str, Tag]:
    """Rule → its verdict on the page: the same word wherever the rule is met."""
    tags = {line.rule: tag(line.verdict, HYPOTHESES) for line in incident.differential}
    idle = [line.rule for line in incident.causes if incident.impact.failed_calls and not line.explains]
    return tags | {rule: Tag("symptom", _("beside the failures")) for rule in idle if len(idle) < len(incident.causes)}


def finding_anchor(anchor: str, incident: Incident, finding_id: str) -> str:
    """Ids of findings may hold anything: anchors are numbered."""
    order = {f.finding_id: n for n, f in enumerate(incident.findings, 1)}
    return f"{anchor}-f{order.get(finding_id, 0)}"


def _steps(steps: Sequence[Step], zone: int | None, evidence: Evidence) -> tuple[StepView, ...]:
    """Steps in order. `x_low` and `x_high` become the interval of `x`; an operand is told where it is first used, and
    the same sum of the same numbers once.
    """
    named = {step.name: step for step in steps}
    told: set[tuple[str, object]] = set()
    sums: set[tuple[str, object]] = set()
    views = []
    for step in steps:
        stem = step.name.removesuffix("_low").removesuffix("_high")
        folded = stem != step.name and {stem, f"{stem}_low", f"{stem}_high"} <= named.keys()
        # That a message has letters is a condition, and no sum.
        folded = folded or (step.expr, step.value) in sums or step.expr.startswith("length(")
        sums.add((step.expr, step.value))
        fresh = tuple(o for o in step.operands if folded or (o.name, o.value) not in told)
        if not folded:
            told |= {(o.name, o.value) for o in step.operands}
        low, high = named.get(f"{step.name}_low"), named.get(f"{step.name}_high")
        interval = ""
        if low is not None and high is not None:
            interval = f"{quantity(low.value, low.unit, zone).text} – {quantity(high.value, high.unit, zone).text}"
        view = _step(replace(step, operands=fresh), zone, evidence)
        views.append(replace(view, interval=interval, folded=folded))
    return tuple(views)


def _step(step: Step, zone: int | None, evidence: Evidence) -> StepView:
    return StepView(
        say=step.say or step.name.replace("_", " "),
        expr=_WORDS.sub(lambda word: _(word[0]), step.expr) if _is_sum(step.expr) else "",
        value=quantity(step.value, step.unit, zone),
        also=_in_minutes(step),
        tag=tag(step.label),
        operands=tuple(_operand(o, zone, evidence) for o in step.operands),
    )


def _is_sum(expr: str) -> bool:
    """Whether there is something to check by eye. What was chosen between cases, or one number alone, is the result."""
    return not expr.startswith("if ") and _SUM.search(expr) is not None


def _in_minutes(step: Step) -> str:
    seconds = step.value
    if step.unit != "s" or isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < _LONG_S:
        return ""
    return duration(float(seconds))


def _operand(o: Operand, zone: int | None, evidence: Evidence) -> OperandView:
    return OperandView(
        column(o.name),
        quantity(spoken(o.name, o.value), o.unit, zone),
        None if o.value is None else tag(o.label),
        o.note,
        evidence.links(o.evidence, 3),
    )
