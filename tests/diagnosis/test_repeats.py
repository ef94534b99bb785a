"""One prompt repeated by four agents: each report names both causes, and of the reading time only what the files show."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fixtures.generate.repeats import STORIES
from investigator.diagnosis.model import Diagnosis, Incident
from investigator.pipeline import investigate
from investigator.yamltext import load as load_yaml

#: Each is read once, and that takes ten seconds: one with a law and one without are enough for the short tier.
FAST = ("hidden-retries", "founding-aider")
#: Their transcripts count the tokens of two good calls; the others leave the law open.
WITH_A_LAW = ("hidden-retries", "run-limit-300")
_LAW_WITHIN = 0.05


def tiered(names: Iterable[str]) -> list[Any]:
    return [pytest.param(name, marks=() if name in FAST else pytest.mark.slow) for name in names]


@cache
def diagnosis(folder: Path) -> Diagnosis:
    return investigate([path for path in sorted(folder.iterdir()) if path.is_dir()])


def expected(folder: Path) -> Any:
    return load_yaml((folder / "expected.yaml").read_text(encoding="utf-8"))


def first(folder: Path) -> Incident:
    return diagnosis(folder).incidents[0]


@pytest.mark.parametrize("name", tiered(STORIES))
def test_cause_verdict_and_calls(fixtures_dir: Path, name: str) -> None:
    folder = fixtures_dir / name
    want, incident = expected(folder), first(folder)
    assert diagnosis(folder).verdict.kind == want["verdict"]["kind"]
    assert diagnosis(folder).exit_code == want["verdict"]["exit_code"]
    assert {line.cause for line in incident.causes[:2]} == set(want["causes"])
    assert incident.impact.failed_calls == want["agent_calls"]["failed"]
    named = {line.cause for each in diagnosis(folder).incidents for line in each.causes}
    assert named.isdisjoint({"server_stall", "model_eviction", "queue_buildup"})


@pytest.mark.parametrize("name", tiered(WITH_A_LAW))
def test_the_reading_time_is_the_machines(fixtures_dir: Path, name: str) -> None:
    steps = {step.name: step.value for f in first(fixtures_dir / name).findings for step in f.steps}
    want_s = expected(fixtures_dir / name)["prefill_s"]
    assert steps["read_time"] == pytest.approx(want_s, rel=_LAW_WITHIN)
    assert steps["read_time_low"] < want_s < steps["read_time_high"]


@pytest.mark.parametrize("name", tiered(name for name in STORIES if name not in WITH_A_LAW))
def test_without_a_law_only_the_bound_is_told(fixtures_dir: Path, name: str) -> None:
    """How long the slot was taken: less than the true time, more than the limit."""
    steps = {step.name: step.value for f in first(fixtures_dir / name).findings for step in f.steps}
    want = expected(fixtures_dir / name)
    assert want["timeout"]["timeout_s"] < steps["busy_for"] < want["prefill_s"]
    assert "read_time" not in steps


@pytest.mark.parametrize("name", tiered(STORIES))
def test_no_world_saves_with_a_limit_below_the_reading_time(fixtures_dir: Path, name: str) -> None:
    least_s = expected(fixtures_dir / name)["prefill_s"]
    saving = [world for world in first(fixtures_dir / name).what_would_help if world.saves == "yes"]
    limits = [c.after for world in saving for c in world.changes if c.lever == "timeout_s"]
    assert all(isinstance(limit, float | int) and limit >= least_s for limit in limits)
    assert all(any(c.lever == "timeout_s" for c in world.changes) for world in saving)
