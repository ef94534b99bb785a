"""OpenCode's log (logfmt lines, `~/.local/share/opencode/log/*.log`). agent-logs.md §5; verified: 1.18.33."""

from __future__ import annotations

import re
from dataclasses import dataclass

from investigator.formats.agent_errors import classify, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.jsonl import JsonlParser, Noise, Outcome
from investigator.formats.masking import masked
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import Stamp, iso_stamp

_PAIR = re.compile(r'([A-Za-z_][\w.-]*)=("(?:[^"\\]|\\.)*"|\S*)')
_LINE = re.compile(rb"timestamp=\d{4}-\d\d-\d\dT\S+ level=[A-Z]+ run=\w+ message=")
_LOUD = frozenset({"WARN", "ERROR", "FATAL"})


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


class OpenCodeLogReader:
    """Each attempt begins with `message=stream`; a failed one ends with `message="stream error"`."""

    line_local = True

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        text = raw.decode("utf-8", "replace")
        if not text.startswith("timestamp="):
            return Noise("text between log lines")
        fields = logfmt(text)
        stamp, message = iso_stamp(fields.get("timestamp")), fields.get("message", "")
        common = {"agent": "opencode", "session_id": fields.get("session.id"), "run_id": fields.get("run")}
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
            rows.add("notice", at, stamp, level=fields["level"], origin="opencode", message=masked(text[:600]))
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

    def recognise(self, head: bytes, path: str) -> float:
        lines = [line for line in head.split(b"\n")[:30] if line.strip()]
        mine = sum(1 for line in lines if _LINE.match(line))
        return 0.95 * mine / len(lines) if lines else 0.0

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, OpenCodeLogReader())
