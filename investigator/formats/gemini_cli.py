"""Gemini CLI's chats (`~/.gemini/tmp/…/chats/session-….jsonl`, older `.json`). agent-logs.md §10 (from source)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from investigator.formats.agent_errors import classify_best, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.dig import number_at, object_at, text_at, text_of
from investigator.formats.json_items import AutoParser, document_objects
from investigator.formats.jsonl import Noise, Outcome, Unknown, head_objects
from investigator.formats.mapping_columns import record_of
from investigator.formats.prompts import add_prompt
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import Stamp, iso_stamp

_TYPES = frozenset({"user", "gemini", "info", "error", "warning", "quit", "about", "tool_group", "compression"})


@dataclass(slots=True)
class GeminiReader:
    """Remembers the session; an answer's time is its end, its start is not written."""

    session_id: str | None
    model: str | None = None

    def begin(self, head: Mapping[str, object], at: At, rows: Rows) -> None:
        if "sessionId" in head:
            self._session(head, at, rows)

    def finish(self, rows: Rows) -> None:
        """Nothing is left to tell."""

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        record = record_of(raw)
        if record is None:
            return Unknown("no object")
        if "sessionId" in record and "projectHash" in record:
            self._session(record, at, rows)
            return None
        if "$set" in record or "$rewindTo" in record:
            return Noise("update of the head")
        stamp, text = iso_stamp(text_at(record, "timestamp")), text_of(record.get("content"))
        match text_at(record, "type"):
            case "user":
                about = {"session_id": self.session_id, "record_id": text_at(record, "id")}
                add_prompt(rows, at, stamp, text, agent="gemini-cli", role="user", **about)
            case "gemini":
                return self._answer(record, stamp, at, rows)
            case "error":
                facts = classify_best(text)
                who = {"agent": "gemini-cli", "session_id": self.session_id, "model": self.model}
                rows.add("agent_error", at, stamp, **who, **error_cells(facts, text), limit_s=facts.limit_s)
            case kind if kind in _TYPES:
                return Noise(str(kind))
            case kind:
                return Unknown(f"type {str(kind)[:40]}")
        return None

    def _session(self, head: Mapping[str, object], at: At, rows: Rows) -> None:
        self.session_id = text_at(head, "sessionId") or self.session_id
        stamp = iso_stamp(text_at(head, "startTime"))
        rows.add("agent_session", at, stamp, agent="gemini-cli", session_id=self.session_id)

    def _answer(self, record: Mapping[str, object], stamp: Stamp, at: At, rows: Rows) -> Outcome:
        self.model = text_at(record, "model") or self.model
        tokens = object_at(record, "tokens")
        if not tokens:
            return Noise("answer without tokens")
        rows.add(
            "agent_call",
            at,
            stamp,
            agent="gemini-cli",
            session_id=self.session_id,
            record_id=text_at(record, "id"),
            model=self.model,
            ended_at=stamp.at,
            input_tokens=number_at(tokens, "input") or None,
            output_tokens=number_at(tokens, "output"),
            cache_read_tokens=number_at(tokens, "cached"),
        )
        return None


@dataclass(frozen=True, slots=True)
class GeminiCliFormat:
    id: str = "gemini-cli"
    title: str = "Gemini CLI, chat file"
    side: Side = "agent"
    versions: str = "Gemini CLI 0.10-0.61"

    def recognise(self, head: bytes, path: str) -> float:
        records = document_objects(head, "messages") or head_objects(head, 20)
        begin = any("sessionId" in record and "projectHash" in record for record in records[:1])
        mine = sum(1 for r in records if text_at(r, "type") in _TYPES and {"id", "timestamp", "content"} <= r.keys())
        if not begin:
            return 0.0
        return 0.95 * (1 + mine) / len(records) if mine or len(records) == 1 else 0.5

    def parser(self, info: SourceInfo) -> AutoParser:
        return AutoParser(info, GeminiReader(PurePosixPath(info.path).stem), "messages")
