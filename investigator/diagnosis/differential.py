"""The differential table: every hypothesis with what speaks for it, what against it, and the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files

from ruamel.yaml import YAML

from investigator.diagnosis.incidents import Group
from investigator.diagnosis.model import Hypothesis, HypothesisVerdict
from investigator.rulebook.compile import Compiled
from investigator.rulebook.evaluate import Evaluation
from investigator.rulebook.findings import EvidenceRef, Finding, SubjectResult

_ORDER: tuple[HypothesisVerdict, ...] = ("cause", "contributes", "symptom", "cannot_tell", "ruled_out")


@cache
def _collect() -> Mapping[str, str]:
    text = files(__package__).joinpath("collect.yaml").read_text(encoding="utf-8")
    return dict(YAML(typ="safe", pure=True).load(text))


def differential(
    group: Group, roots: frozenset[str], evaluation: Evaluation, rules: Sequence[Compiled]
) -> tuple[Hypothesis, ...]:
    """One line per rule that has something to say of this incident. `roots` are the finding ids of likely causes."""
    subjects = {str(row["attempt_id"]) for row in group.attempts}
    by_rule: dict[str, list[SubjectResult]] = {}
    for result in evaluation.subjects:
        if result.subject in subjects:
            by_rule.setdefault(result.rule, []).append(result)
    lines = []
    for rule in rules:
        findings = [f for f in (*group.findings, *group.ruled_out) if f.rule == rule.id]
        line = _fired(rule, findings, roots) if findings else _not_fired(rule, by_rule.get(rule.id, []))
        if line is not None:
            lines.append(line)
    return tuple(sorted(lines, key=lambda line: (_ORDER.index(line.verdict), line.rule)))


def _fired(rule: Compiled, findings: Sequence[Finding], roots: frozenset[str]) -> Hypothesis:
    texts = tuple(dict.fromkeys(finding.short for finding in findings))
    evidence = _unique(ref for finding in findings for ref in finding.evidence)
    ruled_out = rule.rule.kind == "ruled-out"
    return Hypothesis(
        rule=rule.id,
        cause=rule.rule.cause,
        title=rule.rule.title,
        verdict=_verdict(rule, findings, roots),
        evidence_for=() if ruled_out else texts,
        evidence_against=texts if ruled_out else (),
        collect=None,
        evidence=evidence,
    )


def _verdict(rule: Compiled, findings: Sequence[Finding], roots: frozenset[str]) -> HypothesisVerdict:
    if rule.rule.kind == "ruled-out":
        return "ruled_out"
    if rule.rule.kind != "cause":
        return "symptom"
    return "cause" if any(finding.finding_id in roots for finding in findings) else "contributes"


def _not_fired(rule: Compiled, results: Sequence[SubjectResult]) -> Hypothesis | None:
    """A cause that stayed quiet speaks against itself; one that could not be evaluated says what is missing."""
    outcomes = {result.outcome for result in results}
    missing = sorted({result.reason for result in results if result.outcome == "not_evaluated" and result.reason})
    if missing:
        against = tuple(f"not known: {reason}" for reason in missing)
        collect = "; ".join(dict.fromkeys(_collect().get(_column(reason), "") for reason in missing)).strip("; ")
        return Hypothesis(rule.id, rule.rule.cause, rule.rule.title, "cannot_tell", (), against, collect or None, ())
    if rule.rule.kind == "cause" and outcomes == {"quiet"}:
        plural = "s" if len(results) != 1 else ""
        text = f"looked at for {len(results)} failed attempt{plural}; its condition does not hold"
        return Hypothesis(rule.id, rule.rule.cause, rule.rule.title, "ruled_out", (), (text,), None, ())
    return None


def _column(reason: str) -> str:
    return reason.rsplit(":", maxsplit=1)[-1].split(",", maxsplit=1)[0].strip()


def _unique(refs: Iterable[EvidenceRef]) -> tuple[EvidenceRef, ...]:
    return tuple(dict.fromkeys(refs))
