"""Continue CLI's log (`~/.continue/logs/cn.log`). agent-logs.md §8; verified: 1.5.47.

By default it holds little but errors. With `--verbose` every request begins with a line of its own, each piece of the
answer has one, and so has each retry. Its times have no zone. The session's file has the tokens of an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from investigator.formats.agent_errors import classify, error_cells
from investigator.formats.base import SourceInfo
from investigator.formats.console_logs import ConsoleLogFormat, ConsoleLogReader, console_logs
from investigator.formats.dig import list_at, number_at, object_at, text_at
from investigator.formats.jsonl import JsonlParser, Noise, Outcome
from investigator.formats.mapping_columns import record_of
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import Stamp, iso_stamp

_START, _PIECE = "Creating chat completion stream", "Received chunk"
_RETRY, _SIZE, _ENDS = "Retry attempt", "Context usage check", "Resource monitoring stopped"
_AGENT = "continue"


@dataclass(slots=True)
class _Request:
    """The request that runs."""

    model: str | None
    begun: bool = False
    finish: str | None = None


@dataclass(slots=True)
class ContinueLogReader:
    """Remembers the request that runs; what is no step of a request is read as any log."""

    plain: ConsoleLogReader
    running: _Request | None = None

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        found = self.plain.log.head.match(raw.decode("utf-8", "replace"))
        text = found["text"] if found else ""
        said, brace, rest = text.partition(" {")
        if found is None or not said.startswith((_START, _PIECE, _RETRY, _SIZE, _ENDS)):
            return self.plain.read(raw, at, rows)
        self.plain.open = True
        record = record_of(("{" + rest).encode()) if brace else {}
        if record is None:
            return Noise("a step whose details are cut")
        stamp, common = iso_stamp(found["stamp"]), {"agent": _AGENT, "session_id": found["session"]}
        match said:
            case "Creating chat completion stream":
                return self._start(record, common, stamp, at, rows)
            case "Received chunk":
                return self._piece(record, common, stamp, at, rows)
            case "Retry attempt":
                text = text_at(record, "error") or ""
                return self._failed(text, number_at(record, "attempt"), common, stamp, at, rows)
            case "Context usage check":
                return _size(record, common, stamp, at, rows)
            case "Resource monitoring stopped":
                return self._failed("", None, common, stamp, at, rows)
        return Noise("log")

    def _start(self, record: Mapping[str, object], common: dict[str, str], stamp: Stamp, at: At, rows: Rows) -> Outcome:
        model = text_at(record, "model.model")
        about = {"model": model, "provider": text_at(record, "model.provider"), "url": text_at(record, "model.apiBase")}
        self.running = _Request(model)
        rows.add("agent_http", at, stamp, **common, **about, event="start")
        return None

    def _piece(self, record: Mapping[str, object], common: dict[str, str], stamp: Stamp, at: At, rows: Rows) -> Outcome:
        if self.running is None:
            return Noise("piece of an answer")
        chunk, mine = object_at(record, "chunk"), self.running
        choices = list_at(chunk, "choices")
        mine.finish = (text_at(choices[0], "finish_reason") if choices else None) or mine.finish
        if object_at(chunk, "usage"):
            self.running = None
            rows.add("agent_http", at, stamp, **common, model=mine.model, event="end")
            return None
        if mine.begun:
            return Noise("piece of an answer")
        mine.begun = True
        rows.add("agent_http", at, stamp, **common, model=mine.model, event="response")
        return None

    def _failed(
        self, text: str, attempt: float | None, common: dict[str, str], stamp: Stamp, at: At, rows: Rows
    ) -> Outcome:
        """A retry's reason; a program that ends over an open request says none (what it printed does)."""
        mine, self.running = self.running, None
        if mine is None:
            return Noise("end of the program")
        event = "end" if mine.finish and not text else "error"
        cells = error_cells(classify(text), text) if text else {}
        kept = {key: cells[key] for key in ("error_class", "error_text", "http_status") if key in cells}
        rows.add("agent_http", at, stamp, **common, **kept, model=mine.model, event=event, attempt=attempt)
        return None


def _size(record: Mapping[str, object], common: dict[str, str], stamp: Stamp, at: At, rows: Rows) -> Outcome:
    estimated = number_at(record, "inputTokens")
    if not estimated:
        return Noise("size of an empty prompt")
    sizes = {
        "estimated_tokens": estimated,
        "budget_tokens": number_at(record, "compactionThreshold"),
        "reserve_tokens": number_at(record, "reservedForOutput"),
        "window_tokens": number_at(record, "contextLimit"),
    }
    rows.add("agent_estimate", at, stamp, **common, **sizes)
    return None


@dataclass(frozen=True, slots=True)
class ContinueLogFormat(ConsoleLogFormat):
    """Recognised as any log of console-logs.yaml."""

    id: str = "continue-log"

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, ContinueLogReader(ConsoleLogReader(console_logs()[self.id])))
