"""Views without a case: empty typed tables to type-check a rule against, and to put a test's rows into."""

from __future__ import annotations

import duckdb

from investigator.casefile.derived import DerivedTable, derived_tables
from investigator.rulebook.functions import register_functions


def empty_views() -> duckdb.DuckDBPyConnection:
    """A connection in memory with every view as an empty table of its declared types, and the capacity functions."""
    con = duckdb.connect(":memory:")
    con.execute("SET threads = 1")
    con.execute("SET TimeZone = 'UTC'")
    for table in derived_tables().values():
        con.execute(_create(table))
    register_functions(con)
    return con


def _create(table: DerivedTable) -> str:
    columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
    return f'CREATE TABLE "{table.name}" ({columns})'
