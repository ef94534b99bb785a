"""Task folders of the VS Code extensions Cline (up to 3.89) and Roo Code: `ui_messages.json`. agent-logs.md §6, §7.

A request is one `api_req_started` entry that is filled in when the answer is there: its start is measured, its end is
only known when the next entry tells of its failure. Retries that the task loop makes are entries of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from investigator.formats.agent_errors import classify_best, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.dig import number_at, sum_at, text_at
from investigator.formats.document import DocumentParser
from investigator.formats.json_items import document_objects, items_parser
from investigator.formats.jsonl import Noise, Outcome, Unknown
from investigator.formats.mapping_columns import record_of
from investigator.formats.prompts import add_prompt
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import NO_STAMP, Stamp, epoch_stamp

_PROMPTS = frozenset({"task", "user_feedback"})
_ERRORS = frozenset({"error_retry", "api_req_retry_delayed", "api_req_failed", "condense_context_error"})
_COMPACTIONS = frozenset({"condense_context", "sliding_window_truncation", "condense", "summarize_task"})
_RETRY_TIMER = re.compile(r"<retry_timer>\d+</retry_timer>")


def agent_of(path: str) -> str:
    """Both extensions write the same outline; the folder of globalStorage tells them apart."""
    return "roo-code" if "roo-cline" in path.lower() or "roo-code" in path.lower() else "cline"


@dataclass(slots=True)
class _Request:
    """An entry `api_req_started` whose end is not known yet."""

    at: At
    started: Stamp
    record: Mapping[str, object]
    error: str | None = None
    ended: Stamp = NO_STAMP


@dataclass(slots=True)
class UiMessagesReader:
    """Remembers the request under way: the entries that follow it tell how it ended."""

    agent: str
    session_id: str | None
    request: _Request | None = None
    model: str | None = None
    provider: str | None = None
    _seen: bool = field(default=False)

    def begin(self, head: Mapping[str, object], at: At, rows: Rows) -> None:
        """The array has nothing beside its entries."""

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        record = record_of(raw)
        if record is None:
            return Unknown("no object")
        stamp = epoch_stamp(number_at(record, "ts"))
        kind = text_at(record, "say", "ask") or ""
        self._announce(stamp, at, rows)
        self.model = text_at(record, "modelInfo.modelId", "modelInfo.id") or self.model
        self.provider = text_at(record, "modelInfo.providerId", "modelInfo.provider") or self.provider
        if kind == "api_req_started":
            self.finish(rows)
            self.request = _Request(at, stamp, _payload(record))
        elif kind in _ERRORS:
            self._failed(kind, record, stamp, at, rows)
        elif kind in _COMPACTIONS:
            self._compaction(record, stamp, at, rows, kind)
        elif kind in _PROMPTS:
            text = text_at(record, "text") or ""
            add_prompt(rows, at, stamp, text, agent=self.agent, role="user", session_id=self.session_id)
        return Noise(kind or "entry")

    def _announce(self, stamp: Stamp, at: At, rows: Rows) -> None:
        if not self._seen:
            self._seen = True
            rows.add("agent_session", at, stamp, agent=self.agent, session_id=self.session_id)

    def _failed(self, kind: str, record: Mapping[str, object], stamp: Stamp, at: At, rows: Rows) -> None:
        """The error belongs to the request under way; without one (a retry's second notice) it stands alone."""
        payload = _payload(record)
        text = text_at(payload, "errorMessage", "error", "message") or text_at(record, "text") or ""
        text = _RETRY_TIMER.sub("", text).strip()
        if self.request is not None and kind != "condense_context_error":
            if self.request.error is None:
                self.request.error, self.request.ended = text or kind, stamp
            return
        if text:
            facts = classify_best(text)
            cells = {**error_cells(facts, text), "limit_s": facts.limit_s}
            who = {"session_id": self.session_id, "model": self.model, "provider": self.provider}
            rows.add("agent_error", at, stamp, agent=self.agent, **who, **cells)

    def _compaction(self, record: Mapping[str, object], stamp: Stamp, at: At, rows: Rows, kind: str) -> None:
        context = "contextCondense" if kind == "condense_context" else "contextTruncation"
        rows.add(
            "compaction",
            at,
            stamp,
            agent=self.agent,
            session_id=self.session_id,
            tokens_before=number_at(record, f"{context}.prevContextTokens"),
            tokens_after=number_at(record, f"{context}.newContextTokens", f"{context}.newContextTokensAfterTruncation"),
            trigger=kind,
        )

    def finish(self, rows: Rows) -> None:
        """The request under way is over."""
        request, self.request = self.request, None
        if request is None:
            return
        told = text_at(request.record, "streamingFailedMessage", "retryStatus.errorSnippet")
        cancel = text_at(request.record, "cancelReason")
        text = told or request.error or ("aborted by the user" if cancel == "user_cancelled" else cancel)
        tokens = sum_at(request.record, "tokensIn", "cacheReads", "cacheWrites")
        rows.add(
            "agent_call",
            request.at,
            request.started,
            agent=self.agent,
            session_id=self.session_id,
            record_id=f"{self.session_id}/{request.started.at}" if request.started.at else None,
            provider=text_at(request.record, "inferenceProvider") or self.provider,
            model=self.model,
            api=text_at(request.record, "apiProtocol"),
            started_at=request.started.at,
            ended_at=request.ended.at if text else None,
            start_basis="measured" if request.started.at else None,
            input_tokens=tokens,
            output_tokens=number_at(request.record, "tokensOut") if tokens else None,
            cache_read_tokens=number_at(request.record, "cacheReads") if tokens else None,
            finish_reason="aborted" if cancel == "user_cancelled" else "error" if text else None,
            **(error_cells(classify_best(text, request.error), text) if text else {}),
        )


def _payload(record: Mapping[str, object]) -> Mapping[str, object]:
    """The entry's text as the JSON object that it is; an empty one for plain text."""
    text = text_at(record, "text") or ""
    try:
        return (record_of(text.encode()) if text.lstrip().startswith("{") else None) or {}
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return {}


@dataclass(frozen=True, slots=True)
class ClineTaskFormat:
    id: str = "cline-task"
    title: str = "Cline and Roo Code, task (ui_messages.json)"
    side: Side = "agent"
    versions: str = "Cline for VS Code 3.20-3.89, Roo Code 3.20-3.52"

    def recognise(self, head: bytes, path: str) -> float:
        if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
            return 0.0
        records = document_objects(head)
        mine = sum(1 for record in records if "ts" in record and record.get("type") in ("say", "ask"))
        return 0.95 * mine / len(records) if records else 0.0

    def parser(self, info: SourceInfo) -> DocumentParser:
        return items_parser(info, UiMessagesReader(agent_of(info.path), folder_of(info.path)))


def folder_of(path: str) -> str | None:
    """The task's folder, which is its id; None when the path has none."""
    parts = path.replace("\\", "/").split("/")
    return parts[-2] if len(parts) > 1 else None
