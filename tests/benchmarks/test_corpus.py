"""Cases are what the corpus says, answers stay hidden, and a case that hangs or dies is a result like any other."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from benchmarks import limited
from benchmarks.corpus import ANSWERS, CaseResult, CorpusCase, corpus_cases, failed, visible

CAUSES = """
- {cause: healthy, as: [none], near: []}
- {cause: context_shift, as: [context_shift_truncation], near: [healthy]}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A shared folder with one log and one run."""
    corpus = tmp_path / "corpus"
    run = corpus / "agents" / "pi" / "shift"
    (run / "agent").mkdir(parents=True)
    (corpus / "ollama").mkdir()
    (corpus / "causes.yaml").write_text(CAUSES)
    (corpus / "ollama" / "one.log").write_text("a line\n")
    (corpus / "ollama" / "one.yaml").write_text("cause: healthy\nconfidence: medium\n")
    (run / "agent" / "wire.jsonl").write_text("{}\n")
    (run / "llama-server.log").write_text("a line\n")
    for answer in ANSWERS:
        (run / answer).write_text("root_cause: context_shift_truncation\n")
    return tmp_path


def test_cases_carry_labels(small: Path) -> None:
    log, run = corpus_cases(small)
    assert log == CorpusCase("one", "server logs", log.location, "healthy", frozenset({"healthy"}), False)
    both = frozenset({"context_shift", "healthy"})
    assert run == CorpusCase("pi/shift", "agent runs", run.location, "context_shift", both, True)


def test_an_unknown_label_is_refused(small: Path) -> None:
    (small / "corpus" / "ollama" / "one.yaml").write_text("cause: gremlins\nconfidence: high\n")
    with pytest.raises(ValueError, match="gremlins"):
        corpus_cases(small)


def test_answers_are_not_copied(small: Path) -> None:
    log, run = corpus_cases(small)
    with visible(log.location) as path:
        assert path == log.location
    with visible(run.location) as path:
        assert [p.name for p in path.rglob("*") if p.is_file()] == ["llama-server.log"]
    assert not path.exists()


def behave(case: CorpusCase) -> CaseResult:
    """Stands in for the tool: does what the case's name says."""
    if case.name == "hang":
        time.sleep(60)
    if case.name == "die":
        os._exit(9)
    return failed(case, "answered", 0.0)


def test_a_case_that_hangs_or_dies_costs_only_itself() -> None:
    names = ["a", "hang", "b", "die", "c"]
    cases = [CorpusCase(name, "server logs", Path(name), "healthy", frozenset(), True) for name in names]
    seen: list[str] = []
    results = limited.run_cases(cases, jobs=1, limit_s=2, done=lambda r: seen.append(r.name), run=behave)
    assert [r.name for r in results] == names == seen
    assert [r.error for r in results] == ["answered", "not done after 2 s", "answered", "the process died", "answered"]
