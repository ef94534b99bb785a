"""How near a rule came: the one term that does not hold, and its two numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from investigator.rulebook.nearness import NearMiss, near_misses
from investigator.rulebook.pack import RuleSet

Case = Callable[..., duckdb.DuckDBPyConnection]
RULE = """\
schema: 1
id: slow-answer
version: 1
status: stable
kind: cause
cause: load_slow
title: The answer took long
severity: low
references: ["https://example.com/x"]
needs: {views: {attempts: {version: 1}}, non_null: [duration_s]}
params:
  limit_s: {type: number, default: 300, min: 1, max: 600, unit: s, doc: seconds}
match: SELECT attempt_id AS subject, model, duration_s, output_tokens, route, evidence FROM attempts
steps:
  - {name: waited, expr: duration_s, unit: s, say: how long it took}
verdict: "VERDICT"
explain: {short: "It took {{ waited }}.", long: "It took {{ waited }}."}
remedies: [{do: wait, where: client}]
tests:
  - name: none
    given: {attempts: [{attempt_id: a, duration_s: null, evidence: ["s:1"]}]}
    expect: {outcome: not_evaluated, reason: duration_s}
"""


def row(id_: str, seconds: float | None, tokens: int | None = None, route: str = "/api/chat") -> dict[str, Any]:
    return {"attempt_id": id_, "duration_s": seconds, "output_tokens": tokens, "route": route, "evidence": ["s:1"]}


ROWS = {"attempts": [row("short", 10, 900), row("near", 270, 90, "/x"), row("fired", 400, 1), row("unknown", None)]}

#: verdict → (nearest subject, ratio), None for no near miss.
VERDICTS: dict[str, tuple[str, float | None] | None] = {
    "waited > $limit_s": ("near", 0.9),
    "waited < 5": ("short", 0.5),
    "waited > $limit_s AND output_tokens >= 100": ("short", 10 / 300),
    "waited > 0 AND output_tokens < 50": ("near", 50 / 90),
    "waited > 5 AND route = '/y'": ("fired", None),
    "route = '/y'": None,
    "waited > 500 AND output_tokens > 1000 AND route = '/y'": None,
    "waited > 0 - $limit_s AND waited < 0": None,
}


def missed(case: Case, rule_from: Callable[..., RuleSet], verdict: str, **options: Any) -> list[NearMiss]:
    text = RULE.replace("VERDICT", verdict)
    if "$limit_s" not in verdict:
        text = "\n".join(line for line in text.splitlines() if "params" not in line and "limit_s" not in line)
    rules = rule_from(text, "slow-answer")
    assert rules.rules, rules.problems
    return near_misses(case(ROWS), rules.rules, **options)


@pytest.mark.parametrize(("verdict", "expected"), VERDICTS.items())
def test_the_nearest_quiet_subject(
    case: Case, rule_from: Callable[..., RuleSet], verdict: str, expected: tuple[str, float | None] | None
) -> None:
    found = missed(case, rule_from, verdict)
    if expected is None:
        assert found == []
        return
    (miss,) = found
    assert miss.candidate.subject == expected[0]
    assert miss.term.ratio == (None if expected[1] is None else pytest.approx(expected[1]))


def test_the_words(case: Case, rule_from: Callable[..., RuleSet]) -> None:
    (miss,) = missed(case, rule_from, "waited > $limit_s")
    assert miss.say == "how long it took: 270 s, the limit is 300 s"
    (miss,) = missed(case, rule_from, "waited > 5 AND route = '/y'")
    assert miss.say == "all holds but (route = '/y')"


def test_only_the_subjects_asked_for(case: Case, rule_from: Callable[..., RuleSet]) -> None:
    (miss,) = missed(case, rule_from, "waited > $limit_s", subjects=["short", "fired"])
    assert miss.candidate.subject == "short"
    assert missed(case, rule_from, "waited > $limit_s", subjects=[]) == []
