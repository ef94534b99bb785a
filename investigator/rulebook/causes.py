"""Causal edges between findings: keys match, the cause does not come after the effect, and no circle arises.

An edge says "explains", never "proves".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from investigator.rulebook.findings import Finding
from investigator.rulebook.model import CauseEdge

Edges: TypeAlias = tuple[tuple[str, str], ...]


def causal_edges(findings: Sequence[Finding], declared: Mapping[str, Iterable[CauseEdge]]) -> Edges:
    """(cause finding_id, effect finding_id), sorted. `declared`: effect's rule id → its `causes`.

    An edge that would close a circle is left out; edges are tried in order of time, then id, so this is repeatable.
    """
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    candidates = [
        (cause, effect)
        for effect in findings
        for edge in declared.get(effect.rule, ())
        for cause in by_rule.get(edge.rule, [])
        if cause is not effect and _joined(cause, effect, edge) and _in_time(cause, effect, edge.within)
    ]
    candidates.sort(key=lambda pair: (str(pair[0].happened_at), pair[0].finding_id, pair[1].finding_id))
    effects: dict[str, set[str]] = {}
    kept = set()
    for cause, effect in candidates:
        if not _reaches(effects, effect.finding_id, cause.finding_id):
            effects.setdefault(cause.finding_id, set()).add(effect.finding_id)
            kept.add((cause.finding_id, effect.finding_id))
    return tuple(sorted(kept))


def staying(declared: Mapping[str, Iterable[CauseEdge]]) -> frozenset[tuple[str, str]]:
    """(rule of the cause, rule of the effect) whose edges leave the effect a likely cause of its own."""
    return frozenset((edge.rule, effect) for effect, edges in declared.items() for edge in edges if edge.stays)


def _joined(cause: Finding, effect: Finding, edge: CauseEdge) -> bool:
    """Every key of `via` has values in common, as many as `share` asks for; an unknown key joins nothing."""
    for name in edge.via:
        own = set(effect.keys.get(name, ()))
        common = own & set(cause.keys.get(name, ()))
        if not common or len(common) < edge.share * len(own):
            return False
    return True


def _in_time(cause: Finding, effect: Finding, within_s: float | None) -> bool:
    """The cause began before the effect ended; findings without a time are joined by their keys alone."""
    if cause.happened_at is None or effect.happened_at is None:
        return within_s is None
    effect_end, cause_end = effect.last_at or effect.happened_at, cause.last_at or cause.happened_at
    if cause.happened_at > effect_end:
        return False
    return within_s is None or (effect.happened_at - cause_end).total_seconds() <= within_s


def _reaches(effects: Mapping[str, set[str]], start: str, goal: str) -> bool:
    seen, stack = set(), [start]
    while stack:
        node = stack.pop()
        if node == goal:
            return True
        if node not in seen:
            seen.add(node)
            stack.extend(effects.get(node, ()))
    return False
