"""Which causes nearly held for calls that no rule explains."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from investigator.diagnosis.incidents import Row
from investigator.diagnosis.model import Nearest
from investigator.rulebook.compile import Compiled
from investigator.rulebook.evaluate import Evaluation
from investigator.rulebook.nearness import NearMiss, near_misses
from investigator.rulebook.pack import RuleSet

MOST = 3


def nearest(
    con: duckdb.DuckDBPyConnection, rules: RuleSet, evaluation: Evaluation, attempts: Sequence[Row]
) -> tuple[Nearest, ...]:
    """The causes whose verdict fails by one term for one of the attempts, the nearest first."""
    quiet = {result.rule for result in evaluation.results if result.kind == "cause" and result.counts.get("quiet")}
    misses = near_misses(con, (rules[rule] for rule in sorted(quiet)), [str(row["attempt_id"]) for row in attempts])
    return tuple(
        Nearest(
            miss.rule, miss.title, miss.candidate.subject, miss.term.ratio, miss.say, _texts(rules[miss.rule], miss)
        )
        for miss in misses[:MOST]
    )


def _texts(compiled: Compiled, miss: NearMiss) -> dict[str, str]:
    """Where the term is of a step that has words in other languages."""
    step = next((step for step in compiled.rule.steps if step.say and step.name == miss.term.name), None)
    if step is None or step.say is None:
        return {}
    told = {language: said.steps.get(step.name) for language, said in compiled.rule.texts.items()}
    return {language: miss.say.replace(step.say, said, 1) for language, said in told.items() if said}
