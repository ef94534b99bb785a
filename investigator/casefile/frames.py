"""Frames between Polars and DuckDB without pyarrow, through the Arrow C stream that both speak."""

from __future__ import annotations

import duckdb
import polars as pl


class _Stream:
    """Shows only the Arrow C stream of a frame: DuckDB asks a Polars frame for pyarrow, which we do not need."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


def insert_frame(con: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame) -> None:
    """Append `frame` to `table` by column name. Does nothing for an empty frame."""
    if frame.is_empty():
        return
    columns = ", ".join(f'"{name}"' for name in frame.columns)
    con.register("frame_to_insert", _Stream(frame))
    try:
        con.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM frame_to_insert")
    finally:
        con.unregister("frame_to_insert")


def read_frame(con: duckdb.DuckDBPyConnection, sql: str, parameters: list[object] | None = None) -> pl.DataFrame:
    """The result of one query as a frame."""
    return pl.DataFrame(con.sql(sql, params=parameters) if parameters else con.sql(sql))
