"""Small mistakes in the built-in rules: their row tests notice nearly all, and what is accepted does survive."""

from __future__ import annotations

import pytest

from investigator.rulebook.mutate import mutation_results
from investigator.rulebook.pack import RuleSet


@pytest.mark.slow
def test_mistakes_in_the_built_in_rules_are_noticed(built_in: RuleSet) -> None:
    results = list(mutation_results(built_in))
    assert not [str(problem) for result in results for problem in result.stale]
    missed = [f"{result.path}:{each.line}: {each.change}" for result in results for each in result.survivors]
    killed, counted = sum(result.killed for result in results), sum(result.counted for result in results)
    assert killed >= 0.95 * counted, "\n".join(missed)
