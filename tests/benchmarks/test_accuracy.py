"""Scoring against the corpus' labels, with hand-made results."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.accuracy import page, score
from benchmarks.corpus import CaseResult, CorpusCase, FileSeen, IncidentSeen

ACCEPTED = frozenset({"client_timeout", "slow_prefill"})


def case(cause: str = "client_timeout", *, confident: bool = True) -> CorpusCase:
    accepted = ACCEPTED if cause == "client_timeout" else frozenset({cause})
    return CorpusCase("a-case", "server logs", Path("a-case.log"), cause, accepted, confident)


def said(*incidents: tuple[str, tuple[str, ...]], error: str | None = None) -> CaseResult:
    seen = tuple(IncidentSeen("title", severity, causes) for severity, causes in incidents)
    files = (FileSeen("a-case.log", "ollama-server", 10, 5, 3, 1, 1, ()),)
    return CaseResult("a-case", "cause_found", seen, files, (), (), (), 1.0, error)


@pytest.mark.parametrize(
    ("incidents", "place"),
    [
        ([("high", ("client_timeout",))], 1),
        ([("high", ("slow_prefill",))], 1),
        ([("high", ("oom_gpu",)), ("low", ("client_timeout",))], 2),
        ([("high", ("oom_gpu", "oom_gpu", "runner_crash")), ("low", ("client_timeout",))], 3),
        ([("high", ("oom_gpu",))], None),
        ([("high", ())], None),
        ([], None),
    ],
)
def test_place_of_the_first_right_cause(incidents: list[tuple[str, tuple[str, ...]]], place: int | None) -> None:
    assert score(case(), said(*incidents)).place == place


@pytest.mark.parametrize(
    ("incidents", "right"),
    [
        ([], True),
        ([("low", ("keep_alive_reload",)), ("info", ())], True),
        ([("medium", ())], False),
        ([("low", ("keep_alive_reload",)), ("critical", ("oom_gpu",))], False),
    ],
)
def test_healthy_means_no_serious_incident(incidents: list[tuple[str, tuple[str, ...]]], right: bool) -> None:
    scored = score(case("healthy"), said(*incidents))
    assert (scored.first, scored.false_alarm) == (right, not right)


def test_an_error_is_never_right() -> None:
    assert score(case("healthy"), said(error="Traceback")).place is None


def test_page_counts_sure_labels_apart() -> None:
    right, wrong = said(("high", ("client_timeout",))), said(("high", ("oom_gpu",)))
    text = page([score(case(), right), score(case(confident=False), wrong)])
    assert "| all | 2 | 1 (50.0%) | 1 (50.0%) | 1 (50.0%) |" in text
    assert "| sure labels | 1 | 1 (100.0%) | 1 (100.0%) | 0 (0.0%) |" in text
    assert "| client_timeout | 2 | 1 | 1 | 1 |" in text
    assert "| ollama-server | 2 | 20 | 10 | 6 | 2 | 2 | 90.0% |" in text
    assert "| a-case | client_timeout | no | oom_gpu |" in text


def test_page_depends_on_answers_only() -> None:
    slow = CaseResult("a-case", "healthy", (), (), (), (), (), 99.0, None)
    fast = CaseResult("a-case", "healthy", (), (), (), (), (), 1.0, None)
    assert page([score(case("healthy"), slow)]) == page([score(case("healthy"), fast)])
