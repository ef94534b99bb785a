"""Creates the views of *.sql and describes their columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import duckdb

from investigator.casefile.derived import derived_tables
from investigator.sqltext import sql_reader

_sql = sql_reader(__package__)


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """One documented column of a view. `follows`: the SQL that recomputes it in a world, after the levers."""

    view: str
    version: int
    column: str
    type: str
    unit: str | None
    lever: bool
    follows: str | None
    doc: str


@cache
def view_names() -> tuple[str, ...]:
    """All views, in the order of the derived tables."""
    return tuple(derived_tables())


def create_views(con: duckdb.DuckDBPyConnection) -> None:
    """Create all views as temporary ones, so that a read-only connection can have them.

    The case's schemas `derived` and `meta` must be there (duckdb.Error otherwise). Safe to call again.
    """
    for name in view_names():
        con.execute(_sql(name))


def describe_views() -> list[ViewColumn]:
    """Every column of every view with its type, unit and meaning, in order."""
    return [
        ViewColumn(table.name, table.version, c.name, c.type, c.unit, c.lever, c.follows, c.doc)
        for table in derived_tables().values()
        for c in table.columns
    ]
