"""Codex CLI's rollout files (`~/.codex/sessions/…/rollout-….jsonl`). agent-logs.md §4; verified: 0.169.0.

A turn may hold several calls; the file tells their token counts, and start, end and first token of the turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from investigator.formats.agent_errors import classify, error_cells
from investigator.formats.base import Side, SourceInfo
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
    cli_version: str | None = None
    model: str | None = None
    model_provider: str | None = None
    turn_id: str | None = None
    model_context_window: int | None = None
    info: _Info | None = None
    message: Any = None
    error: Any = None
    started_at: float | None = None
    completed_at: float | None = None
    duration_ms: float | None = None
    time_to_first_token_ms: float | None = None


class _Record(msgspec.Struct):
    type: str
    timestamp: str | None = None
    payload: msgspec.Raw = msgspec.Raw(b"{}")


_RECORD = msgspec.json.Decoder(_Record)
_PAYLOAD = msgspec.json.Decoder(_Payload)


@dataclass(slots=True)
class CodexReader:
    """Remembers session, model and the last tokens of the turn that runs."""

    session_id: str | None = None
    provider: str | None = None
    model: str | None = None
    usage: _Usage | None = None

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        record = _RECORD.decode(raw)
        if record.type not in _TYPES and record.type != "token_usage_record":
            return Unknown(f"type {record.type[:40]}")
        if record.type in ("response_item", "world_state", "token_usage_record"):
            return Noise(record.type)
        payload, stamp = _PAYLOAD.decode(bytes(record.payload)), iso_stamp(record.timestamp)
        if record.type == "session_meta":
            self.session_id, self.provider = payload.id, payload.model_provider
            rows.add(
                "agent_session", at, stamp, agent="codex", agent_version=payload.cli_version, session_id=payload.id
            )
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
                self.usage = payload.info.last_token_usage
                return Noise("token_count")
            case "task_complete":
                self._completed(payload, stamp, at, rows)
            case "error" | "stream_error":
                self._error(str(payload.message or ""), stamp, at, rows)
            case kind:
                return Noise(f"event {kind}"[:60])
        return None

    def _started(self, payload: _Payload, stamp: Stamp, at: At, rows: Rows) -> None:
        common = {"session_id": self.session_id, "run_id": payload.turn_id}
        rows.add("agent_run", at, stamp, agent="codex", event="start", **common)
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

    def _completed(self, payload: _Payload, stamp: Stamp, at: At, rows: Rows) -> None:
        usage, error = self.usage or _Usage(), payload.error
        text = str(error.get("message") or "") if isinstance(error, dict) else ""
        first = payload.time_to_first_token_ms
        rows.add(
            "agent_call",
            at,
            stamp,
            agent="codex",
            session_id=self.session_id,
            run_id=payload.turn_id,
            provider=self.provider,
            model=self.model,
            api="openai-responses",
            started_at=epoch_time(payload.started_at),
            ended_at=stamp.at,
            start_basis="measured" if payload.started_at else None,
            first_token_s=first / 1000 if first is not None and not error else None,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cached_input_tokens,
            finish_reason="error" if error else "stop",
            **(error_cells(classify(text), text) if error else {}),
        )
        self.usage = None

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
        mine = [r for r in records if r.get("type") in _TYPES and isinstance(r.get("payload"), dict)]
        return 0.95 * len(mine) / len(records) if records else 0.0

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, CodexReader())
