"""A case: one DuckDB file with the facts, the account of every line, and the derived tables."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import polars as pl

from investigator.casefile.derived import derived_tables
from investigator.casefile.frames import insert_frame, read_frame
from investigator.casefile.migrate import CASE_VERSION, back_up, create_table, layout_info, migrate
from investigator.errors import CaseProblem
from investigator.formats.facts import FactTable, fact_tables
from investigator.sqltext import sql_reader

_sql = sql_reader(__package__)

#: How far the write-ahead log grows before it is merged into the file. Each merge rewrites what is only partly filled:
#: with DuckDB's 16 MiB a case gets half as large again, and takes twice the time.
WAL_LIMIT = "128MB"


class Case:
    """An open case. Use as a context manager.

    `path` None makes a temporary case in memory. A case of an older release is brought to this one's layout, with a
    backup beside it (`migrated_from` is its version then). Raises CaseProblem when the file is no case, is held by
    another process, or was written by a newer release.
    """

    def __init__(self, path: Path | None, *, read_only: bool = False) -> None:
        self.path, self.read_only = path, read_only
        self.migrated_from: int | None = None
        if path is not None and read_only and not path.is_file():
            raise CaseProblem(
                "no such case file", hint="make one with: investigator ingest PATH… --case FILE", path=path
            )
        self.connection = _connect(path, read_only)
        if (version := self._older()) is not None:
            self._migrate(version)
        if not read_only:
            self.connection.execute(f"SET wal_autocheckpoint = '{WAL_LIMIT}'")
            if version is None:
                self._create()

    def __enter__(self) -> Case:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.connection.close()

    def _create(self) -> None:
        """What is missing of the layout, all at once: sixty statements of their own take longer than all the rest."""
        with self.transaction() as con:
            con.execute(_sql("schema"))
            info = dict(con.execute("SELECT key, value FROM meta.case_info").fetchall())
            if info != layout_info():
                facts = (create_table("facts", table) for table in fact_tables().values())
                derived = (create_table("derived", table) for table in derived_tables().values())
                con.execute(";".join((*facts, *derived)))
                con.execute(_sql("layout"), layout_info())
        if self.path is not None:
            os.chmod(self.path, 0o600)

    def _older(self) -> int | None:
        """Version of a case that has to be migrated; None for one of this layout and for an empty file."""
        rows = self.connection.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'meta'").fetchall()
        if ("case_info",) not in rows:
            others = self.connection.execute("SELECT count(*) FROM duckdb_tables()").fetchall()
            if self.read_only or others != [(0,)]:
                raise CaseProblem(
                    "this database is not a case", hint="name a file written by investigator", path=self.path
                )
            return None
        # fetchall everywhere: DuckDB 2 refuses the next query while a result is unfinished.
        info = dict(self.connection.execute("SELECT key, value FROM meta.case_info").fetchall())
        if info == layout_info():
            return None
        version = int(info.get("version", 0))
        if version > CASE_VERSION:
            raise CaseProblem(
                f"the case has layout {version}, this program knows {CASE_VERSION}",
                hint="use the newer release of investigator that wrote it",
                path=self.path,
            )
        return version

    def _migrate(self, version: int) -> None:
        if self.read_only or self.path is None:
            raise CaseProblem(
                f"the case was written by another release (layout {version})",
                hint="bring it up to date with: investigator analyze CASE",
                path=self.path,
            )
        self.connection.close()
        back_up(self.path, version)
        self.connection = _connect(self.path, False)
        with self.transaction() as con:
            migrate(con, version)
        self._create()
        self.migrated_from = version

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """All or nothing, also when the process is killed."""
        self.connection.execute("BEGIN")
        try:
            yield self.connection
            self.connection.execute("COMMIT")
        except BaseException as error:
            # A failed COMMIT has ended the transaction already.
            with suppress(duckdb.Error):
                self.connection.execute("ROLLBACK")
            if isinstance(error, duckdb.Error) and _UNWRITABLE.search(str(error)):
                raise self._unwritable(error) from error
            raise

    def _unwritable(self, error: duckdb.Error) -> CaseProblem:
        reason = str(error).splitlines()[0].rsplit(": ", 1)[-1]
        hint = "nothing before this step is lost: make room or give write access, then run it again"
        return CaseProblem(f"the case cannot be written: {reason}", hint=hint, path=self.path)

    def facts(self) -> dict[str, pl.DataFrame]:
        """Every fact table, in the order of the log: by source, then offset."""
        tables = fact_tables()
        counts = ", ".join(f"(SELECT count(*) FROM facts.{name})" for name in tables)
        # Most tables of most cases are empty: one query says which, where each would cost one of its own.
        [sizes] = self.connection.execute(f"SELECT {counts}").fetchall()
        return {
            name: self._read(table) if size else pl.DataFrame(schema=table.polars_schema())
            for (name, table), size in zip(tables.items(), sizes, strict=True)
        }

    def _read(self, table: FactTable) -> pl.DataFrame:
        frame = read_frame(self.connection, f"FROM facts.{table.name} ORDER BY source_id, byte_offset, fact_id")
        return frame.cast(table.polars_schema())  # type: ignore[arg-type]

    def sources(self) -> pl.DataFrame:
        """source_id, path, format, side, modified_at (UTC) of every source, ordered by path."""
        return read_frame(self.connection, _sql("sources"))

    def write_derived(self, frames: Mapping[str, pl.DataFrame]) -> None:
        """Replace the derived tables by `frames`, in one transaction."""
        with self.transaction() as con:
            for name, frame in frames.items():
                con.execute(f"DELETE FROM derived.{name}")
                insert_frame(con, f"derived.{name}", frame)


_UNWRITABLE = re.compile(r"No space left|Could not write|[Rr]ead-only|Permission denied|Disk quota|Input/output error")


def _connect(path: Path | None, read_only: bool) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(":memory:" if path is None else str(path), read_only=read_only)
    except duckdb.IOException as error:
        text = str(error)
        if "lock" in text.lower():
            raise CaseProblem("the case is in use by another process", hint=_holder(text), path=path) from error
        raise CaseProblem("the case file cannot be opened", hint=text.splitlines()[0], path=path) from error
    except duckdb.Error as error:
        raise CaseProblem("the case file is damaged or not a case", hint="ingest the logs again", path=path) from error


def _holder(text: str) -> str:
    return f"wait for it to end, or give another --case ({text.splitlines()[0]})"
