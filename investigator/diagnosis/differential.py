"""The differential table: every hypothesis with what speaks for it, what against it, and the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from investigator.diagnosis.collecting import Engine, command
from investigator.diagnosis.incidents import Group, severity_rank
from investigator.diagnosis.model import Hypothesis, HypothesisVerdict
from investigator.rulebook.compile import Compiled
from investigator.rulebook.evaluate import Evaluation
from investigator.rulebook.findings import EvidenceRef, Finding, SubjectResult

#: Causes that could not be evaluated and are shown one by one; the report's list of rules has them all.
MOST_UNDECIDED = 8

_ORDER: tuple[HypothesisVerdict, ...] = ("cause", "contributes", "symptom", "cannot_tell", "ruled_out")


def differential(
    group: Group,
    roots: Sequence[str],
    evaluation: Evaluation,
    rules: Sequence[Compiled],
    engine: Engine = "ollama",
) -> tuple[Hypothesis, ...]:
    """One line per rule that has something to say of this incident. `roots` are the finding ids of likely causes,
    the likeliest first, `engine` the server of the failed attempts: what to collect depends on it.

    Causes that stayed quiet are told together, in one line.
    """
    subjects = {str(row["attempt_id"]) for row in group.attempts}
    by_rule: dict[str, list[SubjectResult]] = {}
    for result in evaluation.subjects:
        if result.subject in subjects:
            by_rule.setdefault(result.rule, []).append(result)
    lines: list[Hypothesis] = []
    undecided: list[Hypothesis] = []
    quiet: list[str] = []
    for rule in rules:
        findings = [f for f in (*group.findings, *group.ruled_out) if f.rule == rule.id]
        results = by_rule.get(rule.id, [])
        if findings:
            lines.append(_fired(rule, findings, roots))
        elif missing := sorted({r.reason for r in results if r.outcome == "not_evaluated" and r.reason}):
            undecided.append(_undecided(rule, missing, engine))
        elif rule.rule.kind == "cause" and results and {r.outcome for r in results} == {"quiet"}:
            quiet.append(rule.rule.title)
    lines += sorted(undecided, key=lambda line: _rank(line, rules))[:MOST_UNDECIDED]
    place = {f.rule: roots.index(f.finding_id) for f in reversed(group.findings) if f.finding_id in roots}
    ordered = sorted(lines, key=lambda line: (_ORDER.index(line.verdict), place.get(line.rule, 0), line.rule))
    return (*ordered, *_others(quiet))


def _rank(line: Hypothesis, rules: Sequence[Compiled]) -> tuple[int, str]:
    severity = next(rule.rule.severity for rule in rules if rule.id == line.rule)
    return -severity_rank(severity), line.rule


def _others(titles: Sequence[str]) -> list[Hypothesis]:
    """The causes whose condition was looked at and does not hold."""
    if not titles:
        return []
    what = f"{len(titles)} other cause{'s' if len(titles) != 1 else ''}, looked at for each failed attempt"
    return [Hypothesis("others", None, what, "ruled_out", (), tuple(titles), None, ())]


def _fired(rule: Compiled, findings: Sequence[Finding], roots: Sequence[str]) -> Hypothesis:
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


def _verdict(rule: Compiled, findings: Sequence[Finding], roots: Sequence[str]) -> HypothesisVerdict:
    if rule.rule.kind == "ruled-out":
        return "ruled_out"
    if rule.rule.kind != "cause":
        return "symptom"
    return "cause" if any(finding.finding_id in roots for finding in findings) else "contributes"


def _undecided(rule: Compiled, missing: Sequence[str], engine: Engine) -> Hypothesis:
    """A cause that could not be evaluated: what is missing, and how to get it."""
    against = tuple(f"not known: {reason}" for reason in missing)
    collect = command(rule, missing, engine)
    return Hypothesis(rule.id, rule.rule.cause, rule.rule.title, "cannot_tell", (), against, collect, ())


def _unique(refs: Iterable[EvidenceRef]) -> tuple[EvidenceRef, ...]:
    return tuple(dict.fromkeys(refs))
