"""How near each rule came to its limit in the window."""

from __future__ import annotations

from investigator.casefile.case import Case
from investigator.rulebook.evaluate import Evaluation
from investigator.rulebook.pack import RuleSet
from investigator.scan.misses import Miss


def nearest_misses(judged: Case, evaluation: Evaluation, rules: RuleSet) -> tuple[Miss, ...]:
    """The nearest quiet subject of each rule whose verdict compares two numbers."""
    return ()
