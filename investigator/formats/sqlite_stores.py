"""Databases that agents keep beside their transcripts: Codex's turns, Cline's sessions, Open WebUI's chats.

Codex 0.169 and Cline 3.0.65 were seen; Open WebUI from source (agent-logs.md §4, §6, §20). What a transcript tells too
is told here without a call of its own, so that nothing counts twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from investigator.formats.agent_errors import classify_best, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.codex import cut_by_length
from investigator.formats.dig import number_at, object_at, text_at, text_of
from investigator.formats.jsonl import Noise, Outcome, Unknown
from investigator.formats.mapping_columns import record_of
from investigator.formats.prompts import add_prompt
from investigator.formats.rows import At, Rows
from investigator.formats.sqlite_rows import MAGIC, SqliteParser, read_query
from investigator.formats.stamps import NO_STAMP, Stamp, epoch_stamp, iso_stamp

Read = Callable[[Mapping[str, object], At, Rows], Outcome]
_NS = 1e-9


@dataclass(frozen=True, slots=True)
class _RowReader:
    """Reads each row by itself."""

    tell: Read

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        record = record_of(raw)
        return Unknown("no row") if record is None else self.tell(record, at, rows)


def _codex_turn(record: Mapping[str, object], at: At, rows: Rows) -> Outcome:
    """The rollout has the calls. An error is told without a time: it counts only where the rollout is missing."""
    about = {"agent": "codex", "session_id": text_at(record, "session"), "run_id": text_at(record, "turn")}
    started, completed = epoch_stamp(number_at(record, "started")), epoch_stamp(number_at(record, "completed"))
    rows.add("agent_run", at, started, **about, event="start")
    length = number_at(record, "duration_ms")
    error = text_at(record, "error.message", "error")
    error = None if cut_by_length(error or "") else error
    if completed.at is not None:
        seconds = None if length is None else length / 1000
        rows.add("agent_run", at, completed, **about, event="error" if error else "end", duration_s=seconds)
    if error:
        facts = classify_best(error, text_at(record, "error.codexErrorInfo"))
        rows.add("agent_error", at, NO_STAMP, **about, **error_cells(facts, error), limit_s=facts.limit_s)
    return None


def _cline_session(record: Mapping[str, object], at: At, rows: Rows) -> Outcome:
    session = text_at(record, "session")
    started, ended = iso_stamp(text_at(record, "started")), iso_stamp(text_at(record, "ended"))
    rows.add(
        "agent_session", at, started, agent="cline", session_id=session, parent_session_id=text_at(record, "parent")
    )
    about = {"agent": "cline", "session_id": session, "model": text_at(record, "model")}
    if ended.at is not None:
        seconds = (ended.at - started.at).total_seconds() if started.at else None
        event = "error" if text_at(record, "status") == "failed" else "end"
        provider = text_at(record, "provider")
        rows.add("agent_run", at, ended, **about, provider=provider, event=event, duration_s=seconds)
    return None


def _webui_message(record: Mapping[str, object], at: At, rows: Rows) -> Outcome:
    """An answer's time is its start, in whole seconds; Ollama's own timing is kept with it."""
    message, session = object_at(record, "message"), text_at(record, "session")
    stamp, identity = epoch_stamp(number_at(message, "timestamp")), text_at(message, "id")
    match text_at(message, "role"):
        case "user":
            about = {"session_id": session, "record_id": identity}
            add_prompt(rows, at, stamp, text_of(message.get("content")), agent="open-webui", role="user", **about)
        case "assistant":
            _webui_answer(message, session, stamp, at, rows)
        case role:
            return Noise(f"message of {role or 'nobody'}"[:40])
    return None


def _webui_answer(message: Mapping[str, object], session: str | None, stamp: Stamp, at: At, rows: Rows) -> None:
    usage, model = object_at(message, "usage") or object_at(message, "info"), text_at(message, "model")
    error = text_at(message, "error.content", "error.message", "error")
    total_s = _seconds(usage, "total_duration")
    parts = [_seconds(usage, "load_duration"), _seconds(usage, "prompt_eval_duration")]
    ended = stamp.at + timedelta(seconds=total_s) if stamp.at and total_s is not None else None
    rows.add(
        "agent_call",
        at,
        stamp,
        agent="open-webui",
        session_id=session,
        record_id=text_at(message, "id"),
        model=model,
        started_at=stamp.at,
        start_basis="measured" if stamp.at else None,
        ended_at=ended,
        first_token_s=parts[0] + parts[1] if parts[0] is not None and parts[1] is not None else None,
        input_tokens=_told(usage, "prompt_eval_count", "prompt_tokens", "input_tokens"),
        output_tokens=_told(usage, "eval_count", "completion_tokens", "output_tokens"),
        finish_reason="error" if error else None,
        **(error_cells(classify_best(error), error) if error else {}),
    )
    if parts[1] is not None:
        rows.add(
            "client_timing",
            at,
            stamp,
            model_name=model,
            total_s=total_s,
            load_s=parts[0],
            prompt_tokens=_told(usage, "prompt_eval_count"),
            prompt_s=parts[1],
            output_tokens=_told(usage, "eval_count"),
            output_s=_seconds(usage, "eval_duration"),
        )


def _told(usage: Mapping[str, object], *names: str) -> float | int | None:
    """The first number that is told. Ollama leaves out what it does not know; Open WebUI writes 0 in its place."""
    return next((value for name in names if (value := number_at(usage, name))), None)


def _seconds(usage: Mapping[str, object], name: str) -> float | None:
    """A duration that Ollama tells in nanoseconds."""
    value = _told(usage, name)
    return None if value is None else value * _NS


@dataclass(frozen=True, slots=True)
class _Store:
    title: str
    versions: str
    tables: tuple[str, ...]
    columns: tuple[bytes, ...]
    tell: Read


_STORES: Mapping[str, _Store] = {
    "codex-sqlite": _Store(
        "Codex CLI, turns (thread_history_1.sqlite)",
        "Codex CLI 0.150-0.169",
        ("thread_turns",),
        (b"thread_turns", b"error_json", b"rollout_ordinal"),
        _codex_turn,
    ),
    "cline-sqlite": _Store(
        "Cline CLI, sessions (sessions.db)",
        "Cline CLI 3.x",
        ("sessions",),
        (b"sessions", b"enable_spawn", b"messages_path"),
        _cline_session,
    ),
    "open-webui-sqlite": _Store(
        "Open WebUI, database (webui.db)",
        "Open WebUI 0.5-0.12",
        ("chat",),
        (b"chat", b"share_id", b"archived", b"user_id"),
        _webui_message,
    ),
}


@dataclass(frozen=True, slots=True)
class SqliteStoreFormat:
    """One of the databases above."""

    id: str

    @property
    def title(self) -> str:
        return _STORES[self.id].title

    @property
    def side(self) -> Side:
        return "agent"

    @property
    def versions(self) -> str:
        return _STORES[self.id].versions

    def recognise(self, head: bytes, path: str) -> float:
        mine = head.startswith(MAGIC) and all(word in head for word in _STORES[self.id].columns)
        return 0.9 if mine else 0.0

    def parser(self, info: SourceInfo) -> SqliteParser:
        store = _STORES[self.id]
        return SqliteParser(info, _RowReader(store.tell), read_query(self.id.replace("-", "_")), store.tables)
