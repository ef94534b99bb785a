"""What belongs together is one incident; what does not stays apart."""

from __future__ import annotations

from typing import Any

import pytest

from investigator.diagnosis.incidents import explained, group
from investigator.rulebook.findings import Finding
from tests.diagnosis.make import attempt, finding

A, B, C = attempt("a"), attempt("b", minute=5), attempt("c", minute=500)


def grouped(findings: list[Finding], edges: tuple[tuple[str, str], ...] = (), *rows: dict[str, Any]) -> list[list[str]]:
    attempts = {str(row["attempt_id"]): row for row in rows or (A, B, C)}
    return [[f.finding_id for f in each.findings] for each in group(findings, edges, attempts)]


TOGETHER = {
    "the same attempt": ([finding("x", "a"), finding("y", "a")], (), ()),
    "the same run": (
        [finding("x", "a"), finding("y", "b")],
        (),
        (attempt("a", run_id="r"), attempt("b", run_id="r")),
    ),
    "the same work": (
        [finding("x", "a"), finding("y", "b")],
        (),
        (attempt("a", work_id="w"), attempt("b", work_id="w")),
    ),
    "a causal edge": ([finding("x", "a"), finding("y", "c")], (("x", "y"),), ()),
    "the same rule and model within two hours": (
        [
            finding("x", "a", rule="r", keys={"model_key": ("m",)}),
            finding("y", "b", minute=119, rule="r", keys={"model_key": ("m",)}),
        ],
        (),
        (),
    ),
}


@pytest.mark.parametrize("reason", TOGETHER)
def test_one_incident_by(reason: str) -> None:
    findings, edges, rows = TOGETHER[reason]
    assert grouped(findings, edges, *rows) == [["x", "y"]]


APART = {
    "other attempts of other runs": [finding("x", "a"), finding("y", "b")],
    "the same rule and model after three hours": [
        finding("x", "a", rule="r", keys={"model_key": ("m",)}),
        finding("y", "c", minute=180, rule="r", keys={"model_key": ("m",)}),
    ],
    "another model": [
        finding("x", "a", rule="r", keys={"model_key": ("m",)}),
        finding("y", "b", rule="r", keys={"model_key": ("n",)}),
    ],
}


@pytest.mark.parametrize("reason", APART)
def test_two_incidents_for(reason: str) -> None:
    assert grouped(APART[reason]) == [["x"], ["y"]]


def test_what_is_ruled_out_makes_no_incident_and_joins_those_it_speaks_of() -> None:
    findings = [finding("x", "a"), finding("memory", "a", kind="ruled-out"), finding("other", "c", kind="ruled-out")]
    (only,) = group(findings, (), {"a": A, "c": C})
    assert [f.finding_id for f in only.findings] == ["x"]
    assert [f.finding_id for f in only.ruled_out] == ["memory"]


def test_only_failed_attempts_count_and_retries_of_the_same_work_come_along() -> None:
    rows = [attempt("a", work_id="w"), attempt("b", work_id="w"), attempt("ok", failed=False, work_id="w")]
    (only,) = group([finding("x", "a", "ok")], (), {row["attempt_id"]: row for row in rows})
    assert [row["attempt_id"] for row in only.attempts] == ["a", "b"]


def test_calls_are_counted_not_tries() -> None:
    rows = [attempt("a", call_id="c"), attempt("b", call_id="c"), attempt("d", call_id="e")]
    assert explained(finding("x", "a", "b"), rows) == {"c"}
