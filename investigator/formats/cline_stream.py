"""Output of `cline --json`: one event per line on stdout, errors on stderr. agent-logs.md §6; verified: 3.0.65."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from investigator.formats.agent_errors import classify_best, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.dig import number_at, text_at
from investigator.formats.jsonl import JsonlParser, Noise, Outcome, Unknown, head_objects
from investigator.formats.mapping_columns import record_of
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import NO_STAMP, Stamp, iso_stamp

_TYPES = frozenset({"run_start", "run_result", "agent_event", "hook_event", "error", "run_aborted"})
#: Most lines are single tokens of the answer; they are told by their begin.
_CONTENT = b'"type":"content_'


@dataclass(slots=True)
class ClineStreamReader:
    """Remembers the model and when the request under way began: an iteration is one request."""

    provider: str | None = None
    model: str | None = None
    started: Stamp = NO_STAMP
    first_token_s: float | None = None

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        if _CONTENT in raw[:120] and self.first_token_s is not None:
            return Noise("content")
        record = record_of(raw)
        if record is None:
            return Unknown("no object")
        stamp = iso_stamp(text_at(record, "ts"))
        match record.get("type"):
            case "run_start":
                self.provider, self.model = text_at(record, "providerId"), text_at(record, "modelId")
                rows.add("agent_run", at, stamp, **self._who(), event="start")
            case "run_result":
                self._result(record, stamp, at, rows)
            case "error":
                self._error(text_at(record, "message"), stamp, at, rows)
            case "agent_event":
                return self._event(record, stamp, at, rows)
            case "run_aborted":
                rows.add("agent_run", at, stamp, **self._who(), event="end", aborted=True)
            case "hook_event":
                return Noise("hook")
            case kind:
                return Unknown(f"type {str(kind)[:40]}")
        return None

    def _who(self) -> dict[str, object]:
        return {"agent": "cline", "provider": self.provider, "model": self.model}

    def _event(self, record: Mapping[str, object], stamp: Stamp, at: At, rows: Rows) -> Outcome:
        kind = text_at(record, "event.type") or ""
        if kind == "iteration_start":
            self.started, self.first_token_s = stamp, None
        elif kind.startswith("content_"):
            if self.first_token_s is None and self.started.at and stamp.at:
                self.first_token_s = (stamp.at - self.started.at).total_seconds()
            return Noise("content")
        elif kind == "usage":
            self._answered(record, stamp, at, rows)
            return None
        elif kind == "error":
            self._error(text_at(record, "event.error.message", "event.message"), stamp, at, rows)
            return None
        elif text_at(record, "event.metadata.phase") == "completed" and "compaction" in str(
            text_at(record, "event.metadata.kind")
        ):
            self._compaction(record, stamp, at, rows)
            return None
        return Noise(f"event {kind[:40]}")

    def _answered(self, record: Mapping[str, object], stamp: Stamp, at: At, rows: Rows) -> None:
        rows.add(
            "agent_call",
            at,
            stamp,
            **self._who(),
            started_at=self.started.at,
            ended_at=stamp.at,
            start_basis="measured" if self.started.at else None,
            first_token_s=self.first_token_s,
            input_tokens=number_at(record, "event.inputTokens") or None,
            output_tokens=number_at(record, "event.outputTokens"),
            cache_read_tokens=number_at(record, "event.cacheReadTokens"),
        )
        self.started, self.first_token_s = NO_STAMP, None

    def _error(self, text: str | None, stamp: Stamp, at: At, rows: Rows) -> None:
        facts = classify_best(text)
        rows.add("agent_error", at, stamp, **self._who(), **error_cells(facts, text), limit_s=facts.limit_s)

    def _compaction(self, record: Mapping[str, object], stamp: Stamp, at: At, rows: Rows) -> None:
        rows.add(
            "compaction",
            at,
            stamp,
            agent="cline",
            tokens_before=number_at(record, "event.metadata.tokensBefore", "event.metadata.triggerTokens"),
            tokens_after=number_at(record, "event.metadata.tokensAfter"),
            trigger=text_at(record, "event.metadata.kind"),
        )

    def _result(self, record: Mapping[str, object], stamp: Stamp, at: At, rows: Rows) -> None:
        self.provider = text_at(record, "model.provider") or self.provider
        self.model = text_at(record, "model.id") or self.model
        length = number_at(record, "durationMs")
        event = "error" if record.get("finishReason") == "error" else "end"
        seconds = None if length is None else length / 1000
        rows.add("agent_run", at, stamp, **self._who(), event=event, duration_s=seconds)


@dataclass(frozen=True, slots=True)
class ClineStreamFormat:
    id: str = "cline-stream"
    title: str = "Cline CLI, output of --json"
    side: Side = "agent"
    versions: str = "Cline CLI 3.x"

    def recognise(self, head: bytes, path: str) -> float:
        records = head_objects(head, 20)
        mine = sum(1 for record in records if _is_mine(record))
        return 0.95 * mine / len(records) if records else 0.0

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, ClineStreamReader())


def _is_mine(record: Mapping[str, object]) -> bool:
    if text_at(record, "type") not in _TYPES or not isinstance(record.get("ts"), str):
        return False
    return record["type"] != "error" or record.keys() == {"ts", "type", "message"}
