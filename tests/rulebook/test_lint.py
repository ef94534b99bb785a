"""Units, open orders and what is missing; mutants and coverage; a new rule is a good one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from investigator.errors import UsageProblem
from investigator.rulebook.accepted import Survivor, settle
from investigator.rulebook.coverage import coverage
from investigator.rulebook.lint import lint
from investigator.rulebook.load import load_rules
from investigator.rulebook.model import AcceptedMutant
from investigator.rulebook.mutants import mutants
from investigator.rulebook.mutate import mutation_results
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.pages import pages
from investigator.rulebook.scaffold import new_rule, write_new_rule
from investigator.rulebook.sqltree import SqlReader
from investigator.rulebook.testing import run_rule_tests
from investigator.rulebook.units import unit_issues

From = Callable[..., RuleSet]


def test_units_of_the_built_in_rules_fit(built_in: RuleSet) -> None:
    assert {rule.id: [issue.message for issue in unit_issues(rule)] for rule in built_in.rules} == {
        rule.id: [] for rule in built_in.rules
    }


@pytest.mark.parametrize(
    ("old", "new", "says", "line"),
    [
        ("verdict: read_time > timeout_s", "verdict: read_time > read_tokens", "s and tokens are compared", 23),
        ("expr: read_tokens - cached_tokens, ", "expr: read_tokens - timeout_s, ", "tokens and s are subtracted", 21),
        (
            "expr: read_tokens - cached_tokens, ",
            "expr: read_tokens / prefill_r0, ",
            "`to_read` is in s, not in tokens",
            21,
        ),
        ("unit: s,      say", "unit: tokens, say", "`read_time` is in s, not in tokens", 22),
        ("prefill_s(to_read,", "prefill_s(timeout_s,", "prefill_s() takes tokens in place 1, this is s", 22),
        ("verdict: read_time", "verdict: coalesce(read_time, to_read)", "s and tokens are mixed", 23),
        ("verdict: read_time", "verdict: read_time * prefill_r0", "tokens and s are compared", 23),
    ],
)
def test_units_that_do_not_fit(rule_from: From, example_text: str, old: str, new: str, says: str, line: int) -> None:
    rules = rule_from(example_text.replace(old, new))
    assert not rules.problems
    found = [remark.problem for remark in lint(rules) if remark.level == "error"]
    assert [(problem.message, problem.line) for problem in found][:1] == [(says, line)]


@pytest.mark.parametrize(
    "fits",
    ["read_tokens / prefill_r0 > timeout_s", "to_read / timeout_s < prefill_r0", "read_time * 2 > timeout_s + 5",
     "greatest(read_time, 1) > timeout_s", "CASE WHEN to_read > 5 THEN read_time ELSE timeout_s END > 3",
     "to_read * to_read * prefill_c > timeout_s", "gib(read_tokens) > 1 OR true"],
)  # fmt: skip
def test_units_that_fit(rule_from: From, example_text: str, fits: str) -> None:
    rules = rule_from(
        example_text.replace("verdict: read_time > timeout_s * $margin", f"verdict: {fits} AND $margin > 0")
    )
    expected = 1 if "gib" in fits else 0  # tokens are no bytes
    assert not rules.problems and len(list(unit_issues(rules.rules[0]))) == expected


def test_an_open_order_is_an_error(rule_from: From, example_text: str) -> None:
    text = example_text.replace("timeout_key, evidence\n", "timeout_key, row_number() OVER () AS n, evidence\n")
    assert "row_number() without ORDER BY" in [remark.problem.message for remark in lint(rule_from(text))]


def test_a_new_rule_loads_passes_and_notices(rule_from: From) -> None:
    rules = rule_from(new_rule("my-rule"), "my-rule")
    assert not rules.problems
    assert [remark.problem.message for remark in lint(rules)] == ["no test runs the whole pipeline"]
    results = run_rule_tests(rules)
    assert all(result.passed for result in results)
    assert coverage(rules, results)[0].missed == ("log",)
    (mutated,) = mutation_results(rules)
    assert mutated.score == 1 and mutated.counted >= 10


@pytest.mark.parametrize(
    ("columns", "wrong"),
    [("{asked_tokens: 98, run_id: r, happened_at: t0+5m}", ""), ("{asked_tokens: 96}", "expected 96, got 98"),
     ("{happened_at: t0}", "expected datetime"), ("{asked: 98}", "column asked: there is none")],
)  # fmt: skip
def test_columns_of_the_shown_row_are_compared(rule_from: From, columns: str, wrong: str) -> None:
    text = new_rule("my-rule").replace("steps: {filled: 0.98}", f"columns: {columns}")
    said = [failure for result in run_rule_tests(rule_from(text, "my-rule")) for failure in result.failures]
    assert len(said) == bool(wrong) and all(wrong in failure for failure in said)


def test_a_survivor_is_shown_where_it_is(rule_from: From) -> None:
    text = new_rule("my-rule").replace("asked_tokens: 95", "asked_tokens: 97")
    (mutated,) = mutation_results(rule_from(text, "my-rule"))
    line = next(n for n, each in enumerate(text.splitlines(), 1) if each.startswith("verdict"))
    assert (line, "(filled >= $share) → (filled > $share)") in [(s.line, s.change) for s in mutated.survivors]


def test_mutants_that_change_nothing_are_not_counted(rule_from: From) -> None:
    text = new_rule("my-rule").replace("FROM attempts", "FROM attempts WHERE attempt_id = attempt_id OR true")
    (mutated,) = mutation_results(rule_from(text, "my-rule"))
    assert mutated.equivalent >= 1


_EXACTLY = "(filled >= $share) → (filled > $share)"


def test_a_survivor_may_be_accepted_with_a_reason(rule_from: From) -> None:
    entry = f"accepted_mutants: [{{at: verdict, changes: [{_EXACTLY!r}, {_EXACTLY!r}], reason: never exact}}]\n"
    text = new_rule("my-rule").replace("asked_tokens: 95", "asked_tokens: 97") + entry
    (mutated,) = mutation_results(rule_from(text, "my-rule"))
    assert [(each.change, each.reason) for each in mutated.accepted] == [(_EXACTLY, "never exact")]
    assert mutated.score < 1 and _EXACTLY not in [each.change for each in mutated.survivors]
    assert [problem.line for problem in mutated.stale] == [len(text.splitlines())]  # listed twice, survives once


@pytest.mark.parametrize(
    ("at", "change", "accepted"),
    [("verdict", _EXACTLY, 1), ("verdict", _EXACTLY.replace(" ", "\n  "), 1), ("verdict", "x → y", 0), ("match", _EXACTLY, 0)],
)  # fmt: skip
def test_accepted_mutants_are_exact(rule_from: From, at: str, change: str, accepted: int) -> None:
    rule = rule_from(new_rule("my-rule"), "my-rule").rules[0].rule
    listed = rule.model_copy(update={"accepted_mutants": [AcceptedMutant(at=at, changes=[change], reason="r")]})
    settled = settle(listed, [Survivor(9, "verdict", _EXACTLY)])
    assert (len(settled.accepted), len(settled.unexplained), len(settled.stale)) == (
        accepted,
        1 - accepted,
        1 - accepted,
    )


def test_a_sum_that_only_texts_tell_counts(rule_from: From) -> None:
    steps = "steps:\n  - {name: room, expr: window_tokens - asked_tokens, unit: tokens, say: what is left}\n"
    text = new_rule("my-rule").replace("steps:\n", steps)
    (mutated,) = mutation_results(rule_from(text, "my-rule"))
    assert "(window_tokens - asked_tokens) → (window_tokens + asked_tokens)" in [s.change for s in mutated.survivors]


def test_the_row_before_may_be_the_one_after(rule_from: From) -> None:
    before = "lag(arrived_at) OVER (ORDER BY arrived_at)"
    text = new_rule("my-rule").replace("FROM attempts", f", {before} AS before_at\n  FROM attempts")
    rules = rule_from(text, "my-rule")
    assert not rules.problems, "\n".join(map(str, rules.problems))
    changes = [each.text for each in mutants(rules.rules[0], SqlReader())]
    assert f"{before} → {before.replace('lag', 'lead')}" in changes


def test_what_acts_in_worlds_alone_is_no_mistake(rule_from: From) -> None:
    text = new_rule("my-rule").replace("verdict: ", "verdict: (NOT $replay OR coalesce(filled < 9, false)) AND ")
    (mutated,) = mutation_results(rule_from(text, "my-rule"))
    # with AND the term would count in rows too, of which none is that full
    assert [each.change[:9] for each in mutated.survivors] == ["OR → AND "] and mutated.equivalent >= 5


def test_new_overwrites_nothing(tmp_path: Path) -> None:
    file = tmp_path / "pack" / "my-rule.yaml"
    assert {path.name for path in write_new_rule(file)} == {"my-rule.yaml", "rule.schema.json", "pack.yaml"}
    assert {path.name for path in write_new_rule(file.with_name("other.yaml"))} == {"other.yaml"}
    assert len(load_rules([file.parent]).rules) == 2
    for bad in (file, file.with_name("Not A Rule.yaml")):
        with pytest.raises(UsageProblem):
            write_new_rule(bad)


def test_pages(rule_from: From, example_text: str) -> None:
    made = pages(rule_from(example_text))
    assert list(made) == ["index.md", "prefill-example.md"]
    for part in (
        "read_time > timeout_s * $margin",
        "`long_wait`: smallest limit that passes",
        "| `margin` | 1.0 | 0.5 | 1.5 |",
    ):
        assert part in made["prefill-example.md"]
