"""The SQL files of this part."""

from __future__ import annotations

from investigator.sqltext import sql_reader

#: Text of sql/NAME.sql.
query = sql_reader(__package__, "sql")
