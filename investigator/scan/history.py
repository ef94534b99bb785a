"""The derived tables of all nights: what a window says replaces what was said of the same time before."""

from __future__ import annotations

import duckdb
import polars as pl

from investigator.casefile.case import Case
from investigator.casefile.derived import derived_tables
from investigator.casefile.frames import insert_frame, read_frame
from investigator.rulebook.lineage import VIEW_KEYS

#: Tables that keep all nights, by their key. The account of lines is of the whole case already.
_KEYS = {view: key for view, key in VIEW_KEYS.items() if view != "coverage"}


def remember(case: Case, window: Case) -> None:
    """Put the window's derived rows into the case, in one transaction. Rows of the same key are replaced."""
    with case.transaction() as con:
        for name, key in _KEYS.items():
            _replace(con, name, key, read_frame(window.connection, f"FROM derived.{name}"))


def _replace(con: duckdb.DuckDBPyConnection, name: str, key: str, rows: pl.DataFrame) -> None:
    keys = rows.select(key).unique()
    con.execute("CREATE OR REPLACE TEMP TABLE replaced_keys (key VARCHAR)")
    insert_frame(con, "replaced_keys", keys.rename({key: "key"}))
    con.execute(f"DELETE FROM derived.{name} WHERE {key} IN (SELECT key FROM replaced_keys)")
    insert_frame(con, f"derived.{name}", rows.cast(derived_tables()[name].polars_schema()))  # type: ignore[arg-type]
