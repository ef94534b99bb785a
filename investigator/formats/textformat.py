"""What the formats of text server logs share: recognised by literals, read by the pattern engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from investigator.formats.base import Parser, Side, SourceInfo
from investigator.formats.textlog import TextLogParser, dispatchers_of
from investigator.formats.transport.cuts import WholeRecords


@dataclass(frozen=True, slots=True)
class TextFormat:
    """A format of the engine in `textlog`.

    pattern_files: in order of precedence. marks: literal → confidence if the head contains it. against: literals that
    another format owns; with one of them the claim is dropped.
    """

    id: str
    title: str
    versions: str
    pattern_files: tuple[str, ...]
    marks: Mapping[bytes, float]
    own_programs: str
    against: tuple[bytes, ...] = field(default=())
    side: Side = "server"

    def recognise(self, head: bytes, path: str) -> float:
        """The highest confidence among the marks found, a little more for each further mark."""
        if any(literal in head for literal in self.against):
            return 0.0
        found = sorted((sure for mark, sure in self.marks.items() if mark in head), reverse=True)
        return min(0.99, found[0] + 0.01 * (len(found) - 1)) if found else 0.0

    def parser(self, info: SourceInfo) -> Parser:
        return WholeRecords(TextLogParser(info, dispatchers_of(*self.pattern_files), self.own_programs))
