"""Codex CLI's rollout files (`~/.codex/sessions/…/rollout-….jsonl`). agent-logs.md §4; verified: 0.169.0.

A turn may hold several calls. Each answer leaves a record of its tokens, written at its end; a call begins with its
turn or with the last result of a tool before it. What failed is told by the turn's end only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from investigator.formats.agent_errors import ErrorFacts, classify, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.dig import text_at
from investigator.formats.jsonl import JsonlParser, Noise, Outcome, Unknown, head_objects
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import Stamp, epoch_time, iso_stamp

_TYPES = frozenset({"session_meta", "turn_context", "response_item", "event_msg", "compacted", "world_state"})


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    output_tokens: int | None = None


class _Info(msgspec.Struct):
    last_token_usage: _Usage | None = None
    model_context_window: int | None = None


class _Payload(msgspec.Struct):
    type: str | None = None
    id: str | None = None
    forked_from_id: str | None = None
    parent_thread_id: str | None = None
    cli_version: str | None = None
    model: str | None = None
    model_provider: str | None = None
    turn_id: str | None = None
    model_context_window: int | None = None
    info: _Info | None = None
    message: Any = None
    reason: str | None = None
    error: Any = None
    started_at: float | None = None
    completed_at: float | None = None
    duration_ms: float | None = None
    time_to_first_token_ms: float | None = None


class _Record(msgspec.Struct):
    type: str
    timestamp: str | None = None
    payload: msgspec.Raw = msgspec.Raw(b"{}")


#: How an answer that reached the limit of its length (response.incomplete) is told.
_CUT = re.compile(r"(?i)incomplete response returned, reason: max_output_tokens")

_RECORD = msgspec.json.Decoder(_Record)
_PAYLOAD = msgspec.json.Decoder(_Payload)


class _Kind(msgspec.Struct):
    type: str | None = None


_KIND = msgspec.json.Decoder(_Kind)
#: Items that the agent adds itself: what comes after them is a new call.
_RESULTS = ("function_call_output", "custom_tool_call_output", "local_shell_call_output")


def cut_by_length(text: str) -> bool:
    """Whether what Codex calls an error is an answer that was cut by its limit of tokens."""
    return _CUT.search(text) is not None


@dataclass(slots=True)
class CodexReader:
    """Remembers session and model, and of the turn that runs where its present call began and how many it had."""

    session_id: str | None = None
    provider: str | None = None
    model: str | None = None
    turn_id: str | None = None
    since: datetime | None = None
    answers: int = 0

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        record = _RECORD.decode(raw)
        if record.type not in _TYPES and record.type != "token_usage_record":
            return Unknown(f"type {record.type[:40]}")
        stamp = iso_stamp(record.timestamp)
        if record.type in ("response_item", "world_state", "token_usage_record"):
            if record.type == "response_item" and _KIND.decode(record.payload).type in _RESULTS:
                self.since = stamp.at or self.since
            return Noise(record.type)
        payload = _PAYLOAD.decode(record.payload)
        if record.type == "session_meta":
            # A fork repeats the head of the session that it began with.
            parent = payload.forked_from_id or payload.parent_thread_id
            if self.session_id is not None:
                return Noise("head of another session")
            self.session_id, self.provider = payload.id, payload.model_provider
            about = {"agent_version": payload.cli_version, "session_id": payload.id, "parent_session_id": parent}
            rows.add("agent_session", at, stamp, agent="codex", **about)
            return None
        if record.type == "turn_context":
            self.model = payload.model or self.model
            return Noise("turn_context")
        if record.type == "compacted":
            rows.add("compaction", at, stamp, agent="codex", session_id=self.session_id)
            return None
        return self._event(payload, stamp, at, rows)

    def _event(self, payload: _Payload, stamp: Stamp, at: At, rows: Rows) -> Outcome:
        match payload.type:
            case "task_started":
                self._started(payload, stamp, at, rows)
            case "token_count":
                if payload.info is None:
                    common = {"agent": "codex", "session_id": self.session_id, "model": self.model}
                    rows.add("agent_http", at, stamp, **common, event="error")
                    return None
                return self._answer(payload.info.last_token_usage or _Usage(), stamp, at, rows)
            case "task_complete" | "turn_aborted":
                return self._completed(payload, stamp, at, rows)
            case "context_compacted":
                return Noise("context_compacted")
            case "error" | "stream_error":
                self._error(str(payload.message or ""), stamp, at, rows)
            case kind:
                return Noise(f"event {kind}"[:60])
        return None

    def _started(self, payload: _Payload, stamp: Stamp, at: At, rows: Rows) -> None:
        self.turn_id, self.since, self.answers = payload.turn_id, stamp.at, 0
        common = {"session_id": self.session_id, "run_id": payload.turn_id}
        rows.add("agent_run", at, stamp, agent="codex", event="start", **common)
        # A turn without an end (Codex waits for ever when nothing listens) shows as a request that stayed open.
        about = {**common, "provider": self.provider, "model": self.model, "api": "openai-responses"}
        rows.add("agent_http", at, stamp, agent="codex", event="start", **about)
        if payload.model_context_window is not None:
            rows.add(
                "agent_config",
                at,
                stamp,
                agent="codex",
                provider=self.provider,
                model=self.model,
                setting="context_window_tokens",
                key="model_context_window",
                value=payload.model_context_window,
                value_num=payload.model_context_window,
            )

    def _answer(self, usage: _Usage, stamp: Stamp, at: At, rows: Rows) -> Outcome:
        """A count without tokens only repeats the limits of an account."""
        if not (usage.input_tokens or usage.output_tokens):
            return Noise("token_count")
        self._call(stamp, at, rows, usage, finish_reason="stop")
        self.answers, self.since = self.answers + 1, stamp.at or self.since
        return None

    def _call(self, stamp: Stamp, at: At, rows: Rows, usage: _Usage, **cells: object) -> None:
        rows.add(
            "agent_call",
            at,
            stamp,
            agent="codex",
            session_id=self.session_id,
            run_id=self.turn_id,
            record_id=f"{self.turn_id}/{self.answers}" if self.turn_id else None,
            provider=self.provider,
            model=self.model,
            api="openai-responses",
            started_at=self.since,
            ended_at=stamp.at,
            start_basis="measured" if self.since else None,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cached_input_tokens,
            **cells,
        )

    def _completed(self, payload: _Payload, stamp: Stamp, at: At, rows: Rows) -> Outcome:
        """The turn's end. Only its last call can have failed; an older file may tell no tokens of any."""
        error = payload.error
        text = str(error.get("message") or "") if isinstance(error, dict) else str(error or "")
        aborted = payload.type == "turn_aborted"
        self.turn_id = payload.turn_id or self.turn_id
        if self.since is None and payload.started_at is not None:
            self.since = epoch_time(payload.started_at)
        if cut_by_length(text):
            self._call(stamp, at, rows, _Usage(), finish_reason="length")
        elif error or aborted:
            facts = ErrorFacts("aborted") if aborted else classify(text)
            cells = error_cells(facts, text or payload.reason)
            self._call(stamp, at, rows, _Usage(), finish_reason="aborted" if aborted else "error", **cells)
        elif not self.answers:
            first = payload.time_to_first_token_ms
            seconds = None if first is None else first / 1000
            self._call(stamp, at, rows, _Usage(), finish_reason="stop", first_token_s=seconds)
        self._ended(payload, stamp, at, rows)
        return None

    def _ended(self, payload: _Payload, stamp: Stamp, at: At, rows: Rows) -> None:
        length = payload.duration_ms
        seconds = None if length is None else length / 1000
        about = {"session_id": self.session_id, "run_id": self.turn_id, "model": self.model}
        event = "error" if payload.error else "end"
        rows.add("agent_run", at, stamp, agent="codex", event=event, duration_s=seconds, **about)
        self.since, self.answers = None, 0

    def _error(self, text: str, stamp: Stamp, at: At, rows: Rows) -> None:
        error = classify(text)
        common = {"agent": "codex", "session_id": self.session_id, "model": self.model}
        rows.add("agent_error", at, stamp, **common, **error_cells(error, text), limit_s=error.limit_s)


@dataclass(frozen=True, slots=True)
class CodexFormat:
    id: str = "codex"
    title: str = "Codex CLI, rollout file"
    side: Side = "agent"
    versions: str = "Codex CLI 0.40-0.169"

    def recognise(self, head: bytes, path: str) -> float:
        records = head_objects(head, 20)
        mine = [r for r in records if text_at(r, "type") in _TYPES and isinstance(r.get("payload"), dict)]
        return 0.95 * len(mine) / len(records) if records else 0.0

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, CodexReader())
