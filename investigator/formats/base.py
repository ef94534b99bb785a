"""What a format is: it recognises a stream by its content and turns chunks of lines into facts.

A format works line by line and keeps no state between chunks other than what `Parser` says, so that facts do not depend
on how a file is cut. Times stay as printed (`stamp`, `stamp_kind`, `offset_s`); `correlate` turns them into UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import polars as pl

from investigator.sources.chunks import Chunk

Side = Literal["server", "agent", "snapshot"]


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a parser may know of the stream it reads.

    source_id: id made from the fingerprint. path: as shown to users, relative to the inputs' root, '/' separated.
    """

    source_id: int
    path: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """Facts of one chunk, and an account of every line: lines = facts + noise + foreign + unrecognised.

    facts: table of facts.yaml → frame with exactly that table's columns (`facts.polars_schema`).
    fact_lines: lines that became facts. noise: lines of known noise by kind. foreign_lines: lines of another program.
    unrecognised: frame (line_no Int32, byte_offset Int64, shape String, text String), one row per line not understood.
    evidence: frame (line_no Int32, text String): lines to keep verbatim, neighbours included.
    consumed_bytes: how far the chunk was read. A parser may leave an unfinished record at the chunk's end to the next
    chunk by consuming less than all; on the last chunk it must consume everything.
    """

    facts: Mapping[str, pl.DataFrame]
    lines: int
    fact_lines: int
    noise: Mapping[str, int]
    foreign_lines: int
    unrecognised: pl.DataFrame
    evidence: pl.DataFrame
    consumed_bytes: int


class Parser(Protocol):
    """Turns the chunks of one stream into facts, in order."""

    def feed(self, chunk: Chunk) -> Parsed: ...


@dataclass(frozen=True, slots=True)
class Begun:
    """A chunk whose records are told apart. consumed_bytes: as in `Parsed`, whose rest `finish` works out.

    `finish` may run in any thread, beside those of other chunks.
    """

    consumed_bytes: int
    finish: Callable[[], Parsed]


@runtime_checkable
class SteppedParser(Parser, Protocol):
    """A parser for which the next chunk can begin as soon as the records of this one are told apart."""

    def begin(self, chunk: Chunk) -> Begun: ...


class Format(Protocol):
    """One kind of file.

    `recognise` gets the first bytes (up to 64 KiB, decompressed, transport removed) and the path, and answers how sure
    it is: 0 not mine, 1 certain. Content decides; the path may only break ties (a JSON file named openclaw.json).
    """

    @property
    def id(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def side(self) -> Side: ...

    @property
    def versions(self) -> str: ...

    def recognise(self, head: bytes, path: str) -> float: ...

    def parser(self, info: SourceInfo) -> Parser: ...


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A kind of file that is known by name and not read (yet)."""

    id: str
    title: str
    literals: tuple[bytes, ...] = field(default=())
