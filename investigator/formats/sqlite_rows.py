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
from investigator.sqltext import sql_reader

MAGIC = b"SQLite format 3\x00"
#: A row larger than this holds something else than a record.
_ROW_BYTES = 64 * 1024 * 1024


class CutDatabase(Exception):
    """The bytes are no whole database, or its tables are not the ones that are looked for."""


#: The query of a format, from the file beside its module, by its stem.
read_query = sql_reader(__package__)


def names_in(head: bytes, *tables: bytes) -> bool:
    """Whether these bytes are the begin of a database whose schema names all of these tables."""
    return head.startswith(MAGIC) and all(b"TABLE " + t in head or b"TABLE `" + t in head for t in tables)


def query_rows(image: bytes, query: str, tables: tuple[str, ...]) -> Iterator[bytes]:
    """The single column of `query` over `tables`, row by row, as bytes. Raises CutDatabase.

    The tables must be tables: a view of the same name could be made to run for ever.
    """
    if not image.startswith(MAGIC) or len(image) > 4 * MAX_BYTES:
        raise CutDatabase("no SQLite database")
    plain = bytearray(image)
    plain[18:20] = b"\x01\x01"
    connection = sqlite3.connect(":memory:")
    try:
        connection.deserialize(bytes(plain))
        connection.execute("PRAGMA query_only = 1")
        found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if missing := [table for table in tables if table not in found]:
            raise CutDatabase(f"no table {missing[0]}")
        connection.text_factory = bytes
        for (value,) in connection.execute(query):
            yield value[:_ROW_BYTES] if isinstance(value, bytes) else b""
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
    tables: tuple[str, ...]
    _image: bytearray = field(default_factory=bytearray)

    def feed(self, chunk: Chunk) -> Parsed:
        if len(self._image) <= 4 * MAX_BYTES:
            self._image += chunk.data
        rows, account, kept = Rows(self.info.source_id), Account(), list[bytes]()
        if chunk.last:
            try:
                for number, raw in enumerate(query_rows(bytes(self._image), self.query, self.tables), 1):
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
