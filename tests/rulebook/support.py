"""Rows of views from YAML, and rules from text, for the tests of the rulebook."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import duckdb
from ruamel.yaml import YAML

from investigator.rulebook.emptyviews import empty_views
from investigator.rulebook.load import load_rules
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.testing import fill_views

HERE = Path(__file__).parent
RULE_TEXT = (HERE / "rules" / "prefill-example.yaml").read_text(encoding="utf-8")


def rows(name: str) -> dict[str, list[dict[str, Any]]]:
    """`rows/<name>.yaml`; a row with `like: n` starts as a copy of row n of its table."""
    tables = YAML(typ="safe", pure=True).load((HERE / "rows" / f"{name}.yaml").read_text(encoding="utf-8"))
    for table in tables.values():
        for number, row in enumerate(table):
            if "like" in row:
                table[number] = {**copy.deepcopy(table[row.pop("like")]), **row}
    return dict(tables)


def case(given: dict[str, list[dict[str, Any]]]) -> duckdb.DuckDBPyConnection:
    """A connection whose views hold these rows."""
    con = empty_views()
    fill_views(con, given)
    return con


def rule_from(folder: Path, text: str, name: str = "prefill-example") -> RuleSet:
    """The rule set of one file with this text."""
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return load_rules([path])
