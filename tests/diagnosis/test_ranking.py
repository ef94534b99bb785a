"""Causes of one incident: what explains more comes first, then what is known more directly."""

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
    "directness outweighs severity for a failed call": (
        [finding("x", "a", severity="critical", label="estimated"), finding("y", "a", severity="low")],
        ["y", "x"],
    ),
    "severity outweighs directness where nothing failed": (
        [finding("x", "ok", severity="info"), finding("y", "ok", severity="low", label="estimated")],
        ["y", "x"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_order(case: str) -> None:
    roots, expected = CASES[case]
    lines = _cause_lines(roots, Group(tuple(roots), (), FAILED))
    assert [line.rule for line in lines] == expected
