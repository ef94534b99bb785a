"""Rows of views from YAML, and rules from text, for the tests of the rulebook."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import pytest

from investigator.rulebook.emptyviews import empty_views
from investigator.rulebook.load import load_rules
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.testing import fill_views
from investigator.yamltext import load as load_yaml

HERE = Path(__file__).parent
Rows: TypeAlias = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="session")
def example_text() -> str:
    """The example of the design as a rule file."""
    return (HERE / "rules" / "prefill-example.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def built_in(rules_dir: Path, shared_cache: Path) -> RuleSet:
    """The built-in pack with its tests. That a cache changes nothing: test_cache.py."""
    return load_rules([rules_dir], cache_folder=shared_cache / "with-tests")


@pytest.fixture
def rule_from(tmp_path: Path) -> Callable[..., RuleSet]:
    """`rule_from(text, name)` loads one file with this text."""

    def _load(text: str, name: str = "prefill-example") -> RuleSet:
        path = tmp_path / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return load_rules([path])

    return _load


@pytest.fixture(scope="session")
def founding_text() -> Callable[[], Rows]:
    """Reads `rows/founding.yaml`; a row with `like: n` starts as a copy of row n of its table."""
    return _founding


@pytest.fixture
def founding_rows(founding_text: Callable[[], Rows]) -> Rows:
    """The founding incident as rows, a fresh copy."""
    return founding_text()


def _founding() -> Rows:
    text = (HERE / "rows" / "founding.yaml").read_text(encoding="utf-8")
    tables = load_yaml(text)
    for table in tables.values():
        for number, row in enumerate(table):
            if "like" in row:
                table[number] = {**copy.deepcopy(table[row.pop("like")]), **row}
    return dict(tables)


@pytest.fixture
def case() -> Iterator[Callable[[Rows], duckdb.DuckDBPyConnection]]:
    """`case(rows)`: a connection whose views hold these rows."""
    opened = []

    def _open(rows: Rows) -> duckdb.DuckDBPyConnection:
        con = empty_views()
        opened.append(con)
        fill_views(con, rows)
        return con

    yield _open
    for con in opened:
        con.close()
