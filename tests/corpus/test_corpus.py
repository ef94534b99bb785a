"""The whole tool on the shared corpus: no traceback, no line lost, and not worse than was measured (floors.yaml)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from benchmarks.accuracy import SIDES, Scored, score
from benchmarks.corpus import FileSeen, Side, corpus_cases, run_case
from benchmarks.limited import run_cases

#: Every which case is in the sample that runs with `make test`; a prime, so that it meets all kinds of cases.
SAMPLE_STEP = 43
#: Shares of short files jump with each line.
LONG_LINES = 200


@pytest.fixture(scope="module")
def floors() -> Any:
    return YAML(typ="safe").load(Path(__file__).with_name("floors.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def sample(shared: Path) -> list[Scored]:
    """In this process: to start two others takes as long as a case."""
    return [score(case, run_case(case)) for case in corpus_cases(shared)[::SAMPLE_STEP]]


@pytest.fixture(scope="module")
def everything(shared: Path) -> list[Scored]:
    cases = corpus_cases(shared)
    return [score(case, result) for case, result in zip(cases, run_cases(cases), strict=True)]


def check_soundness(scored: Sequence[Scored], floors: Any) -> None:
    assert {s.case.name: s.result.error for s in scored if s.result.error is not None} == {}
    assert {s.case.name: s.result.broken for s in scored if s.result.broken} == {}
    read = [(s, file) for s in scored for file in s.result.files]
    assert [where(s, f) for s, f in read if f.lines != f.facts + f.noise + f.foreign + f.unrecognised] == []
    long = [(s, f) for s, f in read if f.lines >= LONG_LINES]
    assert long
    least = floors["understood"]
    poor = {where(s, f): share([f]) for s, f in long if share([f]) < least["except"].get(where(s, f), least["each"])}
    assert poor == {}


def where(scored: Scored, file: FileSeen) -> str:
    return f"{scored.case.name}: {file.path}"


def share(files: Sequence[FileSeen]) -> float:
    """Share of the lines that are known for what they are."""
    return 1 - sum(f.unrecognised for f in files) / sum(f.lines for f in files)


def test_sample_is_sound(sample: list[Scored], floors: Any) -> None:
    assert {s.case.side for s in sample} == set(SIDES)
    check_soundness(sample, floors)


@pytest.mark.slow
def test_every_case_is_sound(everything: list[Scored], floors: Any) -> None:
    check_soundness(everything, floors)


@pytest.mark.slow
@pytest.mark.parametrize("side", SIDES)
def test_no_fewer_lines_are_understood(everything: list[Scored], floors: Any, side: Side) -> None:
    part = [s for s in everything if s.case.side == side]
    assert share([f for s in part for f in s.result.files]) >= floors["understood"]["total"][side]
    assert sum(not s.result.files for s in part) <= floors["cases_without_a_readable_file"][side]


@pytest.mark.slow
@pytest.mark.parametrize("side", SIDES)
def test_no_fewer_causes_are_found(everything: list[Scored], floors: Any, side: Side) -> None:
    sure = [s for s in everything if s.case.side == side and s.case.confident]
    least = floors["sure_labels"][side]
    assert sum(s.first for s in sure) >= least["found_first"]
    assert sum(s.among_three for s in sure) >= least["among_first_three"]
    alarms = [s.case.name for s in everything if s.case.side == side and s.false_alarm]
    assert len(alarms) <= least["false_alarms"], alarms
