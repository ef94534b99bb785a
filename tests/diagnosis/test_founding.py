"""The founding incident, end to end: what was found must be what `expected.yaml` says, number by number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from investigator.diagnosis.model import Diagnosis, Incident, World
from investigator.pipeline import investigate
from investigator.yamltext import load as load_yaml

WINDOW, TIMEOUT = "window_tokens", "timeout_s"


@pytest.fixture(scope="module")
def folder(fixtures_dir: Path) -> Path:
    return fixtures_dir / "founding-incident"


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = load_yaml((folder / "expected.yaml").read_text())
    return found


@pytest.fixture(scope="module")
def diagnosis(folder: Path) -> Diagnosis:
    return investigate([folder / name for name in ("ollama", "openclaw", "host")])


@pytest.fixture(scope="module")
def incident(diagnosis: Diagnosis) -> Incident:
    (only,) = diagnosis.incidents
    return only


def worlds(incident: Incident) -> dict[tuple[tuple[str, object], ...], World]:
    return {tuple((c.lever, c.after) for c in world.changes): world for world in incident.what_would_help}


def test_the_verdict(diagnosis: Diagnosis, incident: Incident, expected: dict[str, Any]) -> None:
    assert diagnosis.verdict.kind == expected["verdict"]["kind"]
    assert diagnosis.exit_code == expected["verdict"]["exit_code"]
    assert [line.cause for line in incident.causes] == expected["causes"]
    assert incident.impact.failed_calls == expected["failed_calls"]
    # Both speak of all three calls: mending one of them alone would have saved none.
    assert {(line.explains, line.alone) for line in incident.causes} == {(3, 0)}


def test_each_try(incident: Incident, expected: dict[str, Any]) -> None:
    for row, wanted in zip(incident.attempts, expected["attempts"], strict=True):
        assert row.columns["outcome"] == wanted["outcome"]
        assert row.columns["seen_by"] == wanted["seen_by"]
        assert row.columns["asked_tokens"] == wanted["asked_tokens"]
        assert row.columns["read_tokens"] == wanted["read_tokens"]
        assert wanted["access_line"] in map(str, row.evidence)
        for name in ("window_tokens", "native_window_tokens", "believed_window_tokens"):
            assert row.columns[name] == expected["windows"][name]
        assert row.columns["timeout_s"] == expected["timeout"]["timeout_s"]
        assert row.columns["timeout_key"] == expected["timeout"]["key"]
    reused = [row.columns["cached_tokens"] for row in incident.attempts]
    wanted_reuse = expected["reuse"]["reused_tokens"]
    assert reused[1:] == pytest.approx([wanted_reuse["value"]] * 2, abs=wanted_reuse["tolerance"])


def test_both_changes_are_needed(incident: Incident) -> None:
    found = worlds(incident)
    assert found[(WINDOW, 262144),].saves == "no"
    assert found[(TIMEOUT, 900),].saves == "no"
    both = found[(WINDOW, 262144), (TIMEOUT, 900)]
    assert (both.saves, both.minimal, both.saved_calls) == ("yes", True, 3)
    assert found[(WINDOW, 262144), (TIMEOUT, 420)].saves == "no"


def test_the_fit(incident: Incident, expected: dict[str, Any]) -> None:
    steps = {step.name: step for finding in incident.findings for step in finding.steps}
    for value, wanted in ((673, "prefill_of_asked_s"), (542, "prefill_of_window_s")):
        tolerance = expected["fit"][wanted]["tolerance"]
        assert any(
            isinstance(step.value, float) and step.unit == "s" and abs(step.value - value) <= tolerance
            for step in steps.values()
        )
    assert incident.curve is not None
    assert incident.curve.r0_tps == pytest.approx(2891, abs=expected["fit"]["r0_tps"]["tolerance"])
    assert len(incident.curve.points) >= 5


def test_what_is_ruled_out(incident: Incident) -> None:
    ruled_out = {line.rule for line in incident.differential if line.verdict == "ruled_out"}
    assert {"memory-ruled-out", "crash-ruled-out"} <= ruled_out


def test_every_number_has_its_line(diagnosis: Diagnosis, incident: Incident) -> None:
    cited = [ref for f in incident.findings for step in f.steps for o in step.operands for ref in o.evidence]
    assert cited
    for ref in cited:
        assert diagnosis.evidence[str(ref)].text


def test_a_fix_to_paste_for_each_change(incident: Incident) -> None:
    texts = "\n".join(fix.text for fix in incident.fixes)
    assert "262144" in texts
    assert '"timeoutSeconds": 900' in texts
