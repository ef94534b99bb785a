"""Real agent runs with known faults: what their files show must come out, and both sides must be paired rightly.

In every run: the cause (through causes.yaml; of runs without a failure, no incident of medium severity or higher), each
value of `server_log_facts`, the window where logged, and by kind at least as many failures as the agent's files or the server's log show (visible.py counts them from the raw text). A repeat that an SDK hides leaves no
line, nor does a request that a relay answered itself: those are not demanded.

Pairs: the wire's requests in order go with the server's tasks in order, in the runs where the counts agree; truth.py
says which call owns a wire request.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from truth import Measured, measure, tables_of

from benchmarks.accuracy import AMONG_TARGET, FIRST_TARGET, Scored, score
from benchmarks.corpus import corpus_cases
from benchmarks.limited import run_cases

STEP = 23  # of the runs that the short test takes; a prime, so that all agents and faults are met
RECALL, PRECISION = 0.97, 0.99
QUALIFY = 50  # of 101 runs: the others have no server, no wire, or answers that the relay gave itself


def measured(shared: Path, workspace: Path, step: int) -> list[Measured]:
    runs = sorted(path.parent for path in (shared / "corpus" / "agents").glob("*/*/truth.yaml"))
    found = []
    for number, run in enumerate(runs[::step]):
        folder = workspace / str(number)
        folder.mkdir()
        found.append(measure(run, tables_of(run, folder)))
    return found


def judged(shared: Path, step: int) -> list[Scored]:
    """The whole tool on the runs that `measured` takes with this step."""
    cases = [case for case in corpus_cases(shared) if case.side == "agent runs"][::step]
    return [score(case, result) for case, result in zip(cases, run_cases(cases), strict=True)]


def check_causes(scored: list[Scored], first: float, among: float) -> None:
    assert {s.case.name: s.result.error for s in scored if s.result.error is not None} == {}
    assert [s.case.name for s in scored if s.false_alarm] == []
    assert sum(s.first for s in scored) >= first * len(scored)
    named = {s.case.name: s.result.ranked for s in scored if not s.among_three}
    assert len(scored) - len(named) >= among * len(scored), named


def check_what_is_visible(runs: list[Measured]) -> None:
    assert {run.name: run.wrong for run in runs if run.wrong} == {}
    missed = {
        (run.name, kind): (visible, found)
        for run in runs
        for kind, (_, visible, found) in run.failures.items()
        if found < visible
    }
    assert missed == {}


def test_sample_of_the_runs(shared: Path, tmp_path: Path) -> None:
    runs = measured(shared, tmp_path, STEP)
    check_what_is_visible(runs)
    paired = [run.pairs for run in runs if run.pairs is not None]
    assert sum(right for right, _, _ in paired) > 0
    assert sum(visible for run in runs for _, visible, _ in run.failures.values()) > 0


@pytest.mark.slow
def test_causes_of_the_sample(shared: Path) -> None:
    check_causes(judged(shared, STEP), first=0.5, among=FIRST_TARGET)


@pytest.mark.slow
def test_causes_of_every_run(shared: Path) -> None:
    check_causes(judged(shared, 1), first=FIRST_TARGET, among=AMONG_TARGET)


@pytest.mark.slow
def test_every_run(shared: Path, tmp_path: Path) -> None:
    runs = measured(shared, tmp_path, 1)
    check_what_is_visible(runs)
    paired = [run.pairs for run in runs if run.pairs is not None]
    right, found, true = (sum(column) for column in zip(*paired, strict=True))
    print(f"{len(paired)} of {len(runs)} runs qualify; recall {right}/{true}, precision {right}/{found}")
    assert len(paired) >= QUALIFY
    assert right / true >= RECALL
    assert right / found >= PRECISION
