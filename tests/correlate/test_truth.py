"""Real agent runs with known faults: what their files show must come out, and both sides must be paired rightly.

Floors are what was measured; raise them when it gets better. What is not reached: repeats that an SDK hides leave no
trace (aider, cline, opencode titles, OpenTelemetry spans, pi), and a proxy that holds answers back hides from the
server's log which of several repeats of one call each task belongs to.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from truth import KINDS, Measured, measure, tables_of

STEP = 17  # of the runs that the short test takes; a prime, so that all agents and faults are met
RECALL, PRECISION = 0.97, 0.99
#: Share of the failures on the wire that come out with an outcome of their kind.
FOUND = {"http_400": 1.0, "http_500": 0.53, "http_503": 0.2, "client_closed": 0.94, "connection": 0.54}


def measured(shared: Path, workspace: Path, step: int) -> list[Measured]:
    runs = sorted(path.parent for path in (shared / "corpus" / "agents").glob("*/*/truth.yaml"))
    found = []
    for number, run in enumerate(runs[::step]):
        folder = workspace / str(number)
        folder.mkdir()
        found.append(measure(run, tables_of(run, folder)))
    return found


def check_server_facts(runs: list[Measured]) -> None:
    assert {run.name: run.wrong for run in runs if run.wrong and "queue_contention" not in run.name} == {}


def test_sample_of_the_runs(shared: Path, tmp_path: Path) -> None:
    runs = measured(shared, tmp_path, STEP)
    check_server_facts(runs)
    assert [
        run.name for run in runs for kind, (wire, found) in run.failures.items() if kind == "http_400" and found < wire
    ] == []
    paired = [run.pairs for run in runs if run.pairs is not None]
    assert sum(right for right, _, _ in paired) > 0


@pytest.mark.slow
def test_every_run(shared: Path, tmp_path: Path) -> None:
    runs = measured(shared, tmp_path, 1)
    check_server_facts(runs)
    for kind in KINDS:
        counts = [run.failures[kind] for run in runs if kind in run.failures]
        share = sum(min(wire, found) for wire, found in counts) / sum(wire for wire, _ in counts)
        assert share >= FOUND[kind], kind
    paired = [run.pairs for run in runs if run.pairs is not None]
    right, found, true = (sum(column) for column in zip(*paired, strict=True))
    assert right / true >= RECALL
    assert right / found >= PRECISION
