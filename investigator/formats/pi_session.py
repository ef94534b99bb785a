"""Session files of the pi coding agent, and OpenClaw's transcripts, which are pi sessions with entries of their own.

Layout and timing rules: agent-logs.md §1.3 and §2; verified against pi 0.55 and 0.73, OpenClaw 2026.2 and 2026.9.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from investigator.formats.agent_errors import ErrorFacts, classify, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.jsonl import JsonlParser, Noise, Outcome, Unknown, head_objects
from investigator.formats.pi_records import Entry, Message, decode_entry, decode_prompt_error
from investigator.formats.prompts import measured
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import Stamp, epoch_time, iso_stamp

#: Entries that say nothing about a call.
_QUIET = frozenset(
    {"model_change", "thinking_level_change", "branch_summary", "custom_message", "label", "session_info", "leaf"}
)
_FINISH = {"toolUse": "tool_calls"}
#: Messages that OpenClaw writes itself, without asking any model.
_NOT_CALLED = frozenset({"delivery-mirror", "gateway-injected"})
#: Below this, message time and entry time are both the call's end (measured: at most 0.1 s apart).
_SAME_MOMENT_S = 0.5


@dataclass(slots=True)
class PiSessionReader:
    """Reads one session; remembers its id and the time of the entry before, from which some starts are derived."""

    agent: str
    session_id: str | None
    previous: datetime | None = None

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        entry = decode_entry(raw)
        stamp = iso_stamp(entry.timestamp)
        match entry.type:
            case "session":
                self._session(entry, stamp, at, rows)
            case "message" if entry.message is not None:
                outcome = self._message(entry, entry.message, stamp, at, rows)
                self.previous = stamp.at or self.previous
                return outcome
            case "compaction":
                self._compaction(entry, stamp, at, rows)
            case "custom":
                return self._custom(entry, stamp, at, rows)
            case kind if kind in _QUIET:
                self.previous = stamp.at or self.previous
                return Noise(kind)
            case kind:
                return Unknown(f"type {kind[:40]}")
        return None

    def _session(self, entry: Entry, stamp: Stamp, at: At, rows: Rows) -> None:
        self.session_id = entry.id or self.session_id
        parent = PurePosixPath(entry.parentSession.replace("\\", "/")).stem if entry.parentSession else None
        rows.add(
            "agent_session", at, stamp, agent=self.agent, session_id=self.session_id, parent_session_id=_last_id(parent)
        )

    def _compaction(self, entry: Entry, stamp: Stamp, at: At, rows: Rows) -> None:
        rows.add(
            "compaction",
            at,
            stamp,
            agent=self.agent,
            session_id=self.session_id,
            tokens_before=entry.tokensBefore,
            tokens_after=entry.tokensAfter,
        )
        self.previous = stamp.at or self.previous

    def _custom(self, entry: Entry, stamp: Stamp, at: At, rows: Rows) -> Outcome:
        if entry.customType != "openclaw:prompt-error":
            return Noise(f"custom {(entry.customType or 'entry')[:40]}")
        data = decode_prompt_error(bytes(entry.data))
        error = classify(data.error or "")
        rows.add(
            "agent_error",
            at,
            stamp,
            agent=self.agent,
            session_id=self.session_id or data.sessionId,
            run_id=data.runId,
            provider=data.provider,
            model=data.model,
            **error_cells(error, data.error),
            limit_s=error.limit_s,
        )
        return None

    def _message(self, entry: Entry, message: Message, stamp: Stamp, at: At, rows: Rows) -> Outcome:
        if message.role == "assistant":
            if message.model in _NOT_CALLED:
                return Noise("message of the agent itself")
            self._call(entry, message, stamp, at, rows)
            return None
        chars, digest = measured(message.texts())
        rows.add(
            "agent_prompt",
            at,
            stamp,
            agent=self.agent,
            session_id=self.session_id,
            record_id=entry.id,
            role="tool" if message.role == "toolResult" else message.role,
            text_chars=chars,
            text_hash=digest,
        )
        return None

    def _call(self, entry: Entry, message: Message, stamp: Stamp, at: At, rows: Rows) -> None:
        failed = message.stopReason in ("error", "aborted") or message.errorMessage is not None
        error = _call_error(message) if failed else None
        started, basis = self._start(message, stamp.at, error)
        usage = message.usage
        counted = usage is not None and usage.prompt_tokens() is not None
        rows.add(
            "agent_call",
            at,
            stamp,
            agent=self.agent,
            session_id=self.session_id,
            run_id=message.openclaw.runId if message.openclaw else None,
            record_id=entry.id,
            provider=message.provider,
            model=message.model,
            api=message.api,
            started_at=started,
            ended_at=stamp.at,
            start_basis=basis,
            input_tokens=usage.prompt_tokens() if usage else None,
            # A stream without counts leaves them all 0.
            output_tokens=usage.output if usage and (usage.output or (counted and not failed)) else None,
            cache_read_tokens=usage.cacheRead if usage and counted else None,
            finish_reason=_FINISH.get(message.stopReason or "", message.stopReason),
            **(error_cells(error, message.errorMessage) if error else {}),
        )

    def _start(
        self, message: Message, end: datetime | None, error: ErrorFacts | None
    ) -> tuple[datetime | None, str | None]:
        """When the call began, and how that is known.

        The message's own time is the start, except where it is written together with the entry (native route of
        OpenClaw 2026.2; calls that the agent itself cut off): then the entry before is the latest known moment.
        """
        own = iso_stamp(message.timestamp).at if isinstance(message.timestamp, str) else epoch_time(message.timestamp)
        if own is None or end is None:
            return own, "measured" if own else None
        at_end = abs((end - own).total_seconds()) < _SAME_MOMENT_S
        cut_off = error is not None and error.error_class in ("timeout", "aborted")
        if at_end and (cut_off or message.api == "ollama"):
            return self.previous, "derived" if self.previous else None
        return own, "measured"


def _call_error(message: Message) -> ErrorFacts:
    if message.errorMessage:
        return classify(message.errorMessage)
    return ErrorFacts("aborted" if message.stopReason == "aborted" else "other")


def _last_id(stem: str | None) -> str | None:
    """pi names files `<time>_<id>`; a parent is referred to by its file."""
    return stem.rpartition("_")[2] if stem else None


def _is_session(head: bytes) -> bool:
    for record in head_objects(head, 3):
        if record.get("type") == "session" and "id" in record and "cwd" in record and "timestamp" in record:
            return True
    return False


def _is_openclaw(head: bytes, path: str) -> bool:
    marks = (b'"customType":"model-snapshot"', b"openclaw:", b"openclaw.cache-ttl", b"/.openclaw", b"/.clawdbot")
    return any(mark in head for mark in marks) or ".openclaw/" in path or ".clawdbot/" in path


@dataclass(frozen=True, slots=True)
class PiSessionFormat:
    id: str = "pi-session"
    title: str = "pi coding agent, session file"
    side: Side = "agent"
    versions: str = "session format 1-4; pi 0.55-0.75"

    def recognise(self, head: bytes, path: str) -> float:
        if not _is_session(head):
            return 0.0
        return 0.3 if _is_openclaw(head, path) else 0.95

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, PiSessionReader("pi", _last_id(PurePosixPath(info.path).stem)))


@dataclass(frozen=True, slots=True)
class OpenClawSessionFormat:
    id: str = "openclaw-session"
    title: str = "OpenClaw, session transcript"
    side: Side = "agent"
    versions: str = "OpenClaw 2026.1-2026.9 (session format 3 and 4)"

    def recognise(self, head: bytes, path: str) -> float:
        return 0.95 if _is_session(head) and _is_openclaw(head, path) else 0.0

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, PiSessionReader("openclaw", PurePosixPath(info.path).stem))
