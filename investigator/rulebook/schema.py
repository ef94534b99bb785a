"""JSON Schema of rule files, from the types that read them: editors complete and check while one writes."""

from __future__ import annotations

from typing import Any

from investigator.rulebook.model import Rule

#: Beside the built-in rules, so that the path in their first line is right in a checkout and in a wheel.
SCHEMA_FILE = "rule.schema.json"
COMPLETION = "# yaml-language-server: $schema="
_DURATIONS = frozenset({"gap", "within", "every"})


def rule_schema() -> dict[str, Any]:
    """The schema of one rule file (draft 2020-12). Durations are texts with a unit, as the files write them."""
    schema = Rule.model_json_schema(by_alias=True)
    for part in [schema, *schema.get("$defs", {}).values()]:
        for name, told in part.get("properties", {}).items():
            if name in _DURATIONS:
                told.pop("anyOf", None)
                told |= {"type": ["string", "null"], "pattern": r"^\d+(\.\d+)? ?(ms|s|m|min|h|d)$"}
                if told.get("default") is not None:
                    told["default"] = f"{told['default']:g}s"
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rule of investigator, schema 1",
    } | {name: value for name, value in schema.items() if name != "title"}
