"""Where a chunk may end: a record that a transport spreads over lines must not be cut by the end of a chunk."""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from investigator.formats.base import Begun, Parsed, SteppedParser
from investigator.formats.common import UNRECOGNISED_SCHEMA, account, evidence_frame
from investigator.formats.transport.journal import readable
from investigator.formats.transport.pieces import WINDOW
from investigator.formats.transport.wrappers import JOURNALD_PIECE_BYTES
from investigator.sources.chunks import Chunk

#: A record that is longer than this is cut after all.
LONGEST_BYTES = 64 * 1024 * 1024

_ENTRY = b"__CURSOR="
# journald keeps no field that is longer than 48 KiB of a service's output.
_ENTRY_BYTES = 256 * 1024
# An empty line, but not one that is the first byte of a length (10 bytes) after the name of a field of bytes.
_ENTRY_END = re.compile(rb"^(?![A-Z0-9_]+\n)[^\n]+\n\n", re.MULTILINE)
_DOCKER = re.compile(
    rb'\{"log":".*?((?<!\\)(?:\\\\)*\\n)?"(?:,"stream":"(\w+)")?(?:,"attrs":\{[^}]*\})?,"time":"[^"]+"\}$'
)
_CRI = re.compile(rb"\S+ (stdout|stderr) ([FP])(?::\S*)? ")


class WholeRecords:
    """Feeds a parser of single lines with whole records of the transport; the rest waits for the next chunk."""

    line_local = True

    def __init__(self, inner: SteppedParser) -> None:
        self._inner = inner

    def feed(self, chunk: Chunk) -> Parsed:
        return self.begin(chunk).finish()

    def begin(self, chunk: Chunk) -> Begun:
        data = readable(chunk.data)
        end = len(data) if chunk.last or len(data) > LONGEST_BYTES else settled_bytes(data)
        if end == 0 and data:
            return Begun(0, _nothing)
        if end == len(data) and data is chunk.data:
            return self._inner.begin(chunk)
        last = chunk.last and end == len(data)
        return self._inner.begin(Chunk(data[:end], chunk.byte_offset, chunk.first_line_no, last))


def settled_bytes(data: bytes) -> int:
    """How many of the bytes hold only records that are over. All of them in a log without such a transport."""
    entry = _open_entry(data)
    entry = _open_pretty(data) if entry is None else entry
    if entry is not None:
        return entry
    last = data[data.rfind(b"\n", 0, max(len(data) - 1, 0)) + 1 :]
    return _first_open_piece(data) if _may_be_piece(last) else len(data)


def _open_entry(data: bytes) -> int | None:
    """Offset of an export's entry that has no end yet."""
    start = data.rfind(_ENTRY, max(0, len(data) - _ENTRY_BYTES))
    if start < 0 or (start > 0 and data[start - 1 : start] != b"\n"):
        return None
    return None if _ENTRY_END.search(data, start) else start


def _open_pretty(data: bytes) -> int | None:
    """Offset of an entry of `-o json-pretty` that has no end yet."""
    start = data.rfind(b"\n{\n", max(0, len(data) - _ENTRY_BYTES)) + 1
    if data[start : start + 2] not in (b"{\n", b"{") or (start == 0 and len(data) > _ENTRY_BYTES):
        return None
    body = data[start + 2 :].lstrip()
    # Of an object whose first name is not there yet nobody knows whose it is.
    ours = body.startswith(b'"_') or not body or b'"__REALTIME_TIMESTAMP"' in body
    return start if ours and b"\n}\n" not in data[start:] else None


def _may_be_piece(last: bytes) -> bool:
    return last.startswith(b"{") or _CRI.match(last) is not None or len(last) > JOURNALD_PIECE_BYTES


def _first_open_piece(data: bytes) -> int:
    """Offset of the first piece of an unfinished line near the end; the length of the data if there is none."""
    seen: dict[bytes, bool] = {}
    cut = len(data)
    for offset, line in _backwards(data):
        stream, goes_on = _piece(line)
        # Going backwards, a stream's line is open as long as only unfinished pieces of it were met.
        if stream is not None and seen.setdefault(stream, goes_on):
            if goes_on:
                cut = min(cut, offset)
            else:
                seen[stream] = False
    return cut


def _backwards(data: bytes) -> Iterator[tuple[int, bytes]]:
    end = len(data)
    for _ in range(WINDOW):
        if end <= 0:
            return
        start = data.rfind(b"\n", 0, end - 1) + 1
        yield start, data[start:end].rstrip(b"\r\n")
        end = start


def _piece(line: bytes) -> tuple[bytes | None, bool]:
    """The stream of a piece and whether its line goes on; None for lines of other kinds."""
    if line.startswith(b'{"log":') and (docker := _DOCKER.match(line)):
        return docker[2] or b"", docker[1] is None
    if cri := _CRI.match(line):
        return cri[1], cri[2] == b"P"
    if line.startswith(b"{"):
        stream = re.search(rb'"_STREAM_ID"\s*:\s*"(\w+)"', line)
        return (stream[1] if stream else b""), re.search(rb'"_LINE_BREAK"\s*:\s*"line-max"', line) is not None
    program = re.search(rb" ([^ \[]+)\[\d+\]: ", line[:200])
    if program:
        return program[1], len(line) - program.end() == JOURNALD_PIECE_BYTES
    return None, False


def _nothing() -> Parsed:
    """Nothing was read: the whole chunk comes again with more behind it."""
    empty = pl.DataFrame(schema=UNRECOGNISED_SCHEMA)
    evidence = evidence_frame(empty, pl.Series("line_no", [], dtype=pl.Int32))
    return account({}, fact_lines=0, noise={}, foreign_lines=0, unrecognised=empty, evidence=evidence, consumed_bytes=0)
