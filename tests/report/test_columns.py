"""Columns of rules in words: none of a built-in rule is shown by its bare name, in a sum or as what is missing."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest

from investigator.pipeline import builtin_rules
from investigator.report.columns import COLUMNS, MISSING, STEPS, column, not_known_words, rule_reasons, spoken
from investigator.report.language import catalogue, speaking
from investigator.report.viewmodel import page
from investigator.rulebook.findings import RuleResult


def test_every_column_of_a_sum_has_a_label() -> None:
    rules = builtin_rules().rules
    used = {name for rule in rules for step in rule.steps.values() for name in rule.behind(step.columns)}
    assert len(used) > 50 and sorted(used - COLUMNS.keys()) == []


def test_whatever_may_be_missing_has_words() -> None:
    rules = builtin_rules().rules
    columns = {
        name for rule in rules for name in (*rule.rule.needs.non_null, *rule.behind(rule.verdict.columns))
    } - MISSING.keys()
    steps = {name for rule in rules for name in rule.steps_behind(rule.verdict.columns)}
    assert (sorted(columns - COLUMNS.keys()), sorted(steps - STEPS.keys() - COLUMNS.keys())) == ([], [])


@pytest.mark.parametrize("table", [COLUMNS, MISSING, STEPS])
def test_words_are_words_and_german_too(table: dict[str, str]) -> None:
    assert [text for text in table.values() if "_" in text] == []
    assert sorted(set(table.values()) - catalogue("de").keys()) == []


def reasons(*told: str, outcome: str = "not_evaluated") -> tuple[str, str]:
    return rule_reasons(RuleResult("r", "cause", outcome, {}, told, 0.0))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (("asked_tokens, window_tokens",), "not known: the length of the prompt, window in force"),
        (("status", "duration_s"), "not known: HTTP status, how long it took"),
        (("layers_gpu, layers_cpu",), "not known: layers on the GPU"),
        (("asked_tokens", "asked_tokens, slots"), "not known: the length of the prompt, slots"),
        (("filled",), "not known: how full the window was"),
        (("loading_s, load_s",), "not known: time to load the model"),
        (("my_own_s",), "not known: my own"),
        (("the view runs is missing", "slots"), "not known: slots; the view runs is missing"),
        ((), ""),
    ],
)
def test_reasons_in_words(told: tuple[str, ...], words: str) -> None:
    assert reasons(*told) == (words, "; ".join(told))


def test_errors_and_other_texts_stay() -> None:
    assert reasons("boom", outcome="error") == ("boom", "boom")
    assert not_known_words("no sign of it") == "no sign of it"
    assert len(reasons("a long sentence " * 40)[0]) < 350


def test_the_same_words_in_both_tables(sample: ModuleType) -> None:
    told = replace(
        sample.diagnosis(), rules=(RuleResult("r", "cause", "not_evaluated", {}, ("asked_tokens, slots",), 0.0),)
    )
    why = page(told).rules.rows[0][-1].value
    assert why is not None
    assert (why.text, why.exact) == (not_known_words("not known: asked_tokens, slots"), "asked_tokens, slots")


def test_codes_of_outcomes_are_spoken() -> None:
    assert spoken("server_side", "open_at_end") == "still open at the end of the log"
    assert (spoken("said", "ok"), spoken("status", 404), spoken("outcome", "x")) == ("ok", 404, "x")
    with speaking("de"):
        assert (column("timeout_s"), spoken("outcome", "ok")) == ("Grenze", "beantwortet")
