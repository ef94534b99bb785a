"""Every hypothesis gets its verdict; what could not be judged says what to collect."""

from __future__ import annotations

from pathlib import Path

import pytest

from investigator.diagnosis.differential import differential
from investigator.diagnosis.incidents import Group
from investigator.diagnosis.model import Hypothesis
from investigator.rulebook.evaluate import Evaluation
from investigator.rulebook.findings import SubjectResult
from investigator.rulebook.load import load_rules
from investigator.rulebook.pack import RuleSet
from tests.diagnosis.make import attempt, finding


@pytest.fixture(scope="module")
def rules(rules_dir: Path) -> RuleSet:
    return load_rules([rules_dir]).only(
        [
            "prefill-outlasts-timeout",
            "window-capped-below-native",
            "retried-in-vain",
            "memory-ruled-out",
            "prompt-cut-to-window",
        ]
    )


GROUP = Group(
    findings=(
        finding("root", "a", rule="window-capped-below-native", short="the window is small"),
        finding("more", "a", rule="prompt-cut-to-window"),
        finding("sign", "a", rule="retried-in-vain", kind="symptom"),
    ),
    ruled_out=(finding("no", "a", rule="memory-ruled-out", kind="ruled-out", short="it fits"),),
    attempts=(attempt("a"),),
)


def lines(rules: RuleSet, outcome: str, reason: str | None) -> dict[str, Hypothesis]:
    result = SubjectResult("prefill-outlasts-timeout", "a", outcome, reason, {})  # type: ignore[arg-type]
    found = differential(GROUP, ["root"], Evaluation((), (), (result,), ()), rules.rules)
    return {line.rule: line for line in found}


def test_verdicts_of_what_fired(rules: RuleSet) -> None:
    found = lines(rules, "quiet", None)
    assert {rule: line.verdict for rule, line in found.items()} == {
        "window-capped-below-native": "cause",
        "prompt-cut-to-window": "contributes",
        "retried-in-vain": "symptom",
        "memory-ruled-out": "ruled_out",
        "others": "ruled_out",
    }
    assert found["window-capped-below-native"].evidence_for == ("the window is small",)
    assert found["memory-ruled-out"].evidence_against == ("it fits",)


def test_quiet_causes_are_told_together(rules: RuleSet) -> None:
    assert lines(rules, "quiet", None)["others"].evidence_against == (
        "Reading the prompt takes longer than the client waits",
    )


def test_what_is_missing_comes_with_the_way_to_get_it(rules: RuleSet) -> None:
    line = lines(rules, "not_evaluated", "prefill_r0")["prefill-outlasts-timeout"]
    assert (line.verdict, line.evidence_against) == ("cannot_tell", ("not known: prefill_r0",))
    assert line.collect is not None and "ollama run --verbose" in line.collect


def test_what_to_collect_depends_on_the_server(rules: RuleSet) -> None:
    result = SubjectResult("prefill-outlasts-timeout", "a", "not_evaluated", "read_tokens", {})
    found = differential(GROUP, [], Evaluation((), (), (result,), ()), rules.rules, "llama-server")
    collect = next(line.collect for line in found if line.rule == "prefill-outlasts-timeout")
    assert collect is not None and "llama-server -m" in collect and "ollama" not in collect
