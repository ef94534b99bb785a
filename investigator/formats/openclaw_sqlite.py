"""OpenClaw's agent database (openclaw-agent.sqlite, from 2026.8): its events are pi entries. agent-logs.md §1.3."""

from __future__ import annotations

from dataclasses import dataclass

import zstandard

from investigator.formats.base import Side, SourceInfo
from investigator.formats.jsonl import Outcome, Unknown
from investigator.formats.pi_session import PiSessionReader
from investigator.formats.rows import At, Rows
from investigator.formats.sqlite_rows import SqliteParser, names_in, read_query

_ZSTD = b"\x28\xb5\x2f\xfd"
_EVENT_BYTES = 4 * 1024 * 1024
#: A row's text, or its compressed form.
_QUERY = read_query("openclaw_sqlite")


@dataclass(slots=True)
class TranscriptReader:
    """Reads the sessions of a database one after the other; each begins with its head record."""

    entries: PiSessionReader

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        if raw.startswith(_ZSTD):
            try:
                raw = zstandard.ZstdDecompressor().decompress(raw, max_output_size=_EVENT_BYTES)
            except zstandard.ZstdError:
                return Unknown("compressed event that cannot be read")
        return self.entries.read(raw, at, rows)


@dataclass(frozen=True, slots=True)
class OpenClawSqliteFormat:
    id: str = "openclaw-sqlite"
    title: str = "OpenClaw, agent database"
    side: Side = "agent"
    versions: str = "OpenClaw 2026.8-2026.9"

    def recognise(self, head: bytes, path: str) -> float:
        named = path.endswith(("openclaw-agent.sqlite", "openclaw-agent.sqlite.gz"))
        return 0.95 if names_in(head, b"transcript_events") else 0.6 if named and names_in(head) else 0.0

    def parser(self, info: SourceInfo) -> SqliteParser:
        return SqliteParser(info, TranscriptReader(PiSessionReader("openclaw", None)), _QUERY, ("transcript_events",))
