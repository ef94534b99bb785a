"""Cline CLI's session files `<id>.messages.json` and `<id>.json`. agent-logs.md §6; verified: 3.0.65.

`cline.log` tells the same calls with their start; correlate counts a call that several files tell once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from investigator.formats.agent_errors import classify_best, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.dig import list_at, number_at, text_at, text_of
from investigator.formats.document import DocumentParser
from investigator.formats.json_items import first_object, items_parser
from investigator.formats.jsonl import Noise, Outcome, Unknown
from investigator.formats.mapping_columns import record_of
from investigator.formats.masking import masked
from investigator.formats.prompts import add_prompt
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import Stamp, epoch_stamp, iso_stamp


@dataclass(slots=True)
class ClineMessagesReader:
    """One call per answer that has tokens; an error is told by a message that was only displayed."""

    session_id: str | None = None

    def begin(self, head: Mapping[str, object], at: At, rows: Rows) -> None:
        self.session_id = text_at(head, "sessionId", "session_id")
        version = text_at(head, "origin.version")
        stamp = iso_stamp(text_at(head, "updated_at"))
        rows.add("agent_session", at, stamp, agent="cline", agent_version=version, session_id=self.session_id)

    def finish(self, rows: Rows) -> None:
        """Nothing is left to tell."""

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        record = record_of(raw)
        if record is None:
            return Unknown("no message")
        stamp, text = epoch_stamp(number_at(record, "ts")), text_of(record.get("content"))
        if record.get("role") == "user":
            tool = any(text_at(part, "type") == "tool_result" for part in list_at(record, "content"))
            about = {"session_id": self.session_id, "record_id": text_at(record, "id")}
            add_prompt(rows, at, stamp, text, agent="cline", role="tool" if tool else "user", **about)
            return None
        if text_at(record, "metadata.displayRole") == "error":
            self._failed(record, text, stamp, at, rows)
            return None
        prompt = number_at(record, "metrics.inputTokens")
        if not prompt:
            return Noise("answer without tokens")
        rows.add(
            "agent_call",
            at,
            stamp,
            **self._common(record),
            record_id=text_at(record, "id"),
            ended_at=stamp.at,
            input_tokens=prompt,
            output_tokens=number_at(record, "metrics.outputTokens"),
            cache_read_tokens=number_at(record, "metrics.cacheReadTokens"),
        )
        return None

    def _common(self, record: Mapping[str, object]) -> dict[str, object]:
        return {
            "agent": "cline",
            "session_id": self.session_id,
            "provider": text_at(record, "modelInfo.provider"),
            "model": text_at(record, "modelInfo.id"),
        }

    def _failed(self, record: Mapping[str, object], text: str, stamp: Stamp, at: At, rows: Rows) -> None:
        facts = classify_best(text)
        cells = {**error_cells(facts, text), "limit_s": facts.limit_s}
        rows.add("agent_error", at, stamp, **self._common(record), **cells)


@dataclass(frozen=True, slots=True)
class ClineMessagesFormat:
    id: str = "cline-messages"
    title: str = "Cline CLI, session messages (<id>.messages.json)"
    side: Side = "agent"
    versions: str = "Cline CLI 3.x"

    def recognise(self, head: bytes, path: str) -> float:
        first = first_object(head, "messages")
        session = "sessionId" in first and "origin" in first and b'"messages"' in head
        return 0.95 if session else 0.0

    def parser(self, info: SourceInfo) -> DocumentParser:
        return items_parser(info, ClineMessagesReader(), "messages")


@dataclass(frozen=True, slots=True)
class ClineSessionReader:
    """The head of a session: who, when, with which model, how it ended."""

    def begin(self, head: Mapping[str, object], at: At, rows: Rows) -> None:
        """Without a key the document is one record."""

    def finish(self, rows: Rows) -> None:
        """Nothing is left to tell."""

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        record = record_of(raw) or {}
        begin, end = iso_stamp(text_at(record, "started_at")), iso_stamp(text_at(record, "ended_at"))
        session = text_at(record, "session_id")
        version = text_at(record, "metadata.sessionHistoryOrigin.version")
        rows.add("agent_session", at, begin, agent="cline", agent_version=version, session_id=session)
        model = text_at(record, "model")
        about = {"agent": "cline", "session_id": session, "provider": text_at(record, "provider"), "model": model}
        if end.at is not None:
            length = (end.at - begin.at).total_seconds() if begin.at else None
            event = "error" if record.get("status") == "failed" else "end"
            rows.add("agent_run", at, end, **about, event=event, duration_s=length)
        if model is not None:
            who = {"agent": "cline", "provider": about["provider"], "model": model}
            rows.add("agent_config", at, begin, **who, setting="default_model", key="model", value=masked(model))
        return None


@dataclass(frozen=True, slots=True)
class ClineSessionFormat:
    id: str = "cline-session"
    title: str = "Cline CLI, session (<id>.json)"
    side: Side = "agent"
    versions: str = "Cline CLI 3.x"

    def recognise(self, head: bytes, path: str) -> float:
        record = first_object(head)
        wanted = {"session_id", "started_at", "status", "provider", "model", "interactive"}
        return 0.95 if wanted <= record.keys() else 0.0

    def parser(self, info: SourceInfo) -> DocumentParser:
        return items_parser(info, ClineSessionReader())
