"""Goose's database (`sessions.db`, 1.10+): messages and what each session used. agent-logs.md §12 (from source).

A message's time is in seconds. Up to 1.4x it is the message's end, and tokens of a call are kept for the session's last
call only; since then (1.52 was run) it is the answer's first part, and the metadata tell the call's tokens and times.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from investigator.formats.agent_errors import classify_best, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.dig import dig, number_at, text_at, text_of
from investigator.formats.jsonl import Noise, Outcome, Unknown
from investigator.formats.mapping_columns import record_of
from investigator.formats.prompts import add_prompt
from investigator.formats.rows import At, Rows
from investigator.formats.sqlite_rows import SqliteParser, names_in, read_query
from investigator.formats.stamps import Stamp, epoch_stamp

_QUERY = read_query("goose_sqlite")
#: The words with which it puts a request's error into its own answer (crates/goose/src/agents/agent.rs).
_ERROR = re.compile(
    r"^\s*(?:Ran into this error(?: trying to compact)?|Error|Network error): (.+?)(?:\.?\s*\n\n|\.?\s*$)", re.S
)
_COMPACTED = "conversation has been compacted"


@dataclass(slots=True)
class GooseReader:
    """Remembers which sessions were told; an answer is a call whose start is the message before it."""

    announced: set[str] = field(default_factory=set)
    previous: dict[str, Stamp] = field(default_factory=dict)

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        record = record_of(raw)
        if record is None:
            return Unknown("no row")
        session, stamp = text_at(record, "session") or "", epoch_stamp(number_at(record, "created"))
        if session not in self.announced:
            self.announced.add(session)
            rows.add("agent_session", at, stamp, agent="goose", session_id=session or None)
            _settings(record, at, rows)
        role, text = text_at(record, "role"), text_of(record.get("content"))
        before, self.previous[session] = self.previous.get(session), stamp
        if role == "user":
            about = {"session_id": session, "record_id": text_at(record, "id"), "tokens": number_at(record, "tokens")}
            add_prompt(rows, at, stamp, text, agent="goose", role="user", **about)
            if dig(record, "metadata.agentVisible") is False:
                return Noise("message left out of prompts")
            return None
        if role != "assistant":
            return Noise(f"message of {str(role)[:30]}")
        if _COMPACTED in text[:400].lower():
            rows.add("compaction", at, stamp, agent="goose", session_id=session)
            return None
        start, end = _span(record, stamp, before)
        rows.add(
            "agent_call",
            at,
            stamp,
            agent="goose",
            session_id=session,
            **_ending(record, text),
            record_id=text_at(record, "id"),
            provider=text_at(record, "metadata.inference.provider", "provider"),
            model=text_at(record, "metadata.inference.requestedModel", "config.model_name"),
            started_at=start,
            ended_at=end,
            start_basis="derived" if start else None,
            first_token_s=_seconds(record, "metadata.usage.timeToFirstTokenMs"),
            input_tokens=number_at(record, "metadata.usage.inputTokens") or None,
            output_tokens=number_at(record, "metadata.usage.outputTokens", "tokens"),
            cache_read_tokens=number_at(record, "metadata.usage.cacheReadTokens"),
        )
        return None


def _ending(record: Mapping[str, object], text: str) -> dict[str, object]:
    """How the call ended: by an error in the answer, or broken off (1.5x counts the tokens of whole answers)."""
    if failed := _ERROR.match(text):
        return {"finish_reason": "error", **error_cells(classify_best(failed[1]), failed[1])}
    if dig(record, "metadata.inference") is not None:
        return {"finish_reason": "stop" if dig(record, "metadata.usage") is not None else "error"}
    return {}


def _span(record: Mapping[str, object], stamp: Stamp, before: Stamp | None) -> tuple[datetime | None, datetime | None]:
    """Start and end (UTC). An answer that broke off ends when it was stored."""
    if dig(record, "metadata.inference") is None or stamp.at is None:
        return (before.at if before else None), stamp.at
    first_s, whole_s = (_seconds(record, f"metadata.usage.{name}") for name in ("timeToFirstTokenMs", "elapsedMs"))
    if whole_s is None:
        return (before.at if before else None), epoch_stamp(number_at(record, "stored")).at
    start = stamp.at - timedelta(seconds=first_s or 0.0)
    return start, start + timedelta(seconds=whole_s)


def _seconds(record: Mapping[str, object], path: str) -> float | None:
    value = number_at(record, path)
    return None if value is None or not 0 <= value < 1e12 else value / 1000


def _settings(record: Mapping[str, object], at: At, rows: Rows) -> None:
    names = (("context_limit", "context_window_tokens"), ("max_tokens", "max_output_tokens"))
    for key, setting in names:
        value = number_at(record, f"config.{key}")
        if value is not None:
            rows.add(
                "agent_config",
                at,
                agent="goose",
                provider=text_at(record, "provider"),
                model=text_at(record, "config.model_name"),
                setting=setting,
                key=f"model_config.{key}",
                value=str(value),
                value_num=value,
            )


@dataclass(frozen=True, slots=True)
class GooseSqliteFormat:
    id: str = "goose-sqlite"
    title: str = "Goose, database (sessions.db)"
    side: Side = "agent"
    versions: str = "Goose 1.10-1.52"

    def recognise(self, head: bytes, path: str) -> float:
        mine = names_in(head, b"messages", b"sessions") and b"model_config_json" in head
        return 0.95 if mine and b"created_timestamp" in head else 0.0

    def parser(self, info: SourceInfo) -> SqliteParser:
        return SqliteParser(info, GooseReader(), _QUERY, ("messages", "sessions"))
