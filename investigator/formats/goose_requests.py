"""Goose's request logs (`llm_request.<0-9>.jsonl`): one call per file. agent-logs.md §12; 1.52 was run.

The parts of an answer carry their second (1.5x); a failed request has no time at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from investigator.formats.agent_errors import classify_best, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.dig import dig, number_at, object_at, text_at
from investigator.formats.jsonl import JsonlParser, Noise, Outcome, Unknown, head_objects
from investigator.formats.mapping_columns import record_of
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import NO_STAMP, Stamp, epoch_stamp


@dataclass(slots=True)
class GooseRequestReader:
    """Remembers the request: its answer's last record has the tokens, a failed one has the error."""

    model: str | None = None
    max_tokens: float | int | None = None
    answer: str | None = None
    last: Stamp = NO_STAMP

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        record = record_of(raw)
        if record is None:
            return Unknown("no object")
        if "model_config" in record:
            self._request(record, at, rows)
            return None
        if text := text_at(record, "error"):
            cells = error_cells(classify_best(text), text)
            rows.add("agent_call", at, NO_STAMP, **self._who(), finish_reason="error", **cells)
            return None
        self.answer = text_at(record, "data.id") or self.answer
        if (second := number_at(record, "data.created")) is not None:
            self.last = epoch_stamp(second)
        if object_at(record, "usage"):
            rows.add(
                "agent_call",
                at,
                self.last,
                **self._who(),
                record_id=self.answer,
                ended_at=self.last.at,
                cache_read_tokens=number_at(record, "usage.cache_read_input_tokens"),
                input_tokens=number_at(record, "usage.input_tokens") or None,
                output_tokens=number_at(record, "usage.output_tokens"),
                finish_reason="stop",
            )
            return None
        return Noise("part of an answer") if "data" in record else Unknown("record of another kind")

    def _who(self) -> dict[str, object]:
        return {"agent": "goose", "model": self.model, "max_output_tokens": self.max_tokens}

    def _request(self, record: Mapping[str, object], at: At, rows: Rows) -> None:
        self.answer, self.last = None, NO_STAMP
        self.model = text_at(record, "model_config.model_name", "input.model")
        self.max_tokens = number_at(record, "model_config.max_tokens", "input.max_tokens")
        told = (
            ("model_config.context_limit", "context_window_tokens"),
            ("model_config.max_tokens", "max_output_tokens"),
            ("input.options.num_ctx", "num_ctx_tokens"),
        )
        rows.add("agent_http", at, NO_STAMP, agent="goose", event="start", model=self.model)
        for path, setting in told:
            value = number_at(record, path)
            if value is not None:
                about = {"agent": "goose", "model": self.model, "setting": setting, "key": path}
                rows.add("agent_config", at, NO_STAMP, value=str(value), value_num=value, **about)


@dataclass(frozen=True, slots=True)
class GooseRequestFormat:
    id: str = "goose-request"
    title: str = "Goose, request log (llm_request.<n>.jsonl)"
    side: Side = "agent"
    versions: str = "Goose 1.10-1.52"

    def recognise(self, head: bytes, path: str) -> float:
        [first, *_] = [*head_objects(head, 1), {}]
        mine = isinstance(dig(first, "model_config.model_name"), str) and "input" in first
        # A request body that is longer than the head still begins the same way.
        begin = head[:40].replace(b" ", b"").startswith(b'{"model_config":{"model_name"')
        return 0.95 if mine or begin else 0.0

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, GooseRequestReader())
