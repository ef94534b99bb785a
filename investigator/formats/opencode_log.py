"""OpenCode's log (logfmt lines, `~/.local/share/opencode/log/*.log`). agent-logs.md §5; verified: 1.18.33.

Kilo Code's CLI is made of OpenCode and writes the same lines (`~/.local/share/kilo/log/opencode.log`); verified: 7.7.9.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from investigator.formats.agent_errors import classify, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.jsonl import JsonlParser, Noise, Outcome
from investigator.formats.masking import masked
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import Stamp, iso_stamp

_PAIR = re.compile(r'([A-Za-z_][\w.-]*)=("(?:[^"\\]|\\.)*"|\S*)')
_LINE = re.compile(rb"timestamp=\d{4}-\d\d-\d\dT\S+ level=[A-Z]+ run=\w+ message=")
#: The agent's name in facts; `is_kilo` and the databases' formats use it too.
KILO = "kilo-code"
_KILO_PLACE = re.compile(rb"(?:\.config|share|state|cache)[/\\]kilo[/\\]")
_LOUD = frozenset({"WARN", "ERROR", "FATAL"})


def is_kilo(head: bytes, path: str) -> bool:
    """Whether a file that looks like one of OpenCode's is of Kilo Code, by the folders in it or its own place."""
    return any(_KILO_PLACE.search(text) for text in (head, path.encode("utf-8", "replace")))


def logfmt(text: str) -> dict[str, str]:
    """`key=value` pairs; quoted values without their quotes and escapes; a repeated key keeps its first value."""
    found: dict[str, str] = {}
    for key, value in _PAIR.findall(text):
        found.setdefault(key, _unquoted(value))
    return found


def _unquoted(value: str) -> str:
    if not value.startswith('"') or len(value) < 2:
        return value
    return value[1:-1].replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")


@dataclass(frozen=True, slots=True)
class OpenCodeLogReader:
    """Each attempt begins with `message=stream`; a failed one ends with `message="stream error"`."""

    line_local: ClassVar[bool] = True
    agent: str = "opencode"

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        text = raw.decode("utf-8", "replace")
        if not text.startswith("timestamp="):
            return Noise("text between log lines")
        fields = logfmt(text)
        stamp, message = iso_stamp(fields.get("timestamp")), fields.get("message", "")
        common = {"agent": self.agent, "session_id": fields.get("session.id"), "run_id": fields.get("run")}
        model = {"provider": fields.get("providerID"), "model": fields.get("modelID")}
        if message == "stream":
            rows.add("agent_http", at, stamp, **common, **model, event="start")
            return None
        if message == "stream error":
            _failed(fields.get("error.error") or fields.get("error", ""), {**common, **model}, stamp, at, rows)
            return None
        if message == "process" and fields.get("error"):
            rows.add("agent_run", at, stamp, **common, event="error")
            return None
        if fields.get("level") in _LOUD:
            rows.add("notice", at, stamp, level=fields["level"], origin=self.agent, message=masked(text[:600]))
            return None
        return Noise(f"log: {message[:40]}" if message else "log")


def _failed(text: str, common: dict[str, str | None], stamp: Stamp, at: At, rows: Rows) -> None:
    error = classify(text)
    cells = error_cells(error, text)
    rows.add("agent_error", at, stamp, **common, **cells, limit_s=error.limit_s)
    http = {key: cells[key] for key in ("error_class", "error_text", "http_status")}
    rows.add("agent_http", at, stamp, **common, **http, event="error", limit_s=error.limit_s)


@dataclass(frozen=True, slots=True)
class OpenCodeLogFormat:
    id: str = "opencode-log"
    title: str = "OpenCode, log"
    side: Side = "agent"
    versions: str = "OpenCode 1.2-1.18"
    agent: str = "opencode"

    def recognise(self, head: bytes, path: str) -> float:
        """Which of the two programs it was shows in its own folders, which the log's first lines name."""
        if (self.agent == KILO) != is_kilo(head, path):
            return 0.0
        lines = [line for line in head.split(b"\n")[:30] if line.strip()]
        mine = sum(1 for line in lines if _LINE.match(line))
        return 0.95 * mine / len(lines) if lines else 0.0

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, OpenCodeLogReader(self.agent))


KILO_LOG = OpenCodeLogFormat("kilo-log", "Kilo Code CLI, log", versions="Kilo Code CLI 7.7", agent=KILO)
