"""Claude Code's debug log (`~/.claude/debug/…`): attempts, idle limits, the window it plans for. agent-logs.md §3."""

from __future__ import annotations

import re
from dataclasses import dataclass

from investigator.formats.agent_errors import classify, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.jsonl import JsonlParser, Noise, Outcome
from investigator.formats.masking import masked
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import Stamp, iso_stamp

_LINE = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+Z) \[(DEBUG|INFO|WARN|ERROR)\] (.*)", re.S)
_ATTEMPT = re.compile(r"API error \(attempt (\d+)/\d+\): (.*)", re.S)
_IDLE = re.compile(r"Streaming idle timeout\b.*", re.S)
_WINDOW = re.compile(r"autocompact: .*\beffectiveWindow=(\d{1,12})")


class ClaudeDebugReader:
    """Attempts that failed become steps of HTTP requests: the session file has the errors themselves."""

    line_local = True

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        found = _LINE.match(raw.decode("utf-8", "replace"))
        if found is None:
            return Noise("further line of a message")
        stamp, level, text = iso_stamp(found.group(1)), found.group(2), found.group(3)
        if attempt := _ATTEMPT.match(text):
            cells = error_cells(classify(attempt.group(2)), attempt.group(2))
            http = {key: cells[key] for key in ("error_class", "error_text", "http_status")}
            number = int(attempt.group(1)[:4])
            rows.add("agent_http", at, stamp, agent="claude-code", event="error", attempt=number, **http)
            return None
        if _IDLE.match(text):
            facts = classify(text)
            cells = {"error_class": facts.error_class, "error_text": masked(text[:600]), "limit_s": facts.limit_s}
            rows.add("agent_http", at, stamp, agent="claude-code", event="timeout", **cells)
            return None
        if window := _WINDOW.match(text):
            _window(window.group(1), stamp, at, rows)
            return None
        if level in ("WARN", "ERROR"):
            rows.add("notice", at, stamp, level=level, origin="claude-code", message=masked(text[:600]))
            return None
        return Noise("debug message")


def _window(tokens: str, stamp: Stamp, at: At, rows: Rows) -> None:
    rows.add(
        "agent_config",
        at,
        stamp,
        agent="claude-code",
        setting="context_window_tokens",
        key="effectiveWindow",
        value=tokens,
        value_num=int(tokens),
    )


@dataclass(frozen=True, slots=True)
class ClaudeDebugFormat:
    id: str = "claude-debug"
    title: str = "Claude Code, debug log"
    side: Side = "agent"
    versions: str = "Claude Code 2.0-2.1"

    def recognise(self, head: bytes, path: str) -> float:
        text = head.decode("utf-8", "replace")
        lines = [line for line in text.splitlines()[:40] if line.strip()]
        mine = sum(1 for line in lines if _LINE.match(line))
        own = "claude" in text.lower()
        return 0.9 * mine / len(lines) if lines and own else 0.0

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, ClaudeDebugReader())
