"""How near each rule came to its limit in the window."""

from __future__ import annotations

from collections.abc import Mapping

from investigator.casefile.case import Case
from investigator.rulebook.evaluate import Evaluation
from investigator.rulebook.findings import Value
from investigator.rulebook.nearness import near_misses
from investigator.rulebook.pack import RuleSet
from investigator.scan.measured import place_of
from investigator.scan.misses import Miss


def nearest_misses(judged: Case, evaluation: Evaluation, rules: RuleSet) -> tuple[Miss, ...]:
    """The nearest quiet subject of each cause whose verdict compares two numbers; of rules that fired, none."""
    known = {rule.id for rule in rules.rules}
    quiet = sorted(
        result.rule
        for result in evaluation.results
        if result.kind == "cause" and result.outcome in ("quiet", "not_evaluated") and result.counts.get("quiet")
    )
    misses = near_misses(judged.connection, (rules[rule] for rule in quiet if rule in known))
    return tuple(
        Miss(miss.rule, _place(miss.candidate.values), _text(miss.candidate.values, "model"), miss.term.ratio, miss.say)
        for miss in misses
        if miss.term.ratio is not None
    )


def _place(values: Mapping[str, Value]) -> str:
    """The server's log, else the agent."""
    stream, agent = _text(values, "stream"), _text(values, "agent")
    return place_of(stream) if stream else f"agent {agent}" if agent else ""


def _text(values: Mapping[str, Value], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""
