"""Trajectories of mini-swe-agent and SWE-agent (`*.traj.json`, `*.traj`). agent-logs.md §15; verified: mini 2.4.6.

An answer keeps LiteLLM's whole reply: its `created` is in whole seconds. Retries inside LiteLLM leave no trace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from investigator.formats.agent_errors import classify_best, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.dig import number_at, object_at, text_at, text_of
from investigator.formats.document import DocumentParser, Text
from investigator.formats.json_items import ItemsReader, document_objects, first_object, scan_items
from investigator.formats.jsonl import Noise, Outcome, Unknown
from investigator.formats.mapping_columns import record_of
from investigator.formats.masking import masked
from investigator.formats.prompts import add_prompt
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import NO_STAMP, Stamp, epoch_stamp


@dataclass(slots=True)
class MiniReader:
    """Reads `messages` of mini-swe-agent: answers are calls, the last record tells how it ended."""

    model: str | None = None
    previous: datetime | None = None

    def begin(self, head: Mapping[str, object], at: At, rows: Rows) -> None:
        info = object_at(head, "info")
        config = object_at(info, "config.model")
        self.model = text_at(config, "model_name")
        version = text_at(info, "mini_version")
        rows.add("agent_session", at, agent="mini-swe-agent", agent_version=version)
        told = {
            "default_model": ("model_name",),
            "request_timeout_s": ("model_kwargs.timeout", "model_kwargs.request_timeout"),
            "base_url": ("model_kwargs.api_base", "model_kwargs.base_url"),
            "num_ctx_tokens": ("model_kwargs.num_ctx",),
            "max_output_tokens": ("model_kwargs.max_tokens",),
        }
        for setting, paths in told.items():
            number, text = number_at(config, *paths), text_at(config, *paths)
            value = text if text is not None else None if number is None else str(number)
            if value is not None:
                about = {"agent": "mini-swe-agent", "model": self.model, "setting": setting}
                key = f"info.config.model.{paths[0]}"
                rows.add("agent_config", at, NO_STAMP, key=key, value=masked(value), value_num=number, **about)

    def finish(self, rows: Rows) -> None:
        """Nothing is left to tell."""

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        record = record_of(raw)
        if record is None:
            return Unknown("no message")
        role, reply = text_at(record, "role"), object_at(record, "extra.response")
        stamp = epoch_stamp(number_at(record, "extra.timestamp", "timestamp"))
        if role == "exit":
            return self._exit(record, stamp, at, rows)
        if reply:
            self._call(reply, stamp, at, rows)
            return None
        self.previous = stamp.at or self.previous
        if role in ("user", "system", "tool"):
            add_prompt(rows, at, stamp, text_of(record.get("content")), agent="mini-swe-agent", role=role)
            return None
        return Noise(f"message of {str(role)[:30]}")

    def _call(self, reply: Mapping[str, object], stamp: Stamp, at: At, rows: Rows) -> None:
        ended = stamp if stamp.at else epoch_stamp(number_at(reply, "created"))
        rows.add(
            "agent_call",
            at,
            ended,
            agent="mini-swe-agent",
            record_id=text_at(reply, "id"),
            model=text_at(reply, "model") or self.model,
            started_at=self.previous,
            ended_at=ended.at,
            start_basis="derived" if self.previous else None,
            input_tokens=number_at(reply, "usage.prompt_tokens") or None,
            output_tokens=number_at(reply, "usage.completion_tokens"),
            cache_read_tokens=number_at(reply, "usage.prompt_tokens_details.cached_tokens"),
            finish_reason=text_at(reply, "choices.0.finish_reason"),
        )
        self.previous = ended.at or self.previous

    def _exit(self, record: Mapping[str, object], stamp: Stamp, at: At, rows: Rows) -> Outcome:
        text = text_at(record, "extra.exception_str") or ""
        status = text_at(record, "extra.exit_status") or ""
        if not text and status in ("Submitted", "LimitsExceeded", ""):
            return Noise("exit")
        # The exception's class is LiteLLM's guess: it calls a refused connection an InternalServerError.
        facts = classify_best(text or status)
        cells = {**error_cells(facts, text or status), "limit_s": facts.limit_s}
        rows.add("agent_error", at, stamp, agent="mini-swe-agent", model=self.model, **cells)
        return None


@dataclass(frozen=True, slots=True)
class SweAgentReader:
    """SWE-agent keeps no single calls: the totals of its run, and how it ended."""

    def read(self, document: Text, rows: Rows) -> At | None:
        found = scan_items(document.text, "trajectory")
        info, at = object_at(found.head, "info"), document.at(0)
        status = text_at(info, "exit_status")
        rows.add("agent_session", at, agent="swe-agent", agent_version=text_at(info, "swe_agent_version"))
        for start, end in found.spans:
            record = record_of(document.text[start:end].encode("utf-8", "replace")) or {}
            length = number_at(record, "execution_time")
            if length is not None:
                rows.add("agent_run", document.at(start), agent="swe-agent", event="end", duration_s=length)
        if status is not None and "submitted" not in status:
            facts = classify_best(status)
            cells = {**error_cells(facts, status), "limit_s": facts.limit_s}
            rows.add("agent_error", at, NO_STAMP, agent="swe-agent", **cells)
        return None if found.damage is None else document.at(found.damage)


@dataclass(frozen=True, slots=True)
class MiniSweFormat:
    id: str = "mini-swe-agent"
    title: str = "mini-swe-agent, trajectory (.traj.json)"
    side: Side = "agent"
    versions: str = "mini-swe-agent 1.x-2.4"

    def recognise(self, head: bytes, path: str) -> float:
        document = first_object(head, "messages")
        if str(document.get("trajectory_format", "")).startswith("mini-swe-agent"):
            return 0.97
        # Long messages may come before the key that names the format.
        cut = b'"trajectory_format"' in head and b"mini-swe-agent" in head and bool(document)
        return 0.95 if text_at(document, "info.mini_version") is not None or cut else 0.0

    def parser(self, info: SourceInfo) -> DocumentParser:
        return DocumentParser(info, ItemsReader(MiniReader(), "messages"))


@dataclass(frozen=True, slots=True)
class SweAgentFormat:
    id: str = "swe-agent"
    title: str = "SWE-agent, trajectory (.traj)"
    side: Side = "agent"
    versions: str = "SWE-agent 1.x"

    def recognise(self, head: bytes, path: str) -> float:
        if not head.lstrip().startswith(b"{"):
            return 0.0
        records = document_objects(head, "trajectory")
        steps = [record for record in records if {"action", "observation", "thought"} <= record.keys()]
        return 0.9 if steps else 0.0

    def parser(self, info: SourceInfo) -> DocumentParser:
        return DocumentParser(info, SweAgentReader())
