"""Read sources into a case: chunk by chunk, facts and cursor together, so that a kill loses and doubles nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from investigator.casefile.case import Case
from investigator.casefile.frames import insert_frame
from investigator.casefile.source_row import SourceRow, begin, end, look_up
from investigator.casefile.writer import ChunkWriter
from investigator.formats.base import Begun, Format, Parser, SourceInfo, SteppedParser
from investigator.formats.registry import recognise
from investigator.formats.resume import resumes
from investigator.sources.bundles import stat_of
from investigator.sources.chunks import CHUNK_BYTES, Chunk
from investigator.sources.discover import Candidate, ProblemKind, SourceProblem, discover
from investigator.sources.fingerprint import Head, head_of
from investigator.sources.packed import DAMAGED
from investigator.sources.streams import ChunkReader, SourceStream

#: Called after each chunk with the source's path, the bytes of the file read so far and its size.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What was read: sources by path, those that were known already, and what could not be used."""

    read: tuple[str, ...]
    known: tuple[str, ...]
    problems: tuple[SourceProblem, ...]


def ingest(
    inputs: Sequence[str | Path],
    case: Case,
    progress: Progress | None = None,
    chunk_bytes: int = CHUNK_BYTES,
    *,
    formats: Sequence[Format] = (),
    named: bool = True,
) -> IngestReport:
    """Read all of `inputs` into `case`. An input that cannot be used becomes a problem; the others are still read.

    formats: further formats, of the user's own mappings. named: the user named the inputs one by one; else a useless
    one among them is no news.
    """
    discovery = discover(inputs, named=named)
    work = _Ingest(case, progress or _silent, chunk_bytes, list(discovery.problems), formats)
    for candidate in discovery.candidates:
        work.take(candidate)
    work.finish()
    return IngestReport(tuple(work.read), tuple(work.known), tuple(work.problems))


def _begun(parser: Parser, chunk: Chunk) -> Begun:
    """The chunk as far as it must be understood before the next one is read: wholly, if the parser knows no steps."""
    if isinstance(parser, SteppedParser):
        return parser.begin(chunk)
    parsed = parser.feed(chunk)
    return Begun(parsed.consumed_bytes, lambda: parsed)


def read_chunks(
    case: Case, row: SourceRow, reader: ChunkReader, parser: Parser, progress: Callable[[], None] | None = None
) -> None:
    """Everything that `reader` still gives, as facts of the source `row`."""
    with ChunkWriter(case, row) as writer:
        while (chunk := reader.read()) is not None:
            begun = _begun(parser, chunk)
            reader.consumed(begun.consumed_bytes)
            writer.add(begun, reader.position)
            if progress is not None:
                progress()


def _silent(path: str, done_bytes: int, size_bytes: int) -> None:
    pass


class _Ingest:
    """One call of `ingest`: the case, the options, and what has happened so far."""

    def __init__(
        self,
        case: Case,
        progress: Progress,
        chunk_bytes: int,
        problems: list[SourceProblem],
        formats: Sequence[Format] = (),
    ) -> None:
        self._case, self._progress, self._chunk_bytes, self._formats = case, progress, chunk_bytes, formats
        self.read: list[str] = []
        self.known: list[str] = []
        self.problems = problems

    def take(self, candidate: Candidate) -> None:
        try:
            with SourceStream(candidate.location) as stream:
                self._take(candidate, stream)
        except PermissionError:
            self._problem(candidate, "unreadable", "permission denied; read it as its owner or change its mode")
        except DAMAGED as error:
            self._problem(candidate, "damaged", f"the file is damaged or cut ({error}); what came before was read")

    def _take(self, candidate: Candidate, stream: SourceStream) -> None:
        head = stream.head()
        found = recognise(head, candidate.path, self._formats)
        harmless = not candidate.named
        if not head:
            self._problem(candidate, "empty", "nothing can be read from it", harmless=harmless)
        elif found.unsupported is not None:
            message = f"{found.unsupported.title}: known, but not read by this version"
            self._problem(candidate, "unsupported", message, harmless=harmless)
        elif found.format is None:
            what = "a binary file" if b"\x00" in head[:4096] else "text of no known format"
            self._problem(candidate, "not_recognised", what, harmless=harmless)
        else:
            self._ingest(candidate, stream, found.format, head_of(head))

    def _ingest(self, candidate: Candidate, stream: SourceStream, format_: Format, head: Head) -> None:
        row = look_up(self._case, candidate, head.digest)
        if row.state == "same":
            self.known.append(candidate.path)
            return
        if row.state == "duplicate":
            self._problem(candidate, "duplicate", f"the same content as {row.other}; counted once", harmless=True)
            return
        parser = format_.parser(SourceInfo(row.source_id, candidate.path))
        if row.state == "half" and not resumes(parser):
            row = SourceRow(row.source_id, "changed")
        begin(self._case, row, candidate, head, format_)
        size_bytes = stat_of(candidate.location).size_bytes
        reader = ChunkReader(stream, self._chunk_bytes)
        reader.skip(row.cursor_bytes, row.cursor_line)
        told = partial(self._progress, candidate.path)
        read_chunks(self._case, row, reader, parser, lambda: told(stream.size_bytes, size_bytes))
        end(self._case, row, stream.sha256())
        self.read.append(candidate.path)

    def _problem(self, candidate: Candidate, kind: ProblemKind, message: str, *, harmless: bool = False) -> None:
        self.problems.append(SourceProblem(candidate.path, kind, message, harmless))

    def finish(self) -> None:
        schema = {"path": pl.String(), "kind": pl.String(), "message": pl.String(), "harmless": pl.Boolean()}
        rows = [(p.path, p.kind, p.message, p.harmless) for p in self.problems]
        with self._case.transaction() as con:
            con.execute("DELETE FROM meta.problems")
            insert_frame(con, "meta.problems", pl.DataFrame(rows, schema=schema, orient="row"))
