"""The shared base of formats that live in an SQLite file: rows of a query as records, opened in memory only.

A record's line number is the number of its row, and its offset too: a database has no lines. What stands in other
tables is not read and not counted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from investigator.formats.base import Parsed, SourceInfo
from investigator.formats.document import MAX_BYTES
from investigator.formats.jsonl import Account, Noise, Outcome, RecordReader, Unknown, evidence_frame
from investigator.formats.rows import At, Rows
from investigator.sources.chunks import Chunk

MAGIC = b"SQLite format 3\x00"
#: A row larger than this holds something else than a record.
_ROW_BYTES = 64 * 1024 * 1024


class CutDatabase(Exception):
    """The bytes are no whole database, or its tables are not the ones that are looked for."""


def names_in(head: bytes, *tables: bytes) -> bool:
    """Whether these bytes are the begin of a database whose schema names all of these tables."""
    return head.startswith(MAGIC) and all(b"TABLE " + t in head or b"TABLE `" + t in head for t in tables)


def query_rows(image: bytes, query: str) -> Iterator[bytes]:
    """The single column of `query`, row by row, as bytes. Raises CutDatabase."""
    if not image.startswith(MAGIC) or len(image) > 4 * MAX_BYTES:
        raise CutDatabase("no SQLite database")
    plain = bytearray(image)
    plain[18:20] = b"\x01\x01"
    connection = sqlite3.connect(":memory:")
    try:
        connection.deserialize(bytes(plain))
        connection.execute("PRAGMA query_only = 1")
        for (value,) in connection.execute(query):
            data = value.encode("utf-8", "replace") if isinstance(value, str) else bytes(value or b"")
            yield data[:_ROW_BYTES]
    except (sqlite3.Error, MemoryError, OverflowError) as error:
        raise CutDatabase(str(error)) from error
    finally:
        connection.close()


@dataclass(slots=True)
class SqliteParser:
    """Collects the chunks of a database and reads the rows of one query at the end."""

    info: SourceInfo
    reader: RecordReader
    query: str
    _image: bytearray = field(default_factory=bytearray)

    def feed(self, chunk: Chunk) -> Parsed:
        if len(self._image) <= 4 * MAX_BYTES:
            self._image += chunk.data
        rows, account, kept = Rows(self.info.source_id), Account(), list[bytes]()
        if chunk.last:
            try:
                for number, raw in enumerate(query_rows(bytes(self._image), self.query), 1):
                    kept.append(raw)
                    at = At(number, number)
                    account.settle(self._read(raw, at, rows), at, raw)
            except CutDatabase as error:
                account.settle(Unknown(f"database: {error}"[:80]), At(len(kept) + 1, len(kept) + 1), b"")
        return account.parsed(rows, evidence_frame(rows.kept_lines, kept, 1), len(chunk.data))

    def _read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        before = rows.added
        try:
            outcome = self.reader.read(raw, at, rows)
        except msgspec.ValidationError:
            outcome = Unknown("fields of another type than known")
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            outcome = Unknown("not JSON")
        return None if rows.added > before else outcome or Noise("understood, nothing to keep")
