"""`rules test --coverage`: which parts of a rule its tests have seen at work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from investigator.rulebook.compile import Compiled
from investigator.rulebook.evaluate import Evaluation
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.testing import TestResult

_OUTCOMES = ("fired", "quiet", "not_evaluated")


@dataclass(frozen=True, slots=True)
class Coverage:
    """One rule: parts that some test saw at work, and those that none did (`step read_time`, `outcome quiet`, …)."""

    rule: str
    seen: tuple[str, ...]
    missed: tuple[str, ...]

    @property
    def share(self) -> float:
        return len(self.seen) / (len(self.seen) + len(self.missed))


def coverage(ruleset: RuleSet, results: Sequence[TestResult]) -> list[Coverage]:
    """By rule. A step was seen when it had a value, a what-if or remedy when a finding told it."""
    found = []
    for compiled in ruleset.rules:
        mine = [result for result in results if result.rule == compiled.id and result.evaluation is not None]
        seen = {part for result in mine if result.evaluation for part in _seen(compiled, result.evaluation)}
        if any(result.log for result in mine):
            seen.add("log")
        parts = list(_parts(compiled))
        found.append(
            Coverage(compiled.id, tuple(p for p in parts if p in seen), tuple(p for p in parts if p not in seen))
        )
    return found


def _parts(compiled: Compiled) -> Iterator[str]:
    rule = compiled.rule
    can_lack = bool(rule.needs.non_null or compiled.behind(compiled.verdict.columns))
    yield from (f"outcome {name}" for name in _OUTCOMES if name != "not_evaluated" or can_lack)
    yield "log"
    yield from (f"step {step.name}" for step in rule.steps)
    yield from (f"what-if {what_if.id}" for what_if in rule.what_if)
    yield from (f"remedy {number}" for number, _ in enumerate(rule.remedies, 1))


def _seen(compiled: Compiled, evaluation: Evaluation) -> Iterator[str]:
    counts = evaluation.results[0].counts
    yield from (f"outcome {name}" for name, count in counts.items() if count)
    if not sum(counts.values()):
        yield "outcome quiet"
    for subject in evaluation.subjects:
        yield from (f"step {name}" for name, value in subject.steps.items() if value is not None)
    for finding in evaluation.findings:
        yield from (f"what-if {name}" for name, value in finding.what_if.items() if value is not None)
        told = {(remedy.where, remedy.proves, remedy.setting is None) for remedy in finding.remedies}
        for number, remedy in enumerate(compiled.rule.remedies, 1):
            if (remedy.where, remedy.proves, remedy.setting is None) in told or "{{" in remedy.where:
                yield f"remedy {number}"
