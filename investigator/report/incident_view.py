"""One incident as the page shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from investigator.diagnosis.model import AttemptRow, Diagnosis, Hypothesis, Incident, Nearest
from investigator.report.cells import row_start
from investigator.report.changes_view import MAX_WORLDS, fix_view, left_out, world_rank, world_view
from investigator.report.columns import named_words, not_known_words
from investigator.report.curve_chart import curve_chart
from investigator.report.evidence_view import MAX_TRIES, Evidence, failed_tries
from investigator.report.finding_view import MAX_FINDINGS, finding_view, verdict_tags
from investigator.report.graph_view import cause_tree
from investigator.report.language import _, current
from investigator.report.machines_view import machines_view
from investigator.report.memory_chart import memory_chart
from investigator.report.text import Shown, clock, model_name, number, plural, quantity, seconds, share_of, zone_name
from investigator.report.timeline_view import timeline_chart
from investigator.report.token_chart import tokens_chart
from investigator.report.viewtypes import (
    AttemptView,
    FindingView,
    HypothesisView,
    IncidentView,
    NearestView,
    Tag,
    Tile,
)
from investigator.report.words import outcome_tag, severity_tag
from investigator.rulebook.findings import Finding

#: Stands for a rule where a diagnosis tells many quiet causes together.
OTHERS = "others"

#: Shorter times are no damage worth a number.
_LEAST_DAMAGE_S = 1.0


def incident_view(d: Diagnosis, incident: Incident, number_: int, evidence: Evidence) -> IncidentView:
    """Everything of one incident, in reading order."""
    anchor, alone = f"i{number_}", len(d.incidents) == 1
    explains = {line.finding_id: line for line in incident.causes}
    main = told_causes(incident)
    rest = [f for f in incident.findings if f not in main]

    def view(finding: Finding) -> FindingView:
        return finding_view(finding, anchor, explains, incident, d.zone_offset_s, evidence)

    worlds = sorted(incident.what_would_help, key=world_rank)
    helps = [world for world in worlds if world.saves != "no"]
    useless = [world for world in worlds if world.saves == "no"]
    failed = failed_tries(incident)
    verdicts = verdict_tags(incident)
    collects = tuple(dict.fromkeys(one for h in incident.differential for one in _commands(h)))
    return IncidentView(
        anchor=anchor,
        number=number_,
        title=incident.title,
        severity=None if alone else severity_tag(incident.severity),
        # The page begins with it.
        sentence="" if number_ == 1 and d.verdict.sentence.startswith(incident.sentence) else incident.sentence,
        subtitle=_subtitle(incident, d.zone_offset_s),
        tiles=impact_tiles(incident),
        sums=tuple(map(view, main[:MAX_FINDINGS])),
        others=tuple(map(view, rest[:MAX_FINDINGS])),
        timeline=timeline_chart(f"{anchor}-timeline", d, incident),
        tokens=tokens_chart(f"{anchor}-tokens", incident.attempts, d.zone_offset_s),
        curve=None if incident.curve is None else curve_chart(f"{anchor}-curve", incident.curve, incident.attempts),
        memory=memory_chart(f"{anchor}-memory", incident.memory),
        attempts=tuple(_attempt(row, d.zone_offset_s, evidence) for row in failed[:MAX_TRIES]),
        attempts_note=f"{plural(len(failed) - MAX_TRIES, 'more try', 'more tries')} {_('left out')}"
        if len(failed) > MAX_TRIES
        else "",
        graph=cause_tree(incident, anchor),
        symptoms=_untold_symptoms(incident),
        nearest=tuple(_nearest(miss) for miss in incident.nearest),
        differential=tuple(_hypothesis(h, verdicts[h.rule], evidence, collects) for h in incident.differential),
        collects=collects,
        helps=tuple(map(world_view, helps[:MAX_WORLDS])),
        useless=tuple(map(world_view, useless[:MAX_WORLDS])),
        worlds_note=left_out(len(helps), len(useless)),
        fixes=tuple(fix_view(fix, incident) for fix in incident.fixes),
        machines=machines_view(f"{anchor}-machines", incident.machines),
        incident_id=incident.incident_id,
    )


def told_causes(incident: Incident) -> list[Finding]:
    """The causes whose sums are told. Beside failures that one explains, what explains none is a remark to unfold."""
    findings = {f.finding_id: f for f in incident.findings}
    told = [line for line in incident.causes if line.finding_id in findings]
    return [findings[line.finding_id] for line in [line for line in told if line.explains] or told]


def impact_tiles(incident: Incident) -> tuple[Tile, ...]:
    """The damage in numbers; what is not known is left out rather than shown as nothing."""
    impact = incident.impact
    tiles = []
    if impact.failed_calls:
        failed = Shown(number(impact.failed_calls), plural(impact.failed_calls, "call"))
        tiles.append(Tile(failed, "failed call" if impact.failed_calls == 1 else "failed calls"))
    if impact.failed_attempts != impact.failed_calls:
        tiles.append(
            Tile(Shown(number(impact.failed_attempts), plural(impact.failed_attempts, "try", "tries")), "failed tries")
        )
    if impact.wall_s is not None and impact.wall_s >= _LEAST_DAMAGE_S:
        tiles.append(Tile(seconds(impact.wall_s), "spent waiting in vain"))
    if impact.tokens_read_in_vain is not None:
        tokens = impact.tokens_read_in_vain
        tiles.append(Tile(Shown(number(tokens), plural(tokens, "token", "tokens")), "prompt tokens read in vain"))
    if impact.server_share is not None and (impact.server_s or 0.0) >= _LEAST_DAMAGE_S:
        share = Shown(share_of(impact.server_share), f"{impact.server_s or 0.0:,.1f} s")
        tiles.append(Tile(share, "of the server’s busy time"))
    return tuple(tiles)


def _subtitle(incident: Incident, zone: int | None) -> str:
    parts = [model_name(incident.model)] if incident.model else []
    if incident.started_at is not None:
        start = clock(incident.started_at, zone, with_date=True).text
        end = start if incident.ended_at is None else clock(incident.ended_at, zone, with_date=True).text
        until = "" if end == start else f" – {end[11:] if end[:10] == start[:10] else end}"
        parts.append(f"{start}{until} {zone_name(zone)}")
    if incident.run_ids:
        parts.append(plural(len(incident.run_ids), "run"))
    return " · ".join(parts)


def _attempt(row: AttemptRow, zone: int | None, evidence: Evidence) -> AttemptView:
    get = row.columns.get
    try_no, tries = get("try_no"), get("tries")
    heading = row.call_id
    if try_no is not None and tries is not None:
        heading = _("Only try") if tries == 1 else _("Try {no} of {all}").format(no=try_no, all=tries)
    start = clock(row_start(row), zone)
    lasted = get("duration_s")
    facts = (
        start,
        Shown(_("at once"), "0 s") if lasted == 0 and lasted is not False else seconds(lasted),
        *(quantity(get(name), None) for name in ("asked_tokens", "window_tokens", "read_tokens", "cached_tokens")),
        seconds(get("timeout_s")),
    )
    layer = get("timeout_layer")
    reason = row.why[:1].upper() + row.why[1:].rstrip(".") + "."
    if isinstance(layer, str) and layer and layer not in row.why:
        reason += f" {_('Limit')}: {layer}."
    tags = outcome_tag(str(get("outcome") or "unknown"))
    return AttemptView(heading, tags, reason, start.text, facts, evidence.links(row.evidence))


def _commands(h: Hypothesis) -> tuple[str, ...]:
    return tuple(h.collect.split("; ")) if h.collect else ()


def _runs(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Neighbours together, each run as (first, last): {1, 2, 3, 7} → (1, 3), (7, 7)."""
    runs: list[tuple[int, int]] = []
    for one in sorted(numbers):
        first = runs.pop()[0] if runs and runs[-1][1] == one - 1 else one
        runs.append((first, one))
    return tuple(runs)


def _hypothesis(h: Hypothesis, verdict: Tag, evidence: Evidence, collects: Sequence[str]) -> HypothesisView:
    return HypothesisView(
        h.title,
        h.rule,
        verdict,
        h.evidence_for,
        tuple(map(not_known_words, h.evidence_against)),
        h.collect,
        _runs({collects.index(one) + 1 for one in _commands(h)}),
        evidence.links(h.evidence, 3),
        together=h.rule == OTHERS,
    )


def _nearest(miss: Nearest) -> NearestView:
    ratio = "" if miss.ratio is None else _("{share} of the limit").format(share=share_of(miss.ratio))
    said = miss.texts.get(current(), miss.say)
    return NearestView(miss.title, miss.rule, named_words(said), ratio, miss.subject)


def _untold_symptoms(incident: Incident) -> tuple[str, ...]:
    """Symptoms that no finding of the page tells already."""
    told = {text for f in incident.findings for text in (f.finding_id, f.short, f.title)}
    return tuple(text for text in incident.symptoms if text not in told)
