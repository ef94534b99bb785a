"""Crush's database (`.crush/crush.db`): one row per message; an assistant's message is a call. agent-logs.md §11.

Tokens are only kept as running totals of the session, so a call has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from investigator.formats.agent_errors import classify_best, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.dig import list_at, number_at, object_at, text_at
from investigator.formats.jsonl import Noise, Outcome, Unknown
from investigator.formats.mapping_columns import record_of
from investigator.formats.prompts import add_prompt
from investigator.formats.rows import At, Rows
from investigator.formats.sqlite_rows import SqliteParser, names_in, read_query
from investigator.formats.stamps import Stamp, epoch_stamp

_QUERY = read_query("crush_sqlite")
_FINISH = {
    "end_turn": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "canceled": "aborted",
    "error": "error",
}


class CrushReader:
    """Each row stands for itself."""

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        record = record_of(raw)
        if record is None:
            return Unknown("no row")
        start, end = epoch_stamp(number_at(record, "created")), epoch_stamp(number_at(record, "finished"))
        parts = list_at(record, "parts")
        match record.get("role"):
            case "user" | "tool" as role:
                text = "".join(text_at(part, "data.text", "data.content") or "" for part in parts)
                about = {"session_id": text_at(record, "session"), "record_id": text_at(record, "id")}
                add_prompt(rows, at, start, text, agent="crush", role=str(role), **about)
                return None
            case "assistant":
                self._call(record, parts, start, end, at, rows)
                return None
        return Noise(f"message of {str(record.get('role'))[:30]}")

    def _call(
        self, record: Mapping[str, object], parts: list[object], start: Stamp, end: Stamp, at: At, rows: Rows
    ) -> None:
        last = next((part for part in reversed(parts) if text_at(part, "type") == "finish"), None)
        finish = object_at(last, "data")
        reason = text_at(finish, "reason")
        told, detail = text_at(finish, "message"), text_at(finish, "details")
        text = ": ".join(part for part in (told, detail) if part) or reason
        done = end if end.at else epoch_stamp(number_at(finish, "time"))
        failed = reason in ("error", "canceled")
        rows.add(
            "agent_call",
            at,
            done if done.at else start,
            agent="crush",
            session_id=text_at(record, "session"),
            record_id=text_at(record, "id"),
            provider=text_at(record, "provider"),
            model=text_at(record, "model"),
            started_at=start.at,
            ended_at=done.at,
            start_basis="measured" if start.at else None,
            finish_reason=_FINISH.get(reason or "", reason),
            **(error_cells(classify_best(text, detail, told), text) if failed else {}),
        )
        if record.get("summary") in (1, True):
            rows.add("compaction", at, start, agent="crush", session_id=text_at(record, "session"), trigger="summary")


@dataclass(frozen=True, slots=True)
class CrushSqliteFormat:
    id: str = "crush-sqlite"
    title: str = "Crush, database (crush.db)"
    side: Side = "agent"
    versions: str = "Crush 0.20-0.90"

    def recognise(self, head: bytes, path: str) -> float:
        mine = names_in(head, b"messages", b"sessions") and b"is_summary_message" in head
        return 0.95 if mine and b"finished_at" in head else 0.0

    def parser(self, info: SourceInfo) -> SqliteParser:
        return SqliteParser(info, CrushReader(), _QUERY, ("messages", "sessions"))
