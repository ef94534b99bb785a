"""Causes of one incident: the graver and the more frequent first, then what is known more directly."""

from __future__ import annotations

import pytest

from investigator.diagnosis.diagnose import _cause_lines
from investigator.diagnosis.incidents import Group
from tests.diagnosis.make import attempt, finding

FAILED = (attempt("a"), attempt("b"))

CASES = {
    "more calls first": ([finding("x", "a"), finding("y", "a", "b")], ["y", "x"]),
    "then the more direct": ([finding("x", "a", label="estimated"), finding("y", "a", label="derived")], ["y", "x"]),
    "then the graver": ([finding("x", "a", severity="medium"), finding("y", "a", severity="high")], ["y", "x"]),
    "an estimate weighs less than something milder that is known": (
        [finding("x", "a", severity="high", label="estimated"), finding("y", "a", severity="medium")],
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
    lines = _cause_lines(roots, Group(tuple(roots), (), FAILED))
    assert [line.rule for line in lines] == expected
