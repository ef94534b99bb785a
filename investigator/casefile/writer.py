"""Writes what chunks gave, beside the reading: several chunks to a transaction, facts and cursor together."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import polars as pl

from investigator.casefile.case import Case
from investigator.casefile.source_row import SourceRow, write_chunk
from investigator.formats.base import Parsed

#: Bytes of a source between two transactions, about. DuckDB stores large appends faster and smaller than small ones.
COMMIT_BYTES = 64 * 1024 * 1024

#: What DuckDB may keep in memory meanwhile. Its own default, a share of the machine's memory, would grow with the case.
DATABASE_MEMORY = "256MB"

Position = tuple[int, int]


class ChunkWriter:
    """Takes the results of one source's chunks in order. A context manager: leaving it waits until all is stored.

    Polars and DuckDB let go of the interpreter while they work, so one chunk is stored while the next one is parsed. At
    most one transaction waits, which bounds the memory. What was read before an error of the source is stored too.
    """

    def __init__(self, case: Case, row: SourceRow, commit_bytes: int | None = None) -> None:
        self._case, self._row, self._commit_bytes = case, row, commit_bytes or COMMIT_BYTES
        self._pending: list[Parsed] = []
        self._pending_bytes = 0
        self._position: Position | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="case-writer")
        self._running: Future[None] | None = None

    def add(self, parsed: Parsed, position: Position) -> None:
        """One more chunk. `position`: offset and line of the next unread record. Raises what storing raised."""
        self._pending.append(parsed)
        self._pending_bytes += parsed.consumed_bytes
        self._position = position
        if self._pending_bytes >= self._commit_bytes:
            self._store()

    def _store(self) -> None:
        self._wait()
        if self._pending and self._position is not None:
            whole, self._pending, self._pending_bytes = self._pending, [], 0
            self._running = self._pool.submit(_write, self._case, self._row, whole, self._position)

    def _wait(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.result()

    def __enter__(self) -> ChunkWriter:
        # A case without a file lives in memory as a whole.
        if self._case.path is not None:
            self._case.connection.execute(f"SET memory_limit = '{DATABASE_MEMORY}'")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            # An interruption is not kept waiting for more than the transaction under way.
            if error is None or isinstance(error, Exception):
                self._store()
            self._wait()
        finally:
            self._pool.shutdown()
            self._case.connection.execute("RESET memory_limit")


def _write(case: Case, row: SourceRow, parts: Sequence[Parsed], position: Position) -> None:
    write_chunk(case, row, parts[0] if len(parts) == 1 else joined(parts), position)


def joined(parts: Sequence[Parsed]) -> Parsed:
    """The sum of the results of consecutive chunks."""
    tables = sorted({table for part in parts for table in part.facts})
    noise: dict[str, int] = {}
    for part in parts:
        for kind, lines in part.noise.items():
            noise[kind] = noise.get(kind, 0) + lines
    return Parsed(
        facts={table: pl.concat([part.facts[table] for part in parts if table in part.facts]) for table in tables},
        lines=sum(part.lines for part in parts),
        fact_lines=sum(part.fact_lines for part in parts),
        noise=noise,
        foreign_lines=sum(part.foreign_lines for part in parts),
        unrecognised=pl.concat([part.unrecognised for part in parts]),
        evidence=pl.concat([part.evidence for part in parts]),
        consumed_bytes=sum(part.consumed_bytes for part in parts),
    )
