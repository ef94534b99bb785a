"""Works out and writes what chunks give, beside the reading: several to a transaction, facts and cursor together."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import polars as pl

from investigator.casefile.case import Case
from investigator.casefile.source_row import SourceRow, write_chunk
from investigator.formats.base import Begun, Parsed
from investigator.sources.streams import Position

#: Bytes of a source between two transactions, about. DuckDB stores large appends faster and smaller than small ones.
COMMIT_BYTES = 64 * 1024 * 1024

#: Chunks whose facts are worked out at the same time. More cores are kept busy by reading and storing.
PARSERS = 2

#: What DuckDB may keep in memory meanwhile. Its own default, a share of the machine's memory, would grow with the case.
DATABASE_MEMORY = "256MB"


class ChunkWriter:
    """Takes one source's chunks in order and stores their facts in that order. A context manager: leaving it waits.

    Polars and DuckDB let go of the interpreter while they work, so some chunks are parsed while others are read and
    stored. What is under way is bounded, and with it the memory. What was read before an error of the source is stored
    too.
    """

    def __init__(self, case: Case, row: SourceRow, commit_bytes: int | None = None) -> None:
        self._case, self._row, self._commit_bytes = case, row, commit_bytes or COMMIT_BYTES
        self._parsing: deque[tuple[Future[Parsed], Position]] = deque()
        self._pending: list[Parsed] = []
        self._position: Position | None = None
        self._parsers = ThreadPoolExecutor(PARSERS, thread_name_prefix="case-parser")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="case-writer")
        self._writing: Future[None] | None = None

    def add(self, begun: Begun, position: Position) -> None:
        """One more chunk. `position`: of the next unread record. Raises what failed of those before."""
        self._parsing.append((self._parsers.submit(begun.finish), position))
        while len(self._parsing) > PARSERS:
            self._take_parsed()

    def _take_parsed(self) -> None:
        future, position = self._parsing.popleft()
        try:
            self._pending.append(future.result())
        except BaseException:
            # What follows a chunk that failed must not be stored without it.
            self._parsing.clear()
            raise
        self._position = position
        if sum(parsed.consumed_bytes for parsed in self._pending) >= self._commit_bytes:
            self._store()

    def _store(self) -> None:
        self._wait()
        if self._pending and self._position is not None:
            whole, self._pending = self._pending, []
            self._writing = self._writer.submit(_write, self._case, self._row, whole, self._position)

    def _wait(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def __enter__(self) -> ChunkWriter:
        # A case without a file lives in memory as a whole.
        if self._case.path is not None:
            self._case.connection.execute(f"SET memory_limit = '{DATABASE_MEMORY}'")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            # An interruption is not kept waiting for more than the transaction under way.
            if error is None or isinstance(error, Exception):
                self._finish()
            self._wait()
        finally:
            self._parsers.shutdown(cancel_futures=True)
            self._writer.shutdown()
            self._case.connection.execute("RESET memory_limit")

    def _finish(self) -> None:
        try:
            while self._parsing:
                self._take_parsed()
        finally:
            self._store()


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
