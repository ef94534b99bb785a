"""The shared base of formats whose unit is the whole file: configuration, descriptions, small snapshots."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Protocol

from investigator.formats.base import Parsed, SourceInfo
from investigator.formats.jsonl import Account, Noise, Outcome, Unknown, evidence_frame, located, raw_lines
from investigator.formats.masking import MASK
from investigator.formats.rows import At, Rows
from investigator.sources.chunks import Chunk

#: A description longer than this is none; it is counted as not understood instead of being held in memory.
MAX_BYTES = 64 * 1024 * 1024

#: A secret's name whose value does not begin on its line, or begins there with a scheme only.
_OPEN_SECRET = re.compile(
    rb"""(?ix) (?:api[-_]?key|secret|passw(?:or)?d|authorization|credential|private[-_]?key|token) ["']?\s*[:=]\s*
    (?: [>|][-+\d]* | ["']?(?:bearer|basic) )? \s*$"""
)
_MASKED = MASK.encode()


@dataclass(frozen=True, slots=True)
class Text:
    """A whole document: its text, and where each of its characters and lines stands."""

    text: str
    line_starts: list[int]
    places: list[At]

    @classmethod
    def of(cls, places: list[At], lines: list[bytes]) -> Text:
        decoded = [line.decode("utf-8", "replace") for line in lines]
        starts = list(accumulate((len(line) + 1 for line in decoded), initial=0))[:-1]
        return cls("\n".join(decoded), starts or [0], places)

    def at(self, position: int) -> At:
        """The line on which this character stands."""
        return self.places[max(0, bisect_right(self.line_starts, position) - 1)]

    def lines(self) -> list[tuple[At, str]]:
        """Each line with its place."""
        return list(zip(self.places, self.text.split("\n"), strict=True)) if self.places else []


class DocumentReader(Protocol):
    """Understands a whole document: adds facts, and answers from which line on it understood nothing (None: all)."""

    def read(self, document: Text, rows: Rows) -> At | None: ...


@dataclass(slots=True)
class DocumentParser:
    """Collects the chunks of a document and reads it at the end.

    The lines are counted in the last chunk's account. Lines with a fact are facts; the other lines of an understood
    document are noise of the kind 'document'; what follows damage is unrecognised.
    """

    info: SourceInfo
    reader: DocumentReader
    _places: list[At] = field(default_factory=list)
    _lines: list[bytes] = field(default_factory=list)
    _size: int = 0

    def feed(self, chunk: Chunk) -> Parsed:
        lines = raw_lines(chunk.data)
        self._places += [at for at, _ in located(lines, chunk.first_line_no, chunk.byte_offset)]
        self._lines += lines
        self._size += len(chunk.data)
        rows, account = Rows(self.info.source_id), Account()
        if not chunk.last:
            return account.parsed(rows, evidence_frame(set(), [], 1), len(chunk.data))
        damage = self._read(rows)
        first = self._places[0].line_no if self._places else 1
        for at, raw in zip(self._places, self._lines, strict=True):
            account.settle(_outcome(at, raw, rows, damage), at, raw)
        return account.parsed(
            rows, evidence_frame(rows.kept_lines, without_spread_secrets(self._lines), first), len(chunk.data)
        )

    def _read(self, rows: Rows) -> At | None:
        if not self._places:
            return None
        if self._size > MAX_BYTES:
            return self._places[0]
        return self.reader.read(Text.of(self._places, self._lines), rows)


def without_spread_secrets(lines: list[bytes]) -> list[bytes]:
    """The lines, those masked that only go on with a secret whose name stands on a line above.

    YAML folds a long value, and writes a key of many lines as a block: nothing in such a line tells what it is.
    """
    if not any(_OPEN_SECRET.search(line) for line in lines):
        return lines
    shown, depth = list[bytes](), -1
    for line in lines:
        indent = len(line) - len(line.lstrip())
        inside = depth >= 0 and (indent > depth or not line.strip())
        shown.append(_MASKED if inside and line.strip() else line)
        if not inside:
            depth = indent if _OPEN_SECRET.search(line) else -1
    return shown


def _outcome(at: At, raw: bytes, rows: Rows, damage: At | None) -> Outcome:
    if rows.has(at):
        return None
    if not raw.strip():
        return Noise("blank")
    return Unknown("after damage in the document") if damage and at.line_no >= damage.line_no else Noise("document")
