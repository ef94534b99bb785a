"""Claude Code, session files (`~/.claude/projects/…/<session>.jsonl`). agent-logs.md §3; verified 2.0.76, 2.1.330."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

from investigator.formats.agent_errors import classify_best, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.claude_records import (
    Compact,
    Connection,
    Params,
    Record,
    Usage,
    decode_error,
    decode_message,
    decode_record,
)
from investigator.formats.dig import text_at
from investigator.formats.jsonl import JsonlParser, Noise, Outcome, Unknown, head_objects
from investigator.formats.prompts import measured
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
        record = decode_record(raw)
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

    def _session(self, record: Record, stamp: Stamp, at: At, rows: Rows) -> None:
        """A session has no head record: its first record with an id announces it."""
        session = record.sessionId
        if session is None or session in self.announced:
            return
        self.announced.add(session)
        self.session_id = session
        version = record.version if isinstance(record.version, str) else None
        rows.add("agent_session", at, stamp, agent="claude-code", agent_version=version, session_id=session)

    def _prompt(self, record: Record, stamp: Stamp, at: At, rows: Rows) -> None:
        message = decode_message(record)
        chars, digest = measured(message.texts())
        rows.add(
            "agent_prompt",
            at,
            stamp,
            agent="claude-code",
            session_id=record.sessionId or self.session_id,
            record_id=record.uuid,
            role=message.role_in_prompt(),
            text_chars=chars,
            text_hash=digest,
        )
        self.previous = stamp.at or self.previous

    def _request(self, record: Record, stamp: Stamp, at: At, rows: Rows) -> None:
        params = record.params or Params()
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

    def _answer(self, record: Record, stamp: Stamp, at: At, rows: Rows) -> Outcome:
        message = decode_message(record)
        if message.id is not None and message.id == self.answered:
            return Noise("further part of an answer")
        self.answered = message.id
        failed = bool(record.isApiErrorMessage)
        if message.model == _SYNTHETIC and not failed:
            return Noise("message of the agent itself")
        usage, text = message.usage or Usage(), message.text() if failed else ""
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
            # Before the end is known the count is message_start's placeholder.
            output_tokens=None if failed or message.stop_reason is None else usage.output_tokens,
            cache_read_tokens=None if failed else usage.cache_read_input_tokens,
            max_output_tokens=self.max_tokens,
            finish_reason="error" if failed else _FINISH.get(message.stop_reason or "", message.stop_reason),
            **(error_cells(classify_best(text), text) if failed else {}),
        )
        self.requested_at, self.previous = None, stamp.at or self.previous
        return None

    def _system(self, record: Record, stamp: Stamp, at: At, rows: Rows) -> Outcome:
        if record.subtype == "api_error":
            self._failed_attempt(record, stamp, at, rows)
            return None
        if record.subtype == "compact_boundary":
            compact = record.compactMetadata or Compact()
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

    def _failed_attempt(self, record: Record, stamp: Stamp, at: At, rows: Rows) -> None:
        """One request that failed and is tried again."""
        error = decode_error(record)
        connection = error.connection or Connection()
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
        mine = [r for r in records if "sessionId" in r and text_at(r, "type") in _TYPES and _claude(r)]
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
