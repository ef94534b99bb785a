"""JSON documents that hold records in an array: each record with its place, damage costs what follows it.

Also for files that hold the same records either as lines or as one document (`AutoParser`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from investigator.formats.base import Parsed, SourceInfo
from investigator.formats.document import DocumentParser, Text
from investigator.formats.jsonl import JsonlParser, Outcome
from investigator.formats.rows import At, Rows
from investigator.sources.chunks import Chunk

#: A key that no document has: its members are then read as far as they are whole.
_NO_KEY = "\0"
_BLANK = re.compile(r"[ \t\r\n\ufeff]*")
_DECODER = json.JSONDecoder(strict=False)


@dataclass(slots=True)
class Items:
    """What a document holds: its records as (begin, end), its other values, and where it stopped making sense."""

    spans: list[tuple[int, int]] = field(default_factory=list)
    head: dict[str, object] = field(default_factory=dict)
    damage: int | None = None


def scan_items(text: str, key: str | None) -> Items:
    """The records of a document: the elements of its array, or of the array under the top-level `key`.

    Without `key` (and for an object) the document itself is the only record.
    """
    found, start = Items(), _skip(text, 0)
    try:
        if text.startswith("[", start):
            end = _array(text, start, found)
        elif key is None:
            end = _DECODER.raw_decode(text, start)[1]
            found.spans.append((start, end))
        else:
            end = _object(text, start, key, found)
        if _skip(text, end) < len(text):
            found.damage = _skip(text, end)
    except _Damage as damage:
        found.damage = damage.position
    except (ValueError, RecursionError):
        found.damage = start
    return found


class _Damage(Exception):
    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


def _skip(text: str, position: int) -> int:
    found = _BLANK.match(text, position)
    return found.end() if found else position


def _value(text: str, position: int) -> tuple[object, int]:
    try:
        value, end = _DECODER.raw_decode(text, position)
    except (ValueError, RecursionError) as error:
        raise _Damage(position) from error
    return value, end


def _array(text: str, start: int, found: Items) -> int:
    """Elements from '[' on; answers where the array ends."""
    position = _skip(text, start + 1)
    while not text.startswith("]", position):
        _, end = _value(text, position)
        found.spans.append((position, end))
        position = _skip(text, end)
        if text.startswith(",", position):
            position = _skip(text, position + 1)
        elif not text.startswith("]", position):
            raise _Damage(position)
    return position + 1


def _object(text: str, start: int, key: str, found: Items) -> int:
    """Members from '{' on; the array under `key` is taken element by element."""
    if not text.startswith("{", start):
        raise _Damage(start)
    position = _skip(text, start + 1)
    while not text.startswith("}", position):
        name, end = _value(text, position)
        position = _skip(text, end)
        if not isinstance(name, str) or not text.startswith(":", position):
            raise _Damage(position)
        position = _skip(text, position + 1)
        if name == key and text.startswith("[", position):
            position = _array(text, position, found)
        else:
            found.head[name], position = _value(text, position)
        position = _skip(text, position)
        if text.startswith(",", position):
            position = _skip(text, position + 1)
        elif not text.startswith("}", position):
            raise _Damage(position)
    return position + 1


class ItemReader(Protocol):
    """A record reader that is told of the document first, and of its end."""

    def begin(self, head: Mapping[str, object], at: At, rows: Rows) -> None: ...

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome: ...

    def finish(self, rows: Rows) -> None: ...


@dataclass(frozen=True, slots=True)
class ItemsReader:
    """Reads a document's records one by one; one that cannot be understood costs itself."""

    reader: ItemReader
    key: str | None

    def read(self, document: Text, rows: Rows) -> At | None:
        found = scan_items(document.text, self.key)
        self.reader.begin(found.head, document.at(0), rows)
        for start, end in found.spans:
            try:
                self.reader.read(document.text[start:end].encode("utf-8", "replace"), document.at(start), rows)
            except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
                continue
        self.reader.finish(rows)
        return None if found.damage is None else document.at(found.damage)


def items_parser(info: SourceInfo, reader: ItemReader, key: str | None = None) -> DocumentParser:
    """A parser of documents with records under `key` (None: the document is an array or a single record)."""
    return DocumentParser(info, ItemsReader(reader, key))


@dataclass(slots=True)
class AutoParser:
    """Records as JSON lines, or the same records in one document: the first line decides."""

    info: SourceInfo
    reader: ItemReader
    key: str | None = None
    _inner: JsonlParser | DocumentParser | None = None

    def feed(self, chunk: Chunk) -> Parsed:
        if self._inner is None:
            lines = _is_line(chunk.data)
            self._inner = (
                JsonlParser(self.info, self.reader) if lines else items_parser(self.info, self.reader, self.key)
            )
        return self._inner.feed(chunk)


def _is_line(data: bytes) -> bool:
    """Whether the first line that is not blank is a whole JSON object, or no JSON at all."""
    first = data.lstrip(b"\xef\xbb\xbf \t\r\n").split(b"\n", 1)[0].strip()
    if first.startswith(b"["):
        return False
    try:
        return not isinstance(msgspec.json.decode(first), list)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return not first.startswith(b"{")


def _are_lines(begin: bytes) -> bool:
    """Whether a second JSON object follows on the next line."""
    first, newline, rest = begin.partition(b"\n")
    return bool(newline) and first.rstrip().endswith(b"}") and rest.lstrip().startswith(b"{")


def document_objects(head: bytes, key: str | None = None, limit: int = 20) -> list[dict[str, object]]:
    """The first whole records of a document's head, for recognition; the document itself comes first if it has `key`.

    A head is cut anywhere: what was read before the cut counts.
    """
    begin = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not begin.startswith((b"[", b"{")) or _are_lines(begin):
        return []
    text = begin.decode("utf-8", "replace")
    found = scan_items(text, key or _NO_KEY)
    values: list[object] = [found.head] if found.head else []
    for start, end in found.spans[:limit]:
        values.append(_DECODER.raw_decode(text[start:end])[0])
    return [value for value in values if isinstance(value, dict)]


def first_object(head: bytes, key: str | None = None) -> dict[str, object]:
    """The document that begins here as far as it is whole (without the records under `key`); empty for other files."""
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return {}
    return next(iter(document_objects(head, key, 1)), {})
