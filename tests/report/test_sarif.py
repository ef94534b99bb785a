from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest

from investigator.report import render_sarif, scan
from investigator.report.sarif import message, uri

CASES = ("diagnosis", "several", "empty")


def run_of(case: Any) -> dict[str, Any]:
    log = json.loads(render_sarif(case))
    assert log["version"] == "2.1.0" and len(log["runs"]) == 1
    run: dict[str, Any] = log["runs"][0]
    return run


@pytest.mark.parametrize("case", CASES)
def test_obeys_the_official_schema(sample: ModuleType, node_modules: Path, case: str) -> None:
    path = node_modules / "@microsoft" / "jest-sarif" / "lib" / "schemas" / "sarif-2.1.0-rtm.5.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    log = json.loads(render_sarif(getattr(sample, case)()))
    assert [e.message for e in jsonschema.Draft7Validator(schema).iter_errors(log)] == []
    del log["runs"][0]["tool"]
    assert list(jsonschema.Draft7Validator(schema).iter_errors(log))


@pytest.mark.parametrize("case", CASES)
def test_indices_lead_where_they_say(sample: ModuleType, case: str) -> None:
    run = run_of(getattr(sample, case)())
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert (result["kind"] == "fail") != (result["level"] == "none")
        for place in [*result["locations"], *result["relatedLocations"]]:
            where = place["physicalLocation"]["artifactLocation"]
            assert "index" not in where or run["artifacts"][where["index"]]["location"]["uri"] == where["uri"]


def test_evidence_is_the_location(sample: ModuleType) -> None:
    run = run_of(sample.diagnosis())
    (capped,) = [r for r in run["results"] if r["ruleId"] == "window-capped-below-native"]
    place = capped["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "server/server.log" and place["region"]["startLine"] == 96
    assert place["region"]["snippet"]["text"] and capped["level"] == "error"
    assert "146,760 − 131,072" in capped["message"]["text"]


def test_what_was_not_judged_is_said(sample: ModuleType) -> None:
    case = sample.diagnosis()
    said = {n["associatedRule"]["id"] for n in run_of(case)["invocations"][0]["toolConfigurationNotifications"]}
    assert said == {r.rule for r in case.rules if r.outcome in ("error", "not_evaluated")} and said


def test_hostile_text_is_no_link_and_no_placeholder(sample: ModuleType) -> None:
    assert message("[x](1) {0} \\") == {"text": "\\[x\\](1) {{0}} \\\\"}
    text = render_sarif(sample.diagnosis())
    assert text.isascii() and "\\u202e" not in text and "\\u001b" not in text
    assert scan(text) == []


@pytest.mark.parametrize(
    ("path", "written"),
    [("a b.log", "a%20b.log"), ("c:x.log", "c%3Ax.log"), ("d\\e#1.log", "d/e%231.log"), ("", "."), ("/v/l", "/v/l")],
)
def test_paths_are_uri_references(path: str, written: str) -> None:
    assert uri(path) == written
