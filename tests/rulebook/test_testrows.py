"""Rows of the tests inside rule files: copies of a row, and what cannot be set up."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from investigator.rulebook import testrows
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.scaffold import new_rule
from investigator.rulebook.testrows import offset_s, rows_of

_ROWS = "{attempts: [{attempt_id: a, run_id: r, arrived_at: t0-1m}], server_events: [{event_id: e}]}"


def _rows(rule_from: Callable[..., RuleSet], repeat: str) -> dict[str, list[dict[str, object]]]:
    given = f"  - {{name: copies, given: {_ROWS}, repeat: {repeat}, expect: {{outcome: quiet}}}}\n"
    rules = rule_from(new_rule("my-rule") + given, "my-rule")
    assert not rules.problems, "\n".join(map(str, rules.problems))
    return rows_of(rules.rules[0], rules.rules[0].rule.tests[-1])


def test_copies_are_numbered_and_later(rule_from: Callable[..., RuleSet]) -> None:
    rows = _rows(rule_from, "{attempts.0: {times: 3, every: 40s}, server_events.0: {times: 2}}")
    assert [row["attempt_id"] for row in rows["attempts"]] == ["a", "a-002", "a-003"]
    assert [offset_s(str(row["arrived_at"])) for row in rows["attempts"]] == [-60, -20, 20]
    assert rows["server_events"] == [{"event_id": "e"}, {"event_id": "e-002"}]


@pytest.mark.parametrize("path", ["attempts.1", "attempts", "requests.0", "attempts.0.run_id"])
def test_a_row_that_is_not_there_is_not_copied(rule_from: Callable[..., RuleSet], path: str) -> None:
    with pytest.raises(testrows.TestSetupError, match="there is no row"):
        _rows(rule_from, f"{{{path}: {{times: 2}}}}")
