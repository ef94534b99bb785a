"""What a user's configuration changes about rules, and how near a rule came."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import duckdb
import pytest
from pydantic import ValidationError

from investigator.rulebook.evaluate import evaluate
from investigator.rulebook.exceptions import RuleException, RuleOverride
from investigator.rulebook.nearness import candidates
from investigator.rulebook.overrides import overridden, without_exceptions
from investigator.rulebook.pack import RuleSet

Rows = dict[str, list[dict[str, Any]]]
Case = Callable[[Rows], duckdb.DuckDBPyConnection]
RULE = "prefill-example"


def row(name: str, tokens: int, at: str = "t0", **more: object) -> dict[str, Any]:
    return {"attempt_id": name, "run_id": name, "arrived_at": at, "read_tokens": tokens, "cached_tokens": 0, "prefill_r0": 80,
            "prefill_c": 0, "timeout_s": 300, "outcome": "client_closed_mid_stream", **more}  # fmt: skip


@pytest.fixture
def rules(rule_from: Callable[..., RuleSet], example_text: str) -> RuleSet:
    return rule_from(example_text)


def test_enable_severity_and_params(case: Case, rules: RuleSet) -> None:
    con = case({"attempts": [row("a", 30000)]})
    assert not overridden(rules, {RULE: RuleOverride(enable=False)}, None).rules
    (finding,) = evaluate(con, overridden(rules, {RULE: RuleOverride(severity="low")}, None)).findings
    assert finding.severity == "low"
    assert not evaluate(con, overridden(rules, {RULE: RuleOverride(params={"margin": 1.3})}, None)).findings


@pytest.mark.parametrize(
    ("name", "override", "says"),
    [
        ("prefill-exampel", RuleOverride(), "did you mean `prefill-example`?"),
        (RULE, RuleOverride(params={"margn": 1}), "did you mean `margin`?"),
        (RULE, RuleOverride(params={"margin": 9.5}), "from 0.5 to 1.5"),
        (RULE, RuleOverride(params={"margin": "much"}), "is no number"),
        (RULE, RuleOverride(params={"margin": True}), "is no number"),
    ],
)
def test_what_does_not_fit_is_told_and_left_out(rules: RuleSet, name: str, override: RuleOverride, says: str) -> None:
    changed = overridden(rules, {name: override}, "investigator.toml")
    assert says in str(changed.problems[0]) and "investigator.toml" in str(changed.problems[0])
    assert changed.rules[0].params == {"margin": 1.0}


@pytest.mark.parametrize(
    ("until", "where", "kept"),
    [
        (date(2026, 1, 1), {}, False),
        (date(2025, 12, 31), {}, True),  # over before it happened
        (date(2026, 1, 1), {"run_id": "a"}, False),
        (date(2026, 1, 1), {"run_id": "b"}, True),
        (date(2026, 1, 1), {"nonsense": "a"}, True),
    ],
)
def test_exceptions(case: Case, rules: RuleSet, until: date, where: dict[str, str], kept: bool) -> None:
    exception = RuleException(reason="known, ticket 1", until=until, where=where)
    changed = overridden(rules, {RULE: RuleOverride(exceptions=(exception,))}, None)
    evaluation, hidden = without_exceptions(evaluate(case({"attempts": [row("a", 30000)]}), changed), changed)
    assert bool(evaluation.findings) is kept
    assert [each.reason for each in hidden] == ([] if kept else ["known, ticket 1"])


def test_a_finding_without_a_time_is_never_accepted(case: Case, rules: RuleSet) -> None:
    exception = RuleException(reason="x", until=date(2099, 1, 1))
    changed = overridden(rules, {RULE: RuleOverride(exceptions=(exception,))}, None)
    rows = {"attempts": [row("a", 30000, arrived_at=None)]}
    assert without_exceptions(evaluate(case(rows), changed), changed)[0].findings


def test_a_rule_that_is_off_is_told(rules: RuleSet, case: Case) -> None:
    changed = overridden(rules, {RULE: RuleOverride(enable=False)}, None)
    _, hidden = without_exceptions(evaluate(case({}), changed), changed)
    assert [(each.rule, each.reason) for each in hidden] == [(RULE, "switched off in the configuration")]


def test_an_exception_needs_reason_and_end() -> None:
    with pytest.raises(ValidationError):
        RuleOverride.model_validate({"exceptions": [{"reason": "x"}]})


def test_the_nearest_come_first(case: Case, rules: RuleSet) -> None:
    con = case(
        {"attempts": [row("far", 8000), row("near", 23000), row("fired", 30000), row("unknown", 1, timeout_s=None)]}
    )
    found = candidates(con, rules.rules[0], limit=2)
    assert [each.subject for each in found] == ["near", "far"]
    (term,) = found[0].open_terms
    assert (term.left, term.right, term.holds) == (287.5, 300.0, False)
    assert term.distance == pytest.approx(12.5 / 300)


def test_one_subject_with_all_its_values(case: Case, rules: RuleSet) -> None:
    con = case({"attempts": [row("a", 30000), row("b", 1, timeout_s=None)]})
    (found,) = candidates(con, rules.rules[0], subject="a")
    assert found.outcome == "fired" and found.values["to_read"] == 30000 and found.values["read_time"] == 375
    (found,) = candidates(con, rules.rules[0], subject="b")
    assert (found.outcome, found.reason, found.terms[0].holds) == ("not_evaluated", "timeout_s", None)
    assert candidates(con, rules.rules[0], subject="c") == []
