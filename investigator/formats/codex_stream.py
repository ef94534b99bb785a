"""Output of `codex exec --json`. agent-logs.md §4; verified: 0.169.0. It has no times; the rollout has the calls."""

from __future__ import annotations

import re
from dataclasses import dataclass

from investigator.formats.agent_errors import classify, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.codex import cut_by_length
from investigator.formats.dig import text_at
from investigator.formats.jsonl import JsonlParser, Noise, Outcome, Unknown, head_objects
from investigator.formats.mapping_columns import record_of
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import NO_STAMP

_RETRY = re.compile(r"^Reconnecting\.\.\. (\d+)/\d+(?: \((.+)\))?$", re.S)
_PREFIXES = ("thread.", "turn.", "item.")


@dataclass(slots=True)
class CodexStreamReader:
    """Remembers the thread and the last error: a turn's end repeats it."""

    thread_id: str | None = None
    last_error: str | None = None

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        record = record_of(raw)
        if record is None:
            return Unknown("no object")
        kind = text_at(record, "type") or ""
        match kind:
            case "thread.started":
                self.thread_id = text_at(record, "thread_id")
                rows.add("agent_session", at, NO_STAMP, agent="codex", session_id=self.thread_id)
            case "turn.started" | "turn.completed":
                event = "start" if kind == "turn.started" else "end"
                rows.add("agent_run", at, NO_STAMP, agent="codex", session_id=self.thread_id, event=event)
            case "turn.failed":
                rows.add("agent_run", at, NO_STAMP, agent="codex", session_id=self.thread_id, event="error")
                self._error(text_at(record, "error.message"), at, rows)
            case "error":
                self._trouble(text_at(record, "message") or "", at, rows)
            case _ if kind.startswith(_PREFIXES):
                return Noise(kind[:60])
            case _:
                return Unknown(f"type {kind[:40]}")
        return None

    def _trouble(self, text: str, at: At, rows: Rows) -> None:
        found = _RETRY.match(text)
        if found is None:
            self._error(text, at, rows)
            return
        facts = error_cells(classify(found[2]), found[2]) if found[2] else {}
        kept = {key: facts[key] for key in ("error_class", "error_text", "http_status") if key in facts}
        about = {"agent": "codex", "session_id": self.thread_id, "event": "error", "attempt": int(found[1])}
        rows.add("agent_http", at, NO_STAMP, **about, **kept)

    def _error(self, text: str | None, at: At, rows: Rows) -> None:
        if not text or text == self.last_error or cut_by_length(text):
            return
        self.last_error, facts = text, classify(text)
        cells = {**error_cells(facts, text), "limit_s": facts.limit_s}
        rows.add("agent_error", at, NO_STAMP, agent="codex", session_id=self.thread_id, **cells)


@dataclass(frozen=True, slots=True)
class CodexStreamFormat:
    id: str = "codex-stream"
    title: str = "Codex CLI, output of codex exec --json"
    side: Side = "agent"
    versions: str = "Codex CLI 0.46-0.169"

    def recognise(self, head: bytes, path: str) -> float:
        records = head_objects(head, 20)
        if not records or "thread_id" not in records[0] or records[0].get("type") != "thread.started":
            return 0.0
        mine = sum(1 for r in records if r.get("type") == "error" or str(r.get("type")).startswith(_PREFIXES))
        return 0.95 * mine / len(records)

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, CodexStreamReader())
