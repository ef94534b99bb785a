"""A rule's words in another language tell the same facts: the same columns and steps stand in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from investigator.yamltext import load

RULES = Path(__file__).resolve().parents[2] / "rules"
TRANSLATED = [path for path in sorted(RULES.glob("*.yaml")) if "\ntexts:" in path.read_text(encoding="utf-8")]


def names(template: str) -> set[str]:
    return {str(node.name) for node in Environment().parse(template).find_all(nodes.Name)}


@pytest.mark.parametrize("path", TRANSLATED, ids=lambda path: path.stem)
@pytest.mark.parametrize("part", ["short", "long"])
def test_the_same_facts_are_told(path: Path, part: str) -> None:
    rule = load(path.read_text(encoding="utf-8"))
    said = rule["texts"]["de"]
    assert names(said[part]) == names(rule["explain"][part])
    assert said["title"] != rule["title"]


@pytest.mark.parametrize("path", TRANSLATED, ids=lambda path: path.stem)
def test_steps_and_remedies_are_translated_too(path: Path) -> None:
    rule = load(path.read_text(encoding="utf-8"))
    said = rule["texts"]["de"]
    # What measures the length of a message is a condition: no page shows it.
    shown = {
        step["name"] for step in rule.get("steps", []) if step.get("say") and not step["expr"].startswith("length(")
    }
    remedies = rule.get("remedies", [])
    assert said.get("steps", {}).keys() == shown
    assert [names(do) for do in said.get("remedies", [])] == [names(remedy["do"]) for remedy in remedies]


def test_every_built_in_rule_is_translated() -> None:
    assert {path.name for path in RULES.glob("*.yaml")} - {path.name for path in TRANSLATED} == {"pack.yaml"}
