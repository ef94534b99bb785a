from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest

from investigator.report import render_json, scan

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schema" / "report-1.json").read_text())


def undocumented(value: Any, schema: dict[str, Any], where: str = "") -> Iterator[str]:
    """Keys of a report that its schema does not name."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    if "oneOf" in schema and value is not None:
        schema = schema["oneOf"][1]
    if isinstance(value, dict):
        for key, item in value.items():
            known = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            if known is None:
                yield f"{where}/{key}"
            else:
                yield from undocumented(item, known, f"{where}/{key}")
    elif isinstance(value, list):
        for item in value:
            yield from undocumented(item, schema.get("items", {"additionalProperties": {}}), f"{where}[]")


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("case", ["diagnosis", "several", "empty"])
def test_reports_obey_the_schema_and_every_key_is_documented(sample: ModuleType, case: str) -> None:
    report = json.loads(render_json(getattr(sample, case)()))
    assert [e.message for e in jsonschema.Draft202012Validator(SCHEMA).iter_errors(report)] == []
    assert sorted(set(undocumented(report, SCHEMA))) == []


@pytest.mark.parametrize(
    "broken", [{"schema_version": 2}, {"verdict": {"kind": "maybe", "sentence": ""}}, {"coverage": {}}]
)
def test_the_schema_refuses_what_is_wrong(sample: ModuleType, broken: dict[str, Any]) -> None:
    report = json.loads(render_json(sample.diagnosis())) | broken
    assert list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(report))


def test_the_numbers(sample: ModuleType) -> None:
    report = json.loads(render_json(sample.diagnosis()))
    incident = report["incidents"][0]
    assert report["verdict"]["kind"] == "cause_found"
    assert [c["cause"] for c in incident["causes"]] == ["window_capped_below_native", "prefill_outlasts_timeout"]
    steps = {s["name"]: s for f in incident["findings"] for s in f["steps"]}
    assert steps["whole_floor"]["value"] == 366.9 and steps["whole_floor"]["label"] == "derived"
    assert {h["rule"] for h in incident["ruled_out"]} == {"memory-did-not-fit", "server-crashed"}
    best = incident["what_would_help"][0]
    assert best["saves"] == "yes" and [c["after"] for c in best["changes"]] == [262144, 900.0]
    assert report["exit"] == {"code": 1, "reasons": ["a finding of severity high, --fail-on is medium"]}
    assert report["coverage"]["lines"] == sum(
        report["coverage"][k] for k in ("facts", "noise", "foreign", "unrecognised")
    )
    assert incident["started_at"] == "2026-02-18T10:10:22.600Z"
    assert {a["attempt_id"] for a in incident["attempts"]} <= {a["attempt_id"] for a in report["attempts"]}


def test_is_ascii_masked_and_the_same_twice(sample: ModuleType) -> None:
    text = render_json(sample.diagnosis())
    assert text.isascii() and "\x1b" not in text
    assert "\\u202eevil" in text
    assert not [secret for secret in sample.SECRETS if secret in text]
    assert scan(text) == []
    assert text == render_json(sample.diagnosis())


def test_what_is_no_number_is_null(sample: ModuleType) -> None:
    base = sample.diagnosis()
    impact = replace(base.incidents[0].impact, wall_s=float("inf"))
    report = json.loads(render_json(replace(base, incidents=(replace(base.incidents[0], impact=impact),))))
    assert report["incidents"][0]["impact"]["wall_s"] is None


def test_how_long_rules_took_is_left_out(sample: ModuleType) -> None:
    base = sample.diagnosis()
    slower = replace(base, rules=tuple(replace(r, seconds=9.0) for r in base.rules))
    assert render_json(slower) == render_json(base)
