"""Read only what is new: a log that grew goes on where it was left, one that moved or was packed is known again.

A stream is known by its first bytes, wherever it stands and however it is packed, and by the bytes before its cursor.
So renaming, copying and truncating, packing and deleting lose nothing and double nothing. What a server wrote is kept
for good; a document or transcript that was written anew replaces what it said before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from investigator.casefile.case import Case
from investigator.casefile.ingest import Progress, read_chunks
from investigator.casefile.places import Place, Places, Stream, place_of
from investigator.casefile.source_row import SourceRow, begin
from investigator.formats.base import Format, SourceInfo
from investigator.formats.registry import recognise
from investigator.formats.resume import resumes
from investigator.sources.chunks import CHUNK_BYTES
from investigator.sources.discover import Candidate, ProblemKind, SourceProblem, discover
from investigator.sources.fingerprint import FINGERPRINT_BYTES, Head, head_of, source_id
from investigator.sources.packed import DAMAGED
from investigator.sources.rotation import is_rotated
from investigator.sources.streams import TAIL_BYTES, ChunkReader, SourceStream

State = Literal["new", "grown", "replaced"]


@dataclass(frozen=True, slots=True)
class Growth:
    """What was read of one stream: from which byte and line on (0 and 1 for a new or replaced one), and how much."""

    source_id: int
    path: str
    state: State
    from_bytes: int
    read_bytes: int
    from_line: int = 1


@dataclass(frozen=True, slots=True)
class FollowReport:
    """files: looked at, the unchanged ones too. gaps: what was lost before it could be read, in words."""

    files: int
    growths: tuple[Growth, ...]
    problems: tuple[SourceProblem, ...]
    gaps: tuple[str, ...]

    @property
    def read_bytes(self) -> int:
        return sum(growth.read_bytes for growth in self.growths)


def follow(
    inputs: Sequence[str | Path],
    case: Case,
    formats: Sequence[Format] = (),
    progress: Progress | None = None,
    chunk_bytes: int = CHUNK_BYTES,
) -> FollowReport:
    """Read what is new below `inputs` into `case`. Facts and cursors commit together; a call after a kill goes on."""
    places = Places(case)
    discovery = discover(inputs, named=False, skip=places.unchanged)
    work = _Follow(case, places, formats, progress, chunk_bytes)
    for problem in discovery.problems:
        work.problems.append(problem)
    for candidate in discovery.candidates:
        work.take(candidate)
    return FollowReport(len(places.seen), tuple(work.growths), tuple(work.problems), tuple(work.gaps))


class _Follow:
    """One call of `follow`."""

    def __init__(
        self, case: Case, places: Places, formats: Sequence[Format], progress: Progress | None, chunk_bytes: int
    ) -> None:
        self._case, self._places, self._formats = case, places, formats
        self._progress, self._chunk_bytes = progress, chunk_bytes
        self.growths: list[Growth] = []
        self.problems: list[SourceProblem] = []
        self.gaps: list[str] = []

    def take(self, candidate: Candidate) -> None:
        """Read what is new of one file. A file that vanishes or is damaged in mid-read is a problem of its own."""
        try:
            self._take(candidate)
        except FileNotFoundError:
            self._problem(candidate, "missing", "it vanished while it was looked at")
        except PermissionError:
            self._problem(candidate, "unreadable", "permission denied; read it as its owner or change its mode")
        except DAMAGED as error:
            self._problem(candidate, "damaged", f"the file is damaged or cut ({error}); what came before was read")

    def _take(self, candidate: Candidate) -> None:
        place = place_of(candidate.location)
        again = self._places.same(candidate.location, place)
        with SourceStream(candidate.location) as stream:
            head, packed = stream.head(), stream.compressed
        found = recognise(head, candidate.path, self._formats) if head else None
        if found is None or found.format is None:
            if head and (kind := found and found.unsupported):
                self._problem(candidate, "unsupported", f"{kind.title}: known, but not read by this version")
            self._places.looked_at(candidate.location, place, None, 0)
            return
        file = _File(candidate, place, head, found.format, growing=not packed and not again)
        known = self._known(file)
        left = self._resume(file, known) if known else self._begin(file)
        id_ = self._places.at(candidate.location)
        self._places.looked_at(candidate.location, place, id_.source_id if id_ else None, left)

    def _known(self, file: _File) -> Stream | None:
        """The stream that this file holds, if it was read before and still says the same before its cursor."""
        for stream in self._places.alike(file.head, file.candidate.location, file.place.inode):
            with SourceStream(file.candidate.location, max(stream.cursor_bytes - TAIL_BYTES, 0)) as opened:
                reader = ChunkReader(opened, self._chunk_bytes)
                whole = reader.skip(stream.cursor_bytes, stream.cursor_line)
                if whole and stream.tail in (None, reader.position.tail):
                    return stream
        return None

    def _resume(self, file: _File, stream: Stream) -> int:
        stream = self._at_home(file, stream)
        parser = file.format.parser(SourceInfo(stream.source_id, stream.path))
        if stream.format != file.format.id or not resumes(parser):
            return self._again(file, stream)
        with SourceStream(file.candidate.location, max(stream.cursor_bytes - TAIL_BYTES, 0)) as opened:
            reader = ChunkReader(opened, self._chunk_bytes, growing=file.growing)
            reader.skip(stream.cursor_bytes, stream.cursor_line)
            row = SourceRow(stream.source_id, "half", stream.cursor_bytes, stream.cursor_line)
            read_chunks(self._case, row, reader, parser, self._told(file, opened))
            self._read(stream, "grown", stream.cursor_bytes, reader)
            return reader.unread_bytes

    def _at_home(self, file: _File, stream: Stream) -> Stream:
        """The stream with the path it has now, and with as much of its beginning as can be known now."""
        path, location = file.candidate.path, str(file.candidate.location)
        head = head_of(file.head)
        if stream.head_bytes >= FINGERPRINT_BYTES:
            head = Head(stream.fingerprint, stream.head_bytes)
        self._make_way(path, stream.source_id)
        now = replace(stream, path=path, location=location, fingerprint=head.digest, head_bytes=head.size_bytes)
        return stream if now == stream else self._places.moved(stream, now)

    def _again(self, file: _File, stream: Stream) -> int:
        """Read a stream anew as a whole, in place of what it said before. It is only so when it grew or changed."""
        return self._read_whole(file, stream.source_id, stream.source_id, "replaced")

    def _begin(self, file: _File) -> int:
        """A stream that was not read before; what stood in this place is kept if a server wrote it, else replaced."""
        here = self._places.at(file.candidate.location)
        replaced = None
        if here is not None and not _is_log(here, file):
            replaced = here.source_id
        elif here is not None and not is_rotated(here.path):
            self.gaps.append(f"{here.path}: was cut or replaced; what it got since the last scan may be lost")
        id_ = source_id(head_of(file.head).digest)
        number = 0
        while self._places.has(id_) and id_ != replaced:
            number += 1
            id_ = source_id(head_of(file.head).digest, f"{file.candidate.path}~{number}")
        return self._read_whole(file, id_, replaced, "replaced" if replaced is not None else "new")

    def _read_whole(self, file: _File, id_: int, replaced: int | None, state: State) -> int:
        self._make_way(file.candidate.path, replaced if replaced is not None else id_)
        row = SourceRow(id_, "changed" if replaced is not None else "new", replaces=replaced)
        head = head_of(file.head)
        begin(self._case, row, file.candidate, head, file.format)
        if replaced is not None:
            self._places.forgotten(replaced)
        location = str(file.candidate.location)
        side = file.format.side
        stream = Stream(
            id_, file.candidate.path, location, head.digest, head.size_bytes, file.format.id, side, 0, 1, None
        )  # fmt: skip
        self._places.added(stream)
        parser = file.format.parser(SourceInfo(id_, file.candidate.path))
        with SourceStream(file.candidate.location) as opened:
            reader = ChunkReader(opened, self._chunk_bytes, growing=file.growing and resumes(parser))
            read_chunks(self._case, row, reader, parser, self._told(file, opened))
            self._read(stream, state, 0, reader)
            return reader.unread_bytes

    def _make_way(self, path: str, source_id_: int) -> None:
        """Paths name evidence, so an older stream that bore this path gets a number."""
        while (other := self._places.with_path(path)) is not None and other.source_id != source_id_:
            number = 1
            while self._places.with_path(f"{path}~{number}") is not None:
                number += 1
            self._places.moved(other, replace(other, path=f"{path}~{number}", location=""))

    def _read(self, stream: Stream, state: State, from_bytes: int, reader: ChunkReader) -> None:
        position = reader.position
        read_bytes = position.offset - from_bytes
        self._places.added(
            replace(stream, cursor_bytes=position.offset, cursor_line=position.line_no, tail=position.tail)
        )
        from_line = stream.cursor_line if state == "grown" else 1
        if read_bytes or state != "grown":
            self.growths.append(Growth(stream.source_id, stream.path, state, from_bytes, read_bytes, from_line))

    def _told(self, file: _File, opened: SourceStream) -> Callable[[], None] | None:
        if self._progress is None:
            return None
        told = self._progress
        return lambda: told(file.candidate.path, opened.started_at + opened.size_bytes, file.place.size_bytes)

    def _problem(self, candidate: Candidate, kind: ProblemKind, message: str) -> None:
        self.problems.append(SourceProblem(candidate.path, kind, message, harmless=kind == "unsupported"))


@dataclass(frozen=True, slots=True)
class _File:
    """A file that changed. growing: its writer may go on with an unfinished last record."""

    candidate: Candidate
    place: Place
    head: bytes
    format: Format
    growing: bool


def _is_log(here: Stream, file: _File) -> bool:
    """Is what stood here a log that others follow, and no document or transcript that is written anew?"""
    return here.side == "server" or here.format != file.format.id
