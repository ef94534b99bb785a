"""What a case knows of files and of the streams that were read from them, while a scan goes on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from investigator.casefile.case import Case
from investigator.sources.bundles import bundle_of, stat_of
from investigator.sources.fingerprint import fingerprint
from investigator.sources.rotation import is_rotated
from investigator.sqltext import sql_reader

_sql = sql_reader(__package__)


class Place(NamedTuple):
    """A file as it was when it was last looked at; a database with its write-ahead log."""

    device: int
    inode: int
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Stream:
    """A source that was read before, wherever it stands now. tail: digest of the bytes before the cursor."""

    source_id: int
    path: str
    location: str
    fingerprint: str
    head_bytes: int
    format: str
    side: str
    cursor_bytes: int
    cursor_line: int
    tail: str | None


def place_of(location: Path) -> Place:
    """Identity, size and age of a file or of a bundle's member. Raises OSError if it is not there."""
    bundle = bundle_of(location)
    stat = os.stat(bundle or location)
    size, modified = stat.st_size, stat.st_mtime_ns
    if bundle is not None:
        member = stat_of(location)
        size, modified = member.size_bytes, member.modified_ns
    try:
        # A database grows in the log beside it first.
        log = os.stat(f"{location}-wal")
        size, modified = size + log.st_size, max(modified, log.st_mtime_ns)
    except OSError:
        pass
    return Place(stat.st_dev, stat.st_ino, size, modified)


class Places:
    """The case's places and streams, in memory."""

    def __init__(self, case: Case) -> None:
        self._case = case
        rows = case.connection.execute(_sql("places")).fetchall()
        self._places = {row[0]: (Place(*row[1:5]), row[5], row[6]) for row in rows}
        self._streams: dict[int, Stream] = {}
        self._inode_of = {source_id: place.inode for place, source_id, _ in self._places.values() if source_id}
        self._at: dict[str, int] = {}
        self._paths: dict[str, int] = {}
        # Streams by how many of their first bytes are known, then by the digest of these.
        self._by_head: dict[int, dict[str, list[int]]] = {}
        for row in case.connection.execute(_sql("followed")).fetchall():
            self._index(Stream(*row))
        self.seen: set[str] = set()

    def unchanged(self, file: Path) -> bool:
        """Is the file as it was, and is nothing left to read of it? A bundle's members are asked for one by one."""
        self.seen.add(str(file))
        known = self._places.get(str(file))
        return known is not None and known[0] == _place_or_none(file) and not (known[2] and is_rotated(str(file)))

    def same(self, location: Path, place: Place) -> bool:
        """Did the file stand here like this before?"""
        known = self._places.get(str(location))
        return known is not None and known[0] == place

    def at(self, location: Path) -> Stream | None:
        """The stream that stood here when last looked."""
        id_ = self._at.get(str(location))
        return None if id_ is None else self._streams[id_]

    def alike(self, head: bytes, location: Path, inode: int) -> list[Stream]:
        """Streams that begin with these bytes: longest beginning first, then those that stood here or in this file."""

        def order(stream: Stream) -> tuple[object, ...]:
            elsewhere = stream.location != str(location)
            return elsewhere, self._inode_of.get(stream.source_id) != inode, -stream.cursor_bytes, stream.source_id

        found: list[Stream] = []
        for size in sorted((size for size in self._by_head if size <= len(head)), reverse=True):
            ids = self._by_head[size].get(fingerprint(head, size), [])
            found += sorted((self._streams[id_] for id_ in ids), key=order)
        return found

    def with_path(self, path: str) -> Stream | None:
        """The stream that bears this path."""
        id_ = self._paths.get(path)
        return None if id_ is None else self._streams[id_]

    def has(self, source_id: int) -> bool:
        return source_id in self._streams

    def moved(self, stream: Stream, changed: Stream) -> Stream:
        """The stream with another path, location or head, here and in the case."""
        self._drop(stream)
        self._index(changed)
        self._case.connection.execute(
            "UPDATE meta.sources SET path = ?, location = ?, fingerprint = ?, head_bytes = ? WHERE source_id = ?",
            [changed.path, changed.location, changed.fingerprint, changed.head_bytes, changed.source_id],
        )
        return changed

    def added(self, stream: Stream) -> None:
        """A new stream, or one with a cursor that moved on."""
        self.forgotten(stream.source_id)
        self._index(stream)

    def forgotten(self, source_id: int) -> None:
        if (stream := self._streams.get(source_id)) is not None:
            self._drop(stream)

    def looked_at(self, location: Path, place: Place, source_id: int | None, left_bytes: int) -> None:
        """Remember that all there is to read of the file was read, so that it is not opened again as it is."""
        self._places[str(location)] = (place, source_id, left_bytes)
        if source_id is not None:
            self._inode_of[source_id] = place.inode
        self._case.connection.execute(
            "INSERT OR REPLACE INTO meta.places VALUES (?, ?, ?, ?, ?, ?, ?)",
            [str(location), *place, source_id, left_bytes],
        )

    def _index(self, stream: Stream) -> None:
        self._streams[stream.source_id] = stream
        self._at[stream.location] = self._paths[stream.path] = stream.source_id
        self._by_head.setdefault(stream.head_bytes, {}).setdefault(stream.fingerprint, []).append(stream.source_id)

    def _drop(self, stream: Stream) -> None:
        del self._streams[stream.source_id]
        for index, key in ((self._at, stream.location), (self._paths, stream.path)):
            if index.get(key) == stream.source_id:
                del index[key]
        self._by_head[stream.head_bytes][stream.fingerprint].remove(stream.source_id)


def _place_or_none(location: Path) -> Place | None:
    try:
        return place_of(location)
    except OSError:
        return None
