"""Qwen Code's chat files (`~/.qwen/projects/…/chats/<session>.jsonl`). agent-logs.md §9; verified: 0.24.4."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import PurePosixPath

import msgspec

from investigator.formats.agent_errors import classify, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.dig import text_at
from investigator.formats.jsonl import JsonlParser, Noise, Outcome, Unknown, head_objects
from investigator.formats.prompts import measured
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import NO_STAMP, Stamp, iso_stamp

_TYPES = frozenset({"user", "assistant", "system", "tool_result"})


class _Event(msgspec.Struct, rename={"name": "event.name"}):
    name: str | None = None
    response_id: str | None = None
    model: str | None = None
    status_code: int | str | None = None
    duration_ms: float | None = None
    ttft_ms: float | None = None
    input_token_count: int | None = None
    output_token_count: int | None = None
    cached_content_token_count: int | None = None
    prompt_id: str | None = None
    auth_type: str | None = None
    error_message: str | None = None


class _System(msgspec.Struct):
    uiEvent: _Event | None = None


class _Part(msgspec.Struct):
    text: msgspec.Raw = msgspec.Raw(b"")


class _Message(msgspec.Struct):
    role: str | None = None
    parts: list[_Part] = msgspec.field(default_factory=list)


class _Record(msgspec.Struct):
    type: str
    uuid: str | None = None
    sessionId: str | None = None
    timestamp: str | None = None
    version: str | None = None
    subtype: str | None = None
    systemPayload: msgspec.Raw = msgspec.Raw(b"null")
    message: msgspec.Raw = msgspec.Raw(b"null")
    model: str | None = None
    usageMetadata: object = None


_RECORD = msgspec.json.Decoder(_Record)
_SYSTEM = msgspec.json.Decoder(_System | None)
_MESSAGE = msgspec.json.Decoder(_Message | None)


@dataclass(slots=True)
class QwenReader:
    """Calls are told by telemetry records, one per request and error, written at the request's end.

    An answer without its tokens and without such a record before it is what had come when the user ended the program.
    """

    session_id: str | None
    announced: set[str] = field(default_factory=set)
    asked: Stamp = NO_STAMP
    told: bool = False

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        record = _RECORD.decode(raw)
        stamp = iso_stamp(record.timestamp)
        if record.type not in _TYPES:
            return Unknown(f"type {record.type[:40]}")
        if record.sessionId and record.sessionId not in self.announced:
            self.announced.add(record.sessionId)
            self.session_id = record.sessionId
            version = {"agent_version": record.version, "session_id": record.sessionId}
            rows.add("agent_session", at, stamp, agent="qwen-code", **version)
        if record.type in ("user", "tool_result"):
            self.asked, self.told = stamp, False
            self._prompt(record, stamp, at, rows)
            return None
        if record.type == "assistant" and not self.told and record.usageMetadata is None and self.asked.at:
            self._open_call(record, stamp, at, rows)
            return None
        if record.subtype != "ui_telemetry":
            return Noise(f"{record.type} {record.subtype or ''}".strip()[:60])
        event = (_SYSTEM.decode(bytes(record.systemPayload)) or _System()).uiEvent or _Event()
        if event.name not in ("qwen-code.api_response", "qwen-code.api_error"):
            return Noise(f"telemetry {event.name}"[:60])
        self.told = True
        self._call(record, event, stamp, at, rows)
        return None

    def _open_call(self, record: _Record, stamp: Stamp, at: At, rows: Rows) -> None:
        rows.add(
            "agent_call",
            at,
            stamp,
            agent="qwen-code",
            session_id=self.session_id,
            record_id=record.uuid,
            model=record.model,
            started_at=self.asked.at,
            start_basis="derived",
        )

    def _prompt(self, record: _Record, stamp: Stamp, at: At, rows: Rows) -> None:
        message = _MESSAGE.decode(bytes(record.message)) or _Message()
        chars, digest = measured(part.text for part in message.parts)
        rows.add(
            "agent_prompt",
            at,
            stamp,
            agent="qwen-code",
            session_id=self.session_id,
            record_id=record.uuid,
            role="tool" if record.type == "tool_result" else "user",
            text_chars=chars,
            text_hash=digest,
        )

    def _call(self, record: _Record, event: _Event, stamp: Stamp, at: At, rows: Rows) -> None:
        failed = event.name == "qwen-code.api_error"
        text, error = event.error_message or "", classify(event.error_message or "")
        length = event.duration_ms if event.duration_ms is not None and 0 <= event.duration_ms < 1e10 else None
        start = stamp.at - timedelta(milliseconds=length) if stamp.at and length is not None else None
        rows.add(
            "agent_call",
            at,
            stamp,
            agent="qwen-code",
            session_id=self.session_id,
            run_id=event.prompt_id,
            record_id=event.response_id or record.uuid,
            model=event.model,
            api=event.auth_type,
            started_at=start,
            ended_at=stamp.at,
            start_basis="measured" if start else None,
            first_token_s=event.ttft_ms / 1000 if event.ttft_ms is not None else None,
            # Zeros stand for what no answer told, as when a stream was cut.
            input_tokens=event.input_token_count or None,
            output_tokens=event.output_token_count if event.input_token_count else None,
            cache_read_tokens=event.cached_content_token_count if event.input_token_count else None,
            finish_reason="error" if failed else None,
            **(error_cells(error, text) if failed else {}),
        )


@dataclass(frozen=True, slots=True)
class QwenCodeFormat:
    id: str = "qwen-code"
    title: str = "Qwen Code, chat file"
    side: Side = "agent"
    versions: str = "Qwen Code 0.20-0.24"

    def recognise(self, head: bytes, path: str) -> float:
        records = head_objects(head, 20)
        mine = [r for r in records if text_at(r, "type") in _TYPES and "sessionId" in r and _qwen(r)]
        return 0.95 * len(mine) / len(records) if records else 0.0

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, QwenReader(PurePosixPath(info.path).stem))


def _qwen(record: dict[str, object]) -> bool:
    message = record.get("message")
    parts = isinstance(message, dict) and "parts" in message
    return "parentUuid" in record and "isSidechain" not in record and (parts or "systemPayload" in record)
