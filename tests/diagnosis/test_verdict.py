"""The sentence on top, and the exit code below it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from investigator.diagnosis.model import CauseLine, Impact, Incident, InputProblem
from investigator.diagnosis.verdict import exit_code, reasons, sentence, verdict
from investigator.rulebook.findings import RuleResult, Severity
from tests.diagnosis.make import finding

CAUSE = CauseLine("r", "client_timeout", "t", 1, "measured", "f")
INCIDENT = Incident(
    incident_id="i",
    title="t",
    severity="high",
    cause="client_timeout",
    sentence="1 call failed: because.",
    causes=(CAUSE,),
    edges=(),
    symptoms=(),
    findings=(),
    differential=(),
    what_would_help=(),
    fixes=(),
    attempts=(),
    impact=Impact(1, 1, None, None),
    curve=None,
    memory=(),
    started_at=None,
    ended_at=None,
    run_ids=(),
    model=None,
)
MINOR = replace(INCIDENT, severity="low")
UNEXPLAINED = replace(INCIDENT, severity="medium", causes=(), sentence="2 calls failed; no rule explains why.")


@pytest.mark.parametrize(
    ("shorts", "failed", "expected"),
    [
        (["The window is small."], 3, "3 calls failed: the window is small."),
        (["146,760 asked", "reading takes 543 s"], 1, "1 call failed: 146,760 asked; and reading takes 543 s."),
        (["GPU not used"], 2, "2 calls failed: GPU not used."),
        (["prompts are cut"], 0, "Prompts are cut."),
        (["num_gpu 1: layers are kept off"], 0, "num_gpu 1: layers are kept off."),
        (
            ["it crashed", "it was refused", "it hung"],
            4,
            "4 calls failed for 3 reasons: it crashed; it was refused; it hung.",
        ),
        (["one", "two", "three", "four", "five"], 9, "9 calls failed for 5 reasons: one; two; three; and 2 more."),
        ([], 2, "2 calls failed; no rule explains why."),
    ],
)
def test_one_sentence(shorts: list[str], failed: int, expected: str) -> None:
    assert sentence([finding(f"f{n}", "a", short=short) for n, short in enumerate(shorts)], failed) == expected


@pytest.mark.parametrize(
    ("explained", "told"),
    [
        ({"a": "12", "b": "12", "c": "2"}, "ab"),
        ({"a": "1", "b": "1", "c": "2"}, "ac"),
        ({"a": "1", "b": "2", "c": "3"}, "abc"),
        ({"a": "1"}, "ab"),
        ({}, "ab"),
    ],
    ids=["one explains all", "adds nothing", "each its own", "beside the failures", "nothing failed"],
)
def test_roots_that_the_sentence_names(explained: dict[str, str], told: str) -> None:
    roots = [finding(f"f-{rule}", rule=rule) for rule in "abc"]
    found = reasons(roots, {rule: frozenset(calls) for rule, calls in explained.items()})
    assert "".join(f.rule for f in found) == told


def test_a_lesser_root_is_not_named_beside_one_that_explains_all() -> None:
    roots = [finding("f-a", rule="a"), finding("f-b", rule="b", severity="low")]
    assert [f.rule for f in reasons(roots, {"a": frozenset("12"), "b": frozenset("1")})] == ["a"]
    assert reasons((), {}) == ()


@pytest.mark.parametrize(
    ("severities", "tail"),
    [
        (["high"], ""),
        (["high", "high"], " (1 more incident below.)"),
        (["high", "low"], " (1 remark below.)"),
        (["high", "medium", "high", "low", "info"], " (2 more incidents and 2 remarks below.)"),
    ],
)
def test_what_follows_below_is_counted(severities: list[Severity], tail: str) -> None:
    incidents = tuple(replace(INCIDENT, severity=severity) for severity in severities)
    assert verdict(incidents, 5, 9, 1).sentence == f"1 call failed: because.{tail}"


def test_what_a_log_said_stands_behind_what_it_means() -> None:
    said = finding("f", "a", title="The disk is full", short="no space left", long='It failed: "no space left".')
    assert sentence([said], 2) == '2 calls failed: the disk is full ("no space left").'
    assert sentence([said], 0) == 'The disk is full ("no space left").'


@pytest.mark.parametrize(
    ("incidents", "attempts", "fact_lines", "failed", "kind"),
    [
        ((INCIDENT,), 5, 9, 1, "cause_found"),
        ((UNEXPLAINED,), 5, 9, 2, "unexplained"),
        ((), 5, 9, 2, "unexplained"),
        ((MINOR,), 5, 9, 0, "healthy"),
        ((), 5, 9, 0, "healthy"),
        ((), 0, 9, 0, "insufficient"),
        ((), 0, 0, 0, "insufficient"),
    ],
)
def test_kind(incidents: tuple[Incident, ...], attempts: int, fact_lines: int, failed: int, kind: str) -> None:
    assert verdict(incidents, attempts, fact_lines, failed).kind == kind


def result(outcome: str) -> RuleResult:
    return RuleResult("some-rule", "cause", outcome, {outcome: 1}, (), 0.0)  # type: ignore[arg-type]


PROBLEM = InputProblem("a.gz", "damaged", "cut")


@pytest.mark.parametrize(
    ("incidents", "problems", "outcome", "fail_on", "code", "reasons"),
    [
        ((), (), "quiet", "medium", 0, 0),
        ((INCIDENT,), (), "fired", "medium", 1, 1),
        ((MINOR,), (), "fired", "medium", 0, 0),
        ((MINOR,), (), "fired", "low", 1, 1),
        ((INCIDENT,), (PROBLEM,), "fired", "medium", 3, 2),
        ((), (), "error", "medium", 3, 1),
    ],
)
def test_exit_code(
    incidents: tuple[Incident, ...],
    problems: tuple[InputProblem, ...],
    outcome: str,
    fail_on: Severity,
    code: int,
    reasons: int,
) -> None:
    found, told = exit_code(incidents, problems, [result(outcome)], fail_on)
    assert (found, len(told)) == (code, reasons)


def test_failures_that_small_causes_explain_are_not_unexplained() -> None:
    explained = replace(MINOR, impact=Impact(2, 2, None, None))
    assert verdict([explained], 5, 9, 2).kind == "cause_found"
    assert verdict([explained], 5, 9, 3).kind == "unexplained"
