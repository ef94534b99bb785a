"""Claude Code, session files (`~/.claude/projects/…/<session>.jsonl`). agent-logs.md §3; verified 2.0.76, 2.1.330."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import msgspec

from investigator.formats.agent_errors import classify_best, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.jsonl import JsonlParser, Noise, Outcome, Unknown, head_objects
from investigator.formats.pi_records import text_hash
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import Stamp, iso_stamp

#: Records that say nothing about a call.
_QUIET = frozenset(
    {
        *(
            "summary",
            "queue-operation",
            "last-prompt",
            "cost-state",
            "atis-latch",
            "mode",
            "permission-mode",
            "progress",
        ),
        *("api-request-shape", "api-request-blob", "attachment", "file-history-snapshot", "ai-title", "custom-title"),
        *("agent-name", "tag", "pr-link"),
    }
)
_TYPES = _QUIET | {"user", "assistant", "system", "api-request"}
_SYNTHETIC = "<synthetic>"
_FINISH = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls"}


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None

    def prompt_tokens(self) -> int | None:
        parts = (self.input_tokens, self.cache_creation_input_tokens, self.cache_read_input_tokens)
        return sum(part or 0 for part in parts) or None


class _Block(msgspec.Struct):
    type: str | None = None
    text: str | None = None
    content: Any = None


class _Message(msgspec.Struct):
    id: str | None = None
    role: str | None = None
    model: str | None = None
    content: str | list[_Block] | None = None
    usage: _Usage | None = None
    stop_reason: str | None = None

    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(block.text or _tool_text(block.content) for block in self.content)
        return self.content or ""

    def role_in_prompt(self) -> str:
        results = isinstance(self.content, list) and any(block.type == "tool_result" for block in self.content)
        return "tool" if results else self.role or "user"


class _Connection(msgspec.Struct):
    code: str | None = None
    message: str | None = None


class _Error(msgspec.Struct):
    message: str | None = None
    formatted: str | None = None
    status: int | None = None
    connection: _Connection | None = None


class _Compact(msgspec.Struct):
    trigger: str | None = None
    preTokens: int | None = None
    postTokens: int | None = None


class _Params(msgspec.Struct):
    model: str | None = None
    max_tokens: int | None = None


class _Record(msgspec.Struct):
    type: str
    subtype: str | None = None
    uuid: str | None = None
    id: str | None = None
    timestamp: str | None = None
    sessionId: str | None = None
    version: Any = None
    message: msgspec.Raw = msgspec.Raw(b"null")
    error: msgspec.Raw = msgspec.Raw(b"null")
    isApiErrorMessage: bool | None = None
    requestedModel: str | None = None
    compactMetadata: _Compact | None = None
    retryAttempt: int | None = None
    params: _Params | None = None


_RECORD = msgspec.json.Decoder(_Record)
_MESSAGE = msgspec.json.Decoder(_Message | None)
_ERROR = msgspec.json.Decoder(_Error | str | None)


def _tool_text(content: Any) -> str:
    if isinstance(content, str):
        return content
    texts = [part.get("text") for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    return "".join(text for text in texts if isinstance(text, str))


@dataclass(slots=True)
class ClaudeCodeReader:
    """Remembers the session, the first request since the last answer, and the time of the record before."""

    session_id: str | None
    announced: set[str] = field(default_factory=set)
    requested_at: datetime | None = None
    attempt_at: datetime | None = None
    model: str | None = None
    max_tokens: int | None = None
    previous: datetime | None = None
    answered: str | None = None

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        record = _RECORD.decode(raw)
        stamp = iso_stamp(record.timestamp)
        self._session(record, stamp, at, rows)
        match record.type:
            case "user":
                self._prompt(record, stamp, at, rows)
            case "assistant":
                return self._answer(record, stamp, at, rows)
            case "api-request":
                self._request(record, stamp, at, rows)
            case "system":
                return self._system(record, stamp, at, rows)
            case kind if kind in _QUIET:
                return Noise(kind)
            case kind:
                return Unknown(f"type {kind[:40]}")
        return None

    def _session(self, record: _Record, stamp: Stamp, at: At, rows: Rows) -> None:
        """A session has no head record: its first record with an id announces it."""
        session = record.sessionId
        if session is None or session in self.announced:
            return
        self.announced.add(session)
        self.session_id = session
        version = record.version if isinstance(record.version, str) else None
        rows.add("agent_session", at, stamp, agent="claude-code", agent_version=version, session_id=session)

    def _prompt(self, record: _Record, stamp: Stamp, at: At, rows: Rows) -> None:
        message = _MESSAGE.decode(bytes(record.message)) or _Message()
        text = message.text()
        rows.add(
            "agent_prompt",
            at,
            stamp,
            agent="claude-code",
            session_id=record.sessionId or self.session_id,
            record_id=record.uuid,
            role=message.role_in_prompt(),
            text_chars=len(text),
            text_hash=text_hash(text),
        )
        self.previous = stamp.at or self.previous

    def _request(self, record: _Record, stamp: Stamp, at: At, rows: Rows) -> None:
        params = record.params or _Params()
        self.requested_at = self.requested_at or stamp.at
        self.attempt_at = stamp.at
        self.model, self.max_tokens = params.model or self.model, params.max_tokens
        rows.add(
            "agent_http",
            at,
            stamp,
            agent="claude-code",
            session_id=record.sessionId or self.session_id,
            event="start",
            model=params.model,
            api="anthropic-messages",
            trace_id=record.id,
        )

    def _answer(self, record: _Record, stamp: Stamp, at: At, rows: Rows) -> Outcome:
        message = _MESSAGE.decode(bytes(record.message)) or _Message()
        if message.id is not None and message.id == self.answered:
            return Noise("further part of an answer")
        self.answered = message.id
        failed = bool(record.isApiErrorMessage)
        if message.model == _SYNTHETIC and not failed:
            return Noise("message of the agent itself")
        usage, text = message.usage or _Usage(), message.text()
        started = self.requested_at or self.previous
        rows.add(
            "agent_call",
            at,
            stamp,
            agent="claude-code",
            session_id=record.sessionId or self.session_id,
            record_id=message.id or record.uuid,
            model=(self.model if message.model == _SYNTHETIC else None) or record.requestedModel or message.model,
            api="anthropic-messages",
            started_at=started,
            ended_at=stamp.at,
            start_basis=None if started is None else "measured" if self.requested_at else "derived",
            input_tokens=usage.prompt_tokens(),
            output_tokens=None if failed else usage.output_tokens,
            cache_read_tokens=None if failed else usage.cache_read_input_tokens,
            max_output_tokens=self.max_tokens,
            finish_reason="error" if failed else _FINISH.get(message.stop_reason or "", message.stop_reason),
            **(error_cells(classify_best(text), text) if failed else {}),
        )
        self.requested_at, self.previous = None, stamp.at or self.previous
        return None

    def _system(self, record: _Record, stamp: Stamp, at: At, rows: Rows) -> Outcome:
        if record.subtype == "api_error":
            self._failed_attempt(record, stamp, at, rows)
            return None
        if record.subtype == "compact_boundary":
            compact = record.compactMetadata or _Compact()
            rows.add(
                "compaction",
                at,
                stamp,
                agent="claude-code",
                session_id=record.sessionId or self.session_id,
                tokens_before=compact.preTokens,
                tokens_after=compact.postTokens,
                trigger=compact.trigger,
            )
            return None
        return Noise(f"system {record.subtype or ''}".strip()[:60])

    def _failed_attempt(self, record: _Record, stamp: Stamp, at: At, rows: Rows) -> None:
        """One request that failed and is tried again."""
        error = _ERROR.decode(bytes(record.error))
        error = _Error(message=error) if isinstance(error, str) else error or _Error()
        connection = error.connection or _Connection()
        facts = classify_best(error.message, error.formatted, connection.code, connection.message)
        cells = error_cells(facts, error.message or error.formatted)
        cells["http_status"] = error.status or cells["http_status"]
        common = {"agent": "claude-code", "session_id": record.sessionId or self.session_id, "model": self.model}
        rows.add("agent_error", at, stamp, **common, **cells, limit_s=facts.limit_s)
        elapsed = (stamp.at - self.attempt_at).total_seconds() if stamp.at and self.attempt_at else None
        http = {key: cells[key] for key in ("error_class", "error_text", "http_status")}
        rows.add(
            "agent_http", at, stamp, **common, **http, event="error", elapsed_s=elapsed, attempt=record.retryAttempt
        )


@dataclass(frozen=True, slots=True)
class ClaudeCodeFormat:
    id: str = "claude-code"
    title: str = "Claude Code, session file"
    side: Side = "agent"
    versions: str = "Claude Code 2.0-2.1"

    def recognise(self, head: bytes, path: str) -> float:
        records = head_objects(head, 20)
        mine = [r for r in records if "sessionId" in r and r.get("type") in _TYPES and _claude(r)]
        return 0.95 * len(mine) / len(records) if records else 0.0

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, ClaudeCodeReader(PurePosixPath(info.path).stem))


def _claude(record: dict[str, object]) -> bool:
    """Qwen Code writes records of the same outline, with `parts` and its own `provenance`."""
    if record.get("type") in ("user", "assistant", "system"):
        message = record.get("message")
        parts = isinstance(message, dict) and "parts" in message
        return "parentUuid" in record and not parts and "provenance" not in record and "isSidechain" in record
    return True
