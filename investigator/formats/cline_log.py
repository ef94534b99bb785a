"""Cline CLI's log (`~/.cline/data/logs/cline.log`, pino JSON lines). agent-logs.md §6; verified: 3.0.65."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from investigator.formats.agent_errors import classify, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.jsonl import JsonlParser, Noise, Outcome, head_objects
from investigator.formats.masking import masked
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import Stamp, iso_stamp

_WARN = 40


class _Properties(msgspec.Struct):
    sessionId: str | None = None
    ulid: str | None = None
    runId: str | None = None
    provider: str | None = None
    model: str | None = None
    durationMs: float | None = None
    eventType: str | None = None
    status: str | None = None
    tokensIn: int | None = None
    tokensOut: int | None = None
    cacheReadTokens: int | None = None
    cacheWriteTokens: int | None = None


class _Line(msgspec.Struct):
    msg: str
    level: int | None = None
    time: str | None = None
    event: str | None = None
    properties: _Properties = msgspec.field(default_factory=_Properties)
    runId: str | None = None
    errorMessage: str | None = None
    err: Any = None


_LINE = msgspec.json.Decoder(_Line)
_RUN = {"agent.run-started": "start", "agent.run-finished": "end", "agent.run-failed": "error"}


@dataclass(slots=True)
class _Request:
    """A request that is under way."""

    started: Stamp
    properties: _Properties
    first_token_s: float | None = None


@dataclass(slots=True)
class ClineLogReader:
    """Remembers the request under way: its end is told by the tokens of the answer, or by the loop's error."""

    request: _Request | None = None
    sessions: set[str] = field(default_factory=set)

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        line = _LINE.decode(raw)
        stamp = iso_stamp(line.time)
        if line.event is not None:
            return self._event(line.event, line.properties, stamp, at, rows)
        if line.msg == "Agent loop caught error":
            self._failed(line, stamp, at, rows)
            return None
        if line.msg in ("Agent run failed", "[ai-sdk] stream error"):
            return Noise("error that is told again")
        if (line.level or 0) >= _WARN:
            rows.add("notice", at, stamp, level=str(line.level), origin="cline", message=masked(line.msg[:600]))
            return None
        return Noise("log")

    def _event(self, event: str, about: _Properties, stamp: Stamp, at: At, rows: Rows) -> Outcome:
        if event == "task.provider_request_started":
            self.request = _Request(stamp, about)
            self._started(about, stamp, at, rows)
            return None
        if event == "task.first_chunk_received" and self.request and about.eventType != "finish":
            self.request.first_token_s = _seconds_between(self.request.started.at, stamp.at)
            return Noise("first chunk")
        if event == "task.tokens":
            self._answered(about, stamp, at, rows)
            return None
        if event in _RUN:
            rows.add(
                "agent_run", at, stamp, agent="cline", session_id=about.sessionId, run_id=about.runId, event=_RUN[event]
            )
            return None
        return Noise(f"event {event[:40]}")

    def _started(self, about: _Properties, stamp: Stamp, at: At, rows: Rows) -> None:
        session = about.sessionId
        if session is not None and session not in self.sessions:
            self.sessions.add(session)
            rows.add("agent_session", at, stamp, agent="cline", session_id=session)
        rows.add(
            "agent_http",
            at,
            stamp,
            agent="cline",
            session_id=session,
            run_id=about.runId,
            event="start",
            provider=about.provider,
            model=about.model,
        )

    def _answered(self, about: _Properties, stamp: Stamp, at: At, rows: Rows) -> None:
        parts = (about.tokensIn, about.cacheReadTokens, about.cacheWriteTokens)
        tokens = {
            "input_tokens": sum(part or 0 for part in parts) or None,
            "output_tokens": about.tokensOut,
            "cache_read_tokens": about.cacheReadTokens,
        }
        self._call({**self._common(about), **tokens}, stamp, at, rows)

    def _failed(self, line: _Line, stamp: Stamp, at: At, rows: Rows) -> None:
        text = line.errorMessage or ""
        cells = {**self._common(_Properties(runId=line.runId)), **error_cells(classify(text), text)}
        self._call({**cells, "finish_reason": "error"}, stamp, at, rows)

    def _common(self, about: _Properties) -> dict[str, object]:
        known = self.request.properties if self.request else about
        return {
            "session_id": known.sessionId or about.ulid,
            "run_id": known.runId or about.runId,
            "provider": known.provider or about.provider,
            "model": known.model or about.model,
        }

    def _call(self, cells: dict[str, object], stamp: Stamp, at: At, rows: Rows) -> None:
        request, self.request = self.request, None
        rows.add(
            "agent_call",
            at,
            stamp,
            agent="cline",
            started_at=request.started.at if request else None,
            ended_at=stamp.at,
            start_basis="measured" if request else None,
            first_token_s=request.first_token_s if request else None,
            **cells,
        )


def _seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start and end else None


@dataclass(frozen=True, slots=True)
class ClineLogFormat:
    id: str = "cline-log"
    title: str = "Cline CLI, log"
    side: Side = "agent"
    versions: str = "Cline CLI 3.x"

    def recognise(self, head: bytes, path: str) -> float:
        records = head_objects(head, 20)
        mine = sum(1 for record in records if str(record.get("name", "")).startswith("cline.") and "msg" in record)
        return 0.95 * mine / len(records) if records else 0.0

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, ClineLogReader())
