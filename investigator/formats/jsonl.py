"""The shared base of all JSON-lines formats: split lines, let a reader understand each, keep the account of lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
import polars as pl

from investigator.formats.base import Parsed, SourceInfo
from investigator.formats.common import EVIDENCE_SCHEMA, NEIGHBOURS, account, unrecognised_frame
from investigator.formats.masking import excerpt
from investigator.formats.rows import At, Rows
from investigator.sources.chunks import Chunk


@dataclass(frozen=True, slots=True)
class Noise:
    """An understood record that says nothing about a call; `kind` names it."""

    kind: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A record that is not understood; `shape` groups equal ones (a record type, a kind of damage)."""

    shape: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """A line of another program."""


#: What became of a record that yielded no fact; None when facts were added.
Outcome = Noise | Unknown | Foreign | None


class RecordReader(Protocol):
    """Understands one line: adds facts to `rows`, or says what the line is instead.

    May raise `msgspec.MsgspecError` (also `RecursionError`, `UnicodeDecodeError`) for a line that cannot be decoded.
    """

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome: ...


@dataclass(slots=True)
class Account:
    """Every line is a fact, noise, foreign or unrecognised: counted here, one by one."""

    fact_lines: int = 0
    foreign_lines: int = 0
    noise: Counter[str] = field(default_factory=Counter)
    unrecognised: list[tuple[int, int, str, str]] = field(default_factory=list)

    def settle(self, outcome: Outcome, at: At, raw: bytes) -> None:
        """Count one line."""
        match outcome:
            case None:
                self.fact_lines += 1
            case Noise(kind):
                self.noise[kind] += 1
            case Foreign():
                self.foreign_lines += 1
            case Unknown(shape):
                self.unrecognised.append((at.line_no, at.byte_offset, shape, excerpt(raw)))

    def parsed(self, rows: Rows, evidence: pl.DataFrame, consumed_bytes: int) -> Parsed:
        """The account with the facts collected so far."""
        return account(
            rows.frames(),
            fact_lines=self.fact_lines,
            noise=self.noise,
            foreign_lines=self.foreign_lines,
            unrecognised=unrecognised_frame(self.unrecognised),
            evidence=evidence,
            consumed_bytes=consumed_bytes,
        )


def raw_lines(data: bytes) -> list[bytes]:
    """The lines of `data` without their newline; an unfinished last line counts, an empty rest does not."""
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return lines


def located(lines: list[bytes], first_line_no: int, byte_offset: int) -> Iterator[tuple[At, bytes]]:
    """Each line with where it stands."""
    for line_no, raw in enumerate(lines, first_line_no):
        yield At(line_no, byte_offset), raw
        byte_offset += len(raw) + 1


def evidence_frame(kept: set[int], lines: list[bytes], first_line_no: int) -> pl.DataFrame:
    """The kept lines of a chunk with their neighbours, masked and cut."""
    last = first_line_no + len(lines) - 1
    wanted = sorted(
        {n for line in kept for n in range(max(first_line_no, line - NEIGHBOURS), min(last, line + NEIGHBOURS) + 1)}
    )
    return pl.DataFrame(
        {"line_no": wanted, "text": [excerpt(lines[n - first_line_no]) for n in wanted]}, schema=EVIDENCE_SCHEMA
    )


@dataclass(slots=True)
class JsonlParser:
    """Parser of a JSON-lines stream. What a reader remembers between lines (a session's id) is the reader's."""

    info: SourceInfo
    reader: RecordReader

    @property
    def line_local(self) -> bool:
        """Does the reader remember nothing? (`formats.resume`)"""
        return bool(getattr(self.reader, "line_local", False))

    def feed(self, chunk: Chunk) -> Parsed:
        rows, lines_read = Rows(self.info.source_id), Account()
        lines = raw_lines(chunk.data)
        unfinished = chunk.last and not chunk.data.endswith(b"\n")
        for at, raw in located(lines, chunk.first_line_no, chunk.byte_offset):
            half = unfinished and at.line_no == chunk.first_line_no + len(lines) - 1
            lines_read.settle(self._read(raw, at, rows, half), at, raw)
        evidence = evidence_frame(rows.kept_lines, lines, chunk.first_line_no)
        return lines_read.parsed(rows, evidence, len(chunk.data))

    def _read(self, raw: bytes, at: At, rows: Rows, half: bool) -> Outcome:
        text = raw.strip()
        if not text:
            return Noise("blank")
        before = rows.added
        try:
            outcome = self.reader.read(text, at, rows)
        except msgspec.ValidationError:
            outcome = Unknown("fields of another type than known")
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            outcome = Unknown("half-written last line" if half else "not JSON")
        return None if rows.added > before else outcome or Noise("understood, nothing to keep")


def head_objects(head: bytes, limit: int = 50) -> list[dict[str, object]]:
    """The JSON objects among the first lines of `head`; a cut last line and other text are left out."""
    found: list[dict[str, object]] = []
    for raw in head.split(b"\n", limit)[:limit]:
        if raw.lstrip().startswith(b"{"):
            try:
                value = msgspec.json.decode(raw)
            except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
                continue
            found.append(value)
    return found
