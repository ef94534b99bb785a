"""Causes of one incident: the graver and the more frequent first, then what is known more directly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.diagnosis.cause_lines import cause_lines
from investigator.diagnosis.incidents import Group
from investigator.diagnosis.ranking import importance, likely_causes, rules_behind, weights
from tests.diagnosis.make import attempt, finding

FAILED = (attempt("a"), attempt("b"))

CASES = {
    "more calls first": ([finding("x", "a"), finding("y", "a", "b")], ["y", "x"]),
    "then the more direct": ([finding("x", "a", label="estimated"), finding("y", "a", label="derived")], ["y", "x"]),
    "then the graver": ([finding("x", "a", severity="medium"), finding("y", "a", severity="high")], ["y", "x"]),
    "an estimate weighs less than something equally grave that is known": (
        [finding("x", "a", "b", severity="high", label="estimated"), finding("y", "a", severity="high")],
        ["y", "x"],
    ),
    "severity outweighs directness": (
        [finding("x", "a", severity="low"), finding("y", "a", severity="medium", label="derived")],
        ["y", "x"],
    ),
    "a grave cause of one call before a mild one of both": (
        [finding("x", "a", "b", severity="low"), finding("y", "a", severity="high")],
        ["y", "x"],
    ),
    "many before one where the severity is equal": (
        [finding("x", "a", severity="medium"), finding("y", *(f"ok{n}" for n in range(20)), severity="medium")],
        ["y", "x"],
    ),
    "a failed call counts more than one that was only harmed": (
        [finding("x", "ok", severity="medium"), finding("y", "a", severity="medium")],
        ["y", "x"],
    ),
    "severity outweighs directness where nothing failed": (
        [finding("x", "ok", severity="info"), finding("y", "ok", severity="low", label="derived")],
        ["y", "x"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_order(case: str) -> None:
    roots, expected = CASES[case]
    lines = cause_lines(roots, Group(tuple(roots), (), FAILED), weights(roots, roots, (), FAILED), frozenset())
    assert [line.rule for line in lines] == expected


def test_of_equal_weight_what_an_agent_felt_comes_first() -> None:
    roots = [finding("x", "ok", severity="medium"), finding("y", "fine", severity="medium")]
    lines = cause_lines(roots, Group(tuple(roots), (), ()), weights(roots, roots, (), ()), frozenset({"y"}))
    assert [line.rule for line in lines] == ["y", "x"]


def test_how_many_calls_a_root_explains_and_how_many_no_other_does() -> None:
    roots = [finding("x", "a", "b", severity="medium"), finding("y", "b", severity="medium")]
    lines = cause_lines(roots, Group(tuple(roots), (), FAILED), weights(roots, roots, (), FAILED), frozenset())
    assert {line.rule: (line.explains, line.alone) for line in lines} == {"x": (2, 1), "y": (1, 0)}


def test_what_a_root_explains_is_its_own_weight() -> None:
    old_driver, slow = finding("x", "load", severity="low"), finding("y", "a", "b", severity="medium")
    alone = weights([old_driver, slow], [old_driver, slow], (), FAILED)
    linked = weights([old_driver], [old_driver, slow], [(old_driver.finding_id, slow.finding_id)], FAILED)
    assert alone["x"] < alone["y"] == linked["x"]


def test_what_is_grave_for_one_call_is_not_grave_for_all_that_a_cause_speaks_of() -> None:
    waiting = finding("waiting", *"bcdefgh", severity="medium")
    slow, limit = finding("slow", *"abcdefgh", severity="medium"), finding("limit", "a")
    edges = [(slow.finding_id, limit.finding_id)]
    found = weights([slow, waiting], [slow, waiting, limit], edges, FAILED)
    assert found["slow"] == max(importance("high", 1, 1), importance("medium", 2, 8))
    assert found["waiting"] == importance("medium", 1, 7)


def test_findings_of_one_rule_are_weighed_together() -> None:
    apart = [finding("x", "a", finding_id="1"), finding("x", "b", finding_id="2")]
    assert weights(apart, apart, (), FAILED) == weights([finding("x", "a", "b")], [finding("x", "a", "b")], (), FAILED)


#: What is on the CPU made the request slow, and then the limit ended it.
SLOW, LIMIT = finding("slow", "a", severity="medium"), finding("limit", "a")
EDGES = ((SLOW.finding_id, LIMIT.finding_id),)


def test_what_is_explained_is_no_likely_cause_unless_both_were_needed() -> None:
    remark = finding("remark", "a", kind="symptom")
    assert likely_causes([SLOW, LIMIT, remark], EDGES) == [SLOW]
    assert likely_causes([SLOW, LIMIT, remark], EDGES, {("slow", "limit")}) == [SLOW, LIMIT]
    assert likely_causes([SLOW, LIMIT, remark], EDGES, {("limit", "slow")}) == [SLOW]
    assert likely_causes([LIMIT, remark], EDGES) == [LIMIT]


@pytest.mark.parametrize(
    ("label", "expected"),
    [("measured", ["slow", "limit"]), ("derived", ["slow", "limit"]), ("estimated", ["limit", "slow"])],
)
def test_a_limit_is_named_after_what_took_so_long_if_that_is_known(label: str, expected: list[str]) -> None:
    slow = finding("slow", "a", severity="medium", label=label)
    behind = rules_behind([slow, LIMIT], EDGES)
    weight = weights([slow, LIMIT], [slow, LIMIT], EDGES, FAILED)
    lines = cause_lines([slow, LIMIT], Group((slow, LIMIT), (), FAILED), weight, frozenset({"limit"}), behind)
    assert behind == {"limit"}
    assert [line.rule for line in lines] == expected


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_weight_grows_with_calls_and_severity(failed: int, more: int) -> None:
    assert importance("low", failed, failed) <= importance("low", failed + more, failed + more)
    assert importance("low", failed, failed) < importance("medium", failed, failed)
    assert importance("low", 0, failed) <= importance("low", failed, failed)
