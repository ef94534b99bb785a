"""Output of `claude -p --output-format stream-json` (or json). agent-logs.md §3; verified: 2.1.330.

Answers carry the ids and times of the session file's records, so that a call told by both counts once. The last record
tells the window that the agent believed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from investigator.formats.agent_errors import classify, classify_best, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.dig import number_at, object_at, sum_at, text_at, text_of
from investigator.formats.jsonl import JsonlParser, Noise, Outcome, Unknown, head_objects
from investigator.formats.mapping_columns import record_of
from investigator.formats.qwen_stream import names_qwen
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import NO_STAMP, Stamp, iso_stamp

_SYNTHETIC = "<synthetic>"
_FINISH = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls"}
#: What a retry's record says instead of a text.
_RETRY_TEXTS = {"overloaded": "server_error", "server_error": "server_error", "rate_limit": "rate limit"}


@dataclass(slots=True)
class ClaudeStreamReader:
    """Remembers the session's model and the last answer's id (an answer comes in parts)."""

    session_id: str | None = None
    model: str | None = None
    answered: str | None = None
    previous: datetime | None = None

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        record = record_of(raw)
        if record is None:
            return Unknown("no object")
        self.session_id = text_at(record, "session_id") or self.session_id
        stamp = iso_stamp(text_at(record, "timestamp"))
        match record.get("type"):
            case "system":
                return self._system(record, stamp, at, rows)
            case "assistant":
                return self._answer(record, stamp, at, rows)
            case "result":
                self._result(record, at, rows)
            case "user":
                self.previous = stamp.at or self.previous
                return Noise("prompt or tool result")
            case "stream_event" | "tool_progress" | "auth_status" | "rate_limit_event" as kind:
                return Noise(str(kind))
            case kind:
                return Unknown(f"type {str(kind)[:40]}")
        return None

    def _who(self) -> dict[str, object]:
        return {"agent": "claude-code", "session_id": self.session_id}

    def _system(self, record: Mapping[str, object], stamp: Stamp, at: At, rows: Rows) -> Outcome:
        subtype = text_at(record, "subtype") or ""
        if subtype == "init":
            self.model = text_at(record, "model")
            version = text_at(record, "claude_code_version")
            rows.add("agent_session", at, stamp, **self._who(), agent_version=version)
            return None
        if subtype == "api_retry":
            self._retry(record, stamp, at, rows)
            return None
        if subtype == "compact_boundary":
            about = object_at(record, "compact_metadata") or object_at(record, "compactMetadata")
            rows.add(
                "compaction",
                at,
                stamp,
                **self._who(),
                tokens_before=number_at(about, "pre_tokens", "preTokens"),
                tokens_after=number_at(about, "post_tokens", "postTokens"),
                trigger=text_at(about, "trigger"),
            )
            return None
        return Noise(f"system {subtype}"[:60])

    def _retry(self, record: Mapping[str, object], stamp: Stamp, at: At, rows: Rows) -> None:
        """A request failed and is made again; the record has no time, and often no word on what went wrong."""
        told = text_at(record, "error")
        text = None if told == "unknown" else _RETRY_TEXTS.get(told or "", told)
        rows.add(
            "agent_http",
            at,
            stamp,
            **self._who(),
            event="error",
            model=self.model,
            api="anthropic-messages",
            http_status=number_at(record, "error_status"),
            attempt=number_at(record, "attempt"),
            error_class=classify(text).error_class if text else None,
            error_text=told,
        )

    def _answer(self, record: Mapping[str, object], stamp: Stamp, at: At, rows: Rows) -> Outcome:
        message = object_at(record, "message")
        identity = text_at(message, "id") or text_at(record, "uuid")
        failed = record.get("is_api_error_message") is True or record.get("isApiErrorMessage") is True
        if identity is not None and identity == self.answered:
            return Noise("further part of an answer")
        self.answered = identity
        model = text_at(message, "model")
        if model == _SYNTHETIC and not failed:
            return Noise("message of the agent itself")
        text, reason = text_of(message.get("content")), text_at(message, "stop_reason")
        usage = object_at(message, "usage")
        rows.add(
            "agent_call",
            at,
            stamp,
            **self._who(),
            record_id=identity,
            model=self.model if model == _SYNTHETIC else model,
            api="anthropic-messages",
            started_at=self.previous,
            start_basis="derived" if self.previous else None,
            ended_at=stamp.at,
            input_tokens=sum_at(usage, "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"),
            # Before the end is known the count is message_start's placeholder.
            output_tokens=None if failed or reason is None else number_at(usage, "output_tokens"),
            cache_read_tokens=None if failed else number_at(usage, "cache_read_input_tokens"),
            finish_reason="error" if failed else _FINISH.get(reason or "", reason),
            **(error_cells(classify_best(text, text_at(record, "api_error")), text) if failed else {}),
        )
        self.previous = stamp.at or self.previous
        return None

    def _result(self, record: Mapping[str, object], at: At, rows: Rows) -> None:
        """The end of the run: how long it took, and for each model the window that it was planned for."""
        length = number_at(record, "duration_ms")
        seconds = None if length is None else length / 1000
        event = "error" if record.get("is_error") is True else "end"
        rows.add("agent_run", at, NO_STAMP, **self._who(), event=event, duration_s=seconds, model=self.model)
        for model, use in sorted(object_at(record, "modelUsage").items()):
            for key, setting in (("contextWindow", "context_window_tokens"), ("maxOutputTokens", "max_output_tokens")):
                value = number_at(use, key)
                if value:
                    about = {"agent": "claude-code", "model": model, "setting": setting, "value": str(value)}
                    written = f"modelUsage.{model}.{key}"
                    rows.add("agent_config", at, NO_STAMP, key=written, value_num=value, **about)


@dataclass(frozen=True, slots=True)
class ClaudeStreamFormat:
    id: str = "claude-stream"
    title: str = "Claude Code, output of --output-format stream-json"
    side: Side = "agent"
    versions: str = "Claude Code 2.0-2.1"

    def recognise(self, head: bytes, path: str) -> float:
        records = [] if names_qwen(head) else head_objects(head, 20)
        mine = sum(1 for record in records if _is_mine(record))
        return 0.95 * mine / len(records) if records else 0.0

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, ClaudeStreamReader())


def _is_mine(record: Mapping[str, object]) -> bool:
    """Session files name their session `sessionId`; the stream writes `session_id`."""
    if not isinstance(record.get("session_id"), str) or "uuid" not in record:
        return False
    kind = record.get("type")
    if kind == "result":
        return "duration_ms" in record
    return kind in ("assistant", "user", "stream_event") or (kind == "system" and "subtype" in record)
