"""Which causes nearly held for calls that no rule explains."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from investigator.diagnosis.incidents import Row
from investigator.diagnosis.model import Nearest
from investigator.rulebook.evaluate import Evaluation
from investigator.rulebook.nearness import near_misses
from investigator.rulebook.pack import RuleSet

MOST = 3


def nearest(
    con: duckdb.DuckDBPyConnection, rules: RuleSet, evaluation: Evaluation, attempts: Sequence[Row]
) -> tuple[Nearest, ...]:
    """The causes whose verdict fails by one term for one of the attempts, the nearest first."""
    quiet = {result.rule for result in evaluation.results if result.kind == "cause" and result.counts.get("quiet")}
    misses = near_misses(con, (rules[rule] for rule in sorted(quiet)), [str(row["attempt_id"]) for row in attempts])
    return tuple(
        Nearest(miss.rule, miss.title, miss.candidate.subject, miss.term.ratio, miss.say) for miss in misses[:MOST]
    )
