"""How much a cause matters: how bad it is, how often it struck, and what it brings about."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from math import log2

from investigator.diagnosis.incidents import Row, explained
from investigator.rulebook.findings import Finding, Severity

#: One step of severity outweighs some ten times as many calls.
_WEIGHT: Mapping[Severity, float] = {"info": 0.3, "low": 1.0, "medium": 3.0, "high": 10.0, "critical": 30.0}

#: Share of a failed call that a call counts which a cause only harmed: slowed down, cut, waiting.
_HARMED = 0.25

#: What an estimate weighs beside something measured or derived.
_ESTIMATED = 0.5


def likely_causes(
    findings: Iterable[Finding], edges: Iterable[tuple[str, str]], staying: Collection[tuple[str, str]] = ()
) -> list[Finding]:
    """Causes that no other cause among `findings` explains. `edges`: (cause, effect) finding ids.

    staying: (rule of the cause, rule of the effect) whose edge leaves the effect a likely cause: both were needed.
    """
    causes = {finding.finding_id: finding for finding in findings if finding.kind == "cause"}
    explained_by = {
        effect
        for cause, effect in edges
        if cause in causes and effect in causes and (causes[cause].rule, causes[effect].rule) not in staying
    }
    return [finding for id_, finding in causes.items() if id_ not in explained_by]


def rules_behind(roots: Iterable[Finding], edges: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Rules of likely causes that another cause explains; between equals they are named after it."""
    explained_by = {effect for _, effect in edges}
    return frozenset(root.rule for root in roots if root.finding_id in explained_by)


def weights(
    roots: Sequence[Finding], findings: Iterable[Finding], edges: Iterable[tuple[str, str]], attempts: Sequence[Row]
) -> dict[str, float]:
    """Rule of a root → its weight among causes. `edges`: (cause, effect) finding ids; `attempts`: the failed ones.

    What a root explains counts as its own: a driver that is too old is as bad as the answers that take minutes for it.
    """
    by_id = {finding.finding_id: finding for finding in findings if finding.kind == "cause"}
    effects: dict[str, list[str]] = {}
    for cause, effect in edges:
        if cause in by_id and effect in by_id:
            effects.setdefault(cause, []).append(effect)
    rules: dict[str, list[Finding]] = {}
    for root in roots:
        rules.setdefault(root.rule, []).append(root)
    return {rule: _weight(own, _reached(own, effects, by_id), attempts) for rule, own in rules.items()}


def _reached(
    own: Sequence[Finding], effects: Mapping[str, Sequence[str]], by_id: Mapping[str, Finding]
) -> list[Finding]:
    seen = {finding.finding_id: finding for finding in own}
    waiting = list(seen)
    while waiting:
        for effect in effects.get(waiting.pop(), ()):
            if effect not in seen:
                seen[effect] = by_id[effect]
                waiting.append(effect)
    return list(seen.values())


def _weight(own: Sequence[Finding], reached: Sequence[Finding], attempts: Sequence[Row]) -> float:
    """That of its gravest effects: each severity counts for the calls that felt it, or something graver."""
    sure = 1.0 if any(finding.label != "estimated" for finding in own) else _ESTIMATED
    felt: dict[Severity, list[Finding]] = {
        finding.severity: [other for other in reached if _WEIGHT[other.severity] >= _WEIGHT[finding.severity]]
        for finding in reached
    }
    return sure * max(_level(severity, findings, attempts) for severity, findings in felt.items())


def _level(severity: Severity, findings: Sequence[Finding], attempts: Sequence[Row]) -> float:
    calls = {call for finding in findings for call in explained(finding, attempts)}
    told = {subject for finding in findings for subject in finding.subjects}
    return importance(severity, len(calls), len(told))


def importance(severity: Severity, failed_calls: int, told: int) -> float:
    """Weight of a cause that explains `failed_calls` and speaks of `told` things in all.

    Severity says how bad it is for one call, the calls say how often. Twice as many calls add a constant to the weight
    and do not double it: a hundred calls that were refused at once do not hide ten answers that never came.
    """
    harm = failed_calls + _HARMED * max(told - failed_calls, 0)
    return _WEIGHT[severity] * (1 + log2(1 + harm))
