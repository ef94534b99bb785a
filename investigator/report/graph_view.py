"""The cause graph of an incident as the tree that the page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from investigator.diagnosis.model import Incident
from investigator.report.finding_view import MAX_FINDINGS, finding_anchor, verdict_tags
from investigator.report.viewtypes import Node
from investigator.report.words import tag
from investigator.rulebook.findings import Finding


def cause_tree(incident: Incident, anchor: str) -> tuple[Node, ...]:
    """Roots first, each finding in full once, by name where it is met again."""
    findings = {f.finding_id: f for f in incident.findings}
    below = reduced(_effects(incident, findings))
    caused = {effect for effects in below.values() for effect in effects}
    order = [line.finding_id for line in incident.causes if line.finding_id in findings]
    roots = [
        i for i in dict.fromkeys([*order, *findings]) if i not in caused and (i in below or findings[i].kind == "cause")
    ]
    tags = verdict_tags(incident)
    seen: set[str] = set()

    def node(finding_id: str, path: Sequence[str]) -> Node:
        finding = findings[finding_id]
        own = tags.get(finding.rule, tag(finding.kind))
        # A root that explains none of the failures is none of theirs.
        shown = own if path or own.kind not in ("cause", "contributes") else tag("root", {"root": "root"})
        again = finding_id in seen
        seen.add(finding_id)
        # A diagnosis promises a DAG; a page must end even if that promise is broken.
        children = [] if again else [c for c in below.get(finding_id, ()) if c not in path]
        return Node(
            finding_anchor(anchor, incident, finding_id),
            finding.title,
            finding.short,
            shown,
            again,
            tuple(node(child, [*path, finding_id]) for child in children),
        )

    return tuple(node(root, []) for root in roots[:MAX_FINDINGS])


def _effects(incident: Incident, findings: Mapping[str, Finding]) -> dict[str, list[str]]:
    below: dict[str, list[str]] = {}
    for edge in incident.edges:
        if edge.cause in findings and edge.effect in findings and edge.cause != edge.effect:
            below.setdefault(edge.cause, []).append(edge.effect)
    return {cause: list(dict.fromkeys(effects)) for cause, effects in below.items()}


def reduced(below: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Without the edges that a longer way through the graph tells already (transitive reduction of a DAG)."""
    reached: dict[str, frozenset[str]] = {}

    def reach(node: str, path: frozenset[str]) -> frozenset[str]:
        """All that follows from `node`; a circle is cut where it closes."""
        if node not in reached:
            inside = path | {node}
            following = [n for n in below.get(node, ()) if n not in inside]
            reached[node] = frozenset(following).union(*(reach(n, inside) for n in following))
        return reached[node]

    def told(effect: str, effects: Sequence[str]) -> bool:
        return any(effect in reach(other, frozenset()) and other not in reach(effect, frozenset()) for other in effects)

    return {cause: tuple(e for e in effects if not told(e, effects)) for cause, effects in below.items()}
