"""Each view shows exactly the columns that derived.yaml declares, on any connection."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from investigator.casefile.case import Case
from investigator.casefile.derived import derived_tables
from investigator.views import create_views, describe_views
from investigator.views.views import view_names

VIEWS = Path(__file__).resolve().parents[2] / "investigator" / "views"


@pytest.fixture
def case_path(tmp_path: Path) -> Path:
    path = tmp_path / "x.case.duckdb"
    with Case(path):
        pass
    return path


@pytest.mark.parametrize("read_only", [True, False])
def test_columns_and_types_are_the_declared_ones(case_path: Path, read_only: bool) -> None:
    with duckdb.connect(str(case_path), read_only=read_only) as con:
        create_views(con)
        create_views(con)
        for name, table in derived_tables().items():
            described = con.execute(f"DESCRIBE {name}").fetchall()
            assert [(row[0], row[1]) for row in described] == [(c.name, c.type) for c in table.columns], name


def test_every_view_has_its_file_and_every_file_its_view() -> None:
    assert {path.stem for path in VIEWS.glob("*.sql")} == set(view_names())


def test_every_column_is_described() -> None:
    described = describe_views()
    assert {(c.view, c.column) for c in described} == {
        (name, column.name) for name, table in derived_tables().items() for column in table.columns
    }
    levers = {c.column for c in described if c.view == "attempts" and c.lever}
    assert {"window_tokens", "timeout_s", "cached_tokens"} <= levers


def test_views_are_temporary(case_path: Path) -> None:
    with duckdb.connect(str(case_path)) as con:
        create_views(con)
    with duckdb.connect(str(case_path)) as con, pytest.raises(duckdb.CatalogException):
        con.execute("FROM attempts")
