"""The schema of rule files says what the types say, and every built-in file points to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from investigator.resources import rules_dir
from investigator.rulebook.pack import rule_files
from investigator.rulebook.schema import COMPLETION, SCHEMA_FILE, rule_schema
from investigator.yamltext import load

RULES = rule_files(rules_dir())


def test_the_schema_beside_the_rules_is_fresh() -> None:
    """Write it anew with: investigator rules schema > rules/rule.schema.json"""
    assert json.loads((rules_dir() / SCHEMA_FILE).read_text(encoding="utf-8")) == rule_schema()


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_every_rule_can_be_completed_and_is_valid(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.splitlines()[0] == f"{COMPLETION}{SCHEMA_FILE}"
    assert not [error.message for error in Draft202012Validator(rule_schema()).iter_errors(load(text))]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("severity: high", "severity: hihg", "'hihg' is not one of"),
        ("gap: 10m", "gap: 600", "600 is not of type"),
        ("title: Reading", "tittle: Reading", "'tittle' was unexpected"),
        ("unit: tokens", "unit: token", "'token' is not"),
        ("verdict: read_time", "verdct: read_time", "'verdict' is a required property"),
    ],
)
def test_mistakes_are_found(example_text: str, old: str, new: str, says: str) -> None:
    errors = Draft202012Validator(rule_schema()).iter_errors(load(example_text.replace(old, new, 1)))
    told = [found.message for error in errors for found in (error, *(error.context or ()))]
    assert any(says in message for message in told), told
