"""Open a file as one stream of decompressed UTF-8 bytes, and read it as chunks of whole lines."""

from __future__ import annotations

import codecs
import hashlib
import io
from collections.abc import Callable, Iterable
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol, cast

from investigator.sources.bundles import bundle_of, check_size, open_member
from investigator.sources.chunks import CHUNK_BYTES, Chunk
from investigator.sources.packed import DAMAGED, opener_of
from investigator.sources.sqlite_image import MAGIC, apply_wal, write_ahead_log

#: What formats get to look at to recognise a stream.
HEAD_BYTES = 64 * 1024

_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}

#: A database from here on is read without its write-ahead log: both would have to fit into memory.
_DATABASE_BYTES = 256 * 1024 * 1024

#: A longer line is not read: it is no line of a log, and it would have to fit into memory.
LONGEST_LINE_BYTES = 256 * 1024 * 1024


#: Bytes before a cursor that tell whether what was read there is still what stands there.
TAIL_BYTES = 64


class Position(NamedTuple):
    """Where the next unread record begins: offset and line. tail: digest of the bytes before it."""

    offset: int
    line_no: int
    tail: str


def tail_digest(data: bytes) -> str:
    """Digest of the last TAIL_BYTES of what was read so far."""
    return blake2b(data[-TAIL_BYTES:], digest_size=8).hexdigest()


class _Reader(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Hashing(io.RawIOBase):
    """Passes bytes on and hashes them: the digest is of the file as it lies on disk."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self.digest = hashlib.sha256()
        self.size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        size = self._raw.readinto(buffer)  # type: ignore[attr-defined]
        self.digest.update(buffer[:size])
        self.size += size
        return int(size)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Piecewise:
    """Reads a decompressor piece by piece: one large read of a damaged stream would lose all that came before."""

    def __init__(self, decompressor: object) -> None:
        self._read1: Callable[[int], bytes] = decompressor.read1  # type: ignore[attr-defined]

    def read(self, size: int, /) -> bytes:
        return self._read1(size)


class _Transcoding:
    """UTF-16 to UTF-8 on the fly."""

    def __init__(self, inner: _Reader, encoding: str) -> None:
        self._inner = inner
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")

    def read(self, size: int, /) -> bytes:
        # Half a character gives no text yet, which is not the end.
        while data := self._inner.read(size):
            if text := self._decoder.decode(data):
                return text.encode()
        return self._decoder.decode(b"", final=True).encode()


def _opened(location: Path) -> BinaryIO:
    bundle = bundle_of(location)
    return cast(BinaryIO, location.open("rb", buffering=0)) if bundle is None else open_member(bundle, location)


def _jump(raw: BinaryIO, location: Path, offset: int) -> int:
    """Go to `offset` of a file that is read as it lies on disk, else stay at the beginning. Returns where that is."""
    if not offset or bundle_of(location) is not None:
        return 0
    first = raw.read(len(MAGIC))
    changed = opener_of(first[:8]) or first[:2] in _UTF16 or first.startswith((codecs.BOM_UTF8, MAGIC))
    return raw.seek(0 if changed else offset)


class SourceStream:
    """One open file or member of a bundle: decompressed, transcoded, hashed while it is read. A context manager.

    start_bytes: begin there instead of at the beginning, if the file is plain text; `started_at` says where it began.
    Raises OSError when the file cannot be opened. A broken compressed stream gives what came before the damage.
    """

    def __init__(self, location: Path, start_bytes: int = 0) -> None:
        file = _opened(location)
        self.started_at = _jump(file, location, start_bytes)
        self._hashing = _Hashing(file)
        # Large enough that hashing and reading happen in few calls.
        raw = io.BufferedReader(self._hashing, 1024 * 1024)
        opener = None if self.started_at else opener_of(raw.peek(8)[:8])
        self._unpacked_bytes = 0
        self.compressed = opener is not None
        self._raw = raw
        self._stream = _Piecewise(opener(raw)) if opener else cast(_Reader, raw)
        self._pending = b""
        self.damage: Exception | None = None
        if not self.started_at:
            self._strip_bom()
            self._join_wal(location)

    def _join_wal(self, location: Path) -> None:
        """A database is read together with its write-ahead log, which may hold all of it."""
        if self.head(len(MAGIC)) != MAGIC:
            return
        wal = write_ahead_log(location)
        if not wal:
            return
        image = self.read(_DATABASE_BYTES)
        if len(image) < _DATABASE_BYTES:
            self._stream = io.BytesIO(apply_wal(image, wal))
        else:
            self._pending = image

    def _strip_bom(self) -> None:
        first = self._read_exactly(3)
        encoding = _UTF16.get(first[:2])
        if encoding:
            self._stream = _Transcoding(_Joined(first[2:], self._stream), encoding)
        else:
            self._pending = first.removeprefix(codecs.BOM_UTF8)

    def _read_exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size and (more := self._next(size - len(data))):
            data += more
        return data

    def _next(self, size: int) -> bytes:
        try:
            data = self._stream.read(size)
            if self.compressed:
                self._unpacked_bytes += len(data)
                check_size(self._unpacked_bytes, self._hashing.size)
            return data
        except DAMAGED as error:
            self.damage = error
            return b""

    def read(self, size: int) -> bytes:
        """`size` bytes, fewer only at the end, or where the stream is damaged: then `damage` says how."""
        # A single part is handed on as it is, not copied.
        parts = [self._pending] if self._pending else []
        length = len(self._pending)
        self._pending = b""
        while length < size and (data := self._next(size - length)):
            parts.append(data)
            length += len(data)
        data = b"".join(parts)
        # A change of encoding gives more bytes than were read.
        self._pending = data[size:]
        return data[:size]

    def head(self, size: int = HEAD_BYTES) -> bytes:
        """The first bytes, without consuming them."""
        data = self.read(size)
        self._pending = data + self._pending
        return data

    def sha256(self) -> str:
        """Digest of the whole file; reads what is left of it."""
        while self._hashing.read(1024 * 1024):
            pass
        return self._hashing.digest.hexdigest()

    @property
    def size_bytes(self) -> int:
        """Bytes of the file read so far, as on disk."""
        return self._hashing.size

    def __enter__(self) -> SourceStream:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()


class _Joined:
    """A few bytes that were read already, then the rest."""

    def __init__(self, first: bytes, rest: _Reader) -> None:
        self._first, self._rest = first, rest

    def read(self, size: int, /) -> bytes:
        if self._first:
            data, self._first = self._first, b""
            return data
        return self._rest.read(size)


class ChunkReader:
    """Cuts a stream into chunks of whole lines; what a parser leaves over comes again with the next chunk.

    growing: the stream's writer may go on, so an unfinished last line is left unread and no chunk is the last one.
    """

    def __init__(self, stream: SourceStream, chunk_bytes: int = CHUNK_BYTES, *, growing: bool = False) -> None:
        self._stream = stream
        self._chunk_bytes = chunk_bytes
        self._growing = growing
        self._left = b""
        self._offset = self._read_to = stream.started_at
        self._line_no = 1
        self._tail = b""
        self._ended = False

    def skip(self, offset: int, line_no: int) -> bool:
        """Go to `offset`, where line `line_no` begins; read and hashed on the way. False if the stream is shorter."""
        while self._offset < offset and (data := self._stream.read(min(self._chunk_bytes, offset - self._offset))):
            self._offset += len(data)
            self._tail = (self._tail + data[-TAIL_BYTES:])[-TAIL_BYTES:]
        self._line_no, self._read_to = line_no, self._offset
        return self._offset == offset

    def read(self) -> Chunk | None:
        """The next chunk, or None after the last. Raises one of DAMAGED where a broken stream breaks."""
        if self._ended:
            if self._stream.damage is not None:
                raise self._stream.damage
            return None
        parts: list[bytes | memoryview] = [self._left] if self._left else []
        while True:
            data = self._stream.read(self._chunk_bytes)
            self._read_to += len(data)
            self._ended = len(data) < self._chunk_bytes
            cut = data.rfind(b"\n") + 1
            if self._ended or cut:
                break
            parts.append(data)
            if sum(map(len, parts)) > LONGEST_LINE_BYTES:
                raise OSError(f"line {self._line_no:,} is longer than {LONGEST_LINE_BYTES // 1024**2} MiB")
        whole = len(data) if self._ended and not self._growing else cut
        parts.append(memoryview(data)[:whole])
        self._rest = data[whole:]
        self._chunk = Chunk(self._whole(parts), self._offset, self._line_no, self._ended and not self._growing)
        return self._chunk if self._chunk.data else self.read()

    def _whole(self, parts: Iterable[bytes | memoryview]) -> bytes:
        data = b"".join(parts)
        return data[: data.rfind(b"\n") + 1] if self._ended and self._growing else data

    def consumed(self, size: int) -> None:
        """The parser took the first `size` bytes of the chunk; the rest comes again."""
        taken = self._chunk.data[:size]
        self._left = self._chunk.data[size:] + self._rest
        self._offset += size
        self._line_no += taken.count(b"\n")
        self._tail = (self._tail + taken[-TAIL_BYTES:])[-TAIL_BYTES:]

    @property
    def unread_bytes(self) -> int:
        """Bytes that were seen and left, because the record that they begin is not finished."""
        return self._read_to - self._offset

    @property
    def position(self) -> Position:
        """Of the next unread record."""
        return Position(self._offset, self._line_no, tail_digest(self._tail))
