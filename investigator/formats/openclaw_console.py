"""OpenClaw's console (stderr, journald): `[subsystem] message`, with a time or without. agent-logs.md §1.1.

The messages are those of the gateway log; openclaw_log.yaml says what they mean.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from investigator.formats.base import Side, SourceInfo
from investigator.formats.jsonl import JsonlParser, Noise, Outcome, Unknown
from investigator.formats.openclaw_log import read_message
from investigator.formats.openclaw_records import LogRecord
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import iso_stamp

_LINE = re.compile(
    r"(?:(?P<stamp>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))\s+|\d\d:\d\d:\d\d\s+)?"
    r"(?:(?P<level>DEBUG|INFO|WARN|ERROR)\s+)?\[(?P<subsystem>[a-z][\w/.-]{2,40})\] (?P<text>.*)$",
    re.S,
)
#: Subsystems that only OpenClaw has.
_TELLING = frozenset(
    {
        *("agent/embedded", "model-fallback", "provider-transport-fetch", "gateway/ws", "gateway/reload"),
        *("session-sqlite", "compaction-safeguard", "agents/harness", "diagnostic"),
    }
)


@dataclass(slots=True)
class ConsoleReader:
    """Remembers whether a message is open: further lines (a stack, a list) belong to it."""

    open: bool = False

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        found = _LINE.match(raw.decode("utf-8", "replace"))
        if found is None:
            return Noise("further line of a message") if self.open else Unknown("line without a subsystem")
        self.open = True
        level, stamp = found["level"] or "INFO", iso_stamp(found["stamp"])
        text, subsystem = found["text"], found["subsystem"]
        outcome = read_message(LogRecord(subsystem, text, {}, level, stamp), at, rows)
        return Noise("console message") if isinstance(outcome, Unknown) else outcome


@dataclass(frozen=True, slots=True)
class OpenClawConsoleFormat:
    id: str = "openclaw-console"
    title: str = "OpenClaw, console output"
    side: Side = "agent"
    versions: str = "OpenClaw 2026.1-2026.9"

    def recognise(self, head: bytes, path: str) -> float:
        lines = [line for line in head.decode("utf-8", "replace").splitlines()[:60] if line.strip()]
        found = [match for line in lines if (match := _LINE.match(line))]
        telling = any(match["subsystem"] in _TELLING for match in found)
        return 0.9 if telling and lines and _LINE.match(lines[0]) else 0.0

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, ConsoleReader())
