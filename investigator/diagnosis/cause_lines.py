"""The likely causes of an incident as ranked lines: what each explains, and what it would have saved alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from investigator.diagnosis.incidents import Group, explained
from investigator.diagnosis.model import CauseLine
from investigator.rulebook.findings import Finding, Label

_LABELS: tuple[Label, ...] = ("measured", "derived", "estimated")


def explained_by_rule(roots: Sequence[Finding], group_: Group) -> dict[str, frozenset[str]]:
    """Rule → ids of the failed calls that its findings speak of."""
    explains: dict[str, frozenset[str]] = {}
    for finding in roots:
        explains[finding.rule] = explains.get(finding.rule, frozenset()) | explained(finding, group_.attempts)
    return explains


def _alone(rule: str, explains: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The failed calls that a root explains and no other root does."""
    others = (calls for other, calls in explains.items() if other != rule)
    return explains[rule].difference(*others)


def cause_lines(
    roots: Sequence[Finding],
    group_: Group,
    weight: Mapping[str, float],
    felt: frozenset[str],
    behind: frozenset[str] = frozenset(),
) -> tuple[CauseLine, ...]:
    """By weight (severity and calls), then what brings about before what it brings about (`behind`), then what an agent
    felt itself (`felt`), then how direct the evidence is, then how many calls it would have saved alone."""
    lines: dict[str, CauseLine] = {}
    explains = explained_by_rule(roots, group_)
    for finding in sorted(roots, key=lambda f: (_LABELS.index(f.label), str(f.happened_at), f.finding_id)):
        line = CauseLine(
            rule=finding.rule,
            cause=finding.cause or finding.rule,
            title=finding.title,
            explains=len(explains[finding.rule]),
            label=finding.label,
            finding_id=finding.finding_id,
            alone=len(_alone(finding.rule, explains)),
        )
        lines.setdefault(finding.rule, line)

    def order(line: CauseLine) -> tuple[object, ...]:
        known = (_LABELS.index(line.label), -line.alone)
        return (-weight[line.rule], line.rule in behind, line.rule not in felt, *known, line.rule)

    return tuple(sorted(lines.values(), key=order))
