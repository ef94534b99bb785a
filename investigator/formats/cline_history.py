"""Other files of a Cline or Roo Code task folder: `api_conversation_history.json`, `task_metadata.json`,
`history_item.json`. agent-logs.md §6, §7. They tell what went into prompts and which model was used, not single calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from investigator.formats.base import Side, SourceInfo
from investigator.formats.cline_task import agent_of, folder_of
from investigator.formats.dig import list_at, number_at, text_at, text_of
from investigator.formats.document import DocumentParser
from investigator.formats.json_items import document_objects, first_object, items_parser
from investigator.formats.jsonl import Noise, Outcome, Unknown
from investigator.formats.mapping_columns import record_of
from investigator.formats.prompts import add_prompt
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import NO_STAMP, epoch_stamp

_ROLES = ("user", "assistant")


@dataclass(frozen=True, slots=True)
class ConversationReader:
    """Each message with its role and length; the answers are counted by ui_messages.json."""

    agent: str
    session_id: str | None

    def begin(self, head: Mapping[str, object], at: At, rows: Rows) -> None:
        """The array has nothing beside its messages."""

    def finish(self, rows: Rows) -> None:
        """Nothing is remembered."""

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        record = record_of(raw)
        if record is None or text_at(record, "role") not in _ROLES:
            return Unknown("no message")
        if record["role"] == "assistant":
            return Noise("answer")
        stamp = epoch_stamp(number_at(record, "ts"))
        parts = list_at(record, "content")
        tool = any(text_at(part, "type") == "tool_result" for part in parts)
        text = text_of(record.get("content"))
        role = "tool" if tool else "user"
        add_prompt(rows, at, stamp, text, agent=self.agent, role=role, session_id=self.session_id)
        return None


@dataclass(frozen=True, slots=True)
class ClineConversationFormat:
    id: str = "cline-conversation"
    title: str = "Cline and Roo Code, conversation (api_conversation_history.json)"
    side: Side = "agent"
    versions: str = "Cline for VS Code 3.20-3.89, Roo Code 3.20-3.52"

    def recognise(self, head: bytes, path: str) -> float:
        if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
            return 0.0
        records = document_objects(head)
        mine = sum(
            1 for record in records if text_at(record, "role") in _ROLES and isinstance(record.get("content"), list)
        )
        named = path.endswith("api_conversation_history.json")
        return (0.9 if named else 0.3) * mine / len(records) if records else 0.0

    def parser(self, info: SourceInfo) -> DocumentParser:
        return items_parser(info, ConversationReader(agent_of(info.path), folder_of(info.path)))


@dataclass(frozen=True, slots=True)
class TaskMetadataReader:
    """The models that a task used, and a session's head (Roo's history_item.json)."""

    agent: str
    session_id: str | None

    def begin(self, head: Mapping[str, object], at: At, rows: Rows) -> None:
        """Without a key every document is one record."""

    def finish(self, rows: Rows) -> None:
        """Nothing is remembered."""

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        record = record_of(raw) or {}
        if "number" in record or "task" in record:
            stamp = epoch_stamp(number_at(record, "ts"))
            session, parent = text_at(record, "id") or self.session_id, text_at(record, "parentTaskId")
            rows.add("agent_session", at, stamp, agent=self.agent, session_id=session, parent_session_id=parent)
        for use in list_at(record, "model_usage"):
            model = text_at(use, "model_id")
            rows.add(
                "agent_config",
                at,
                epoch_stamp(number_at(use, "ts")),
                agent=self.agent,
                provider=text_at(use, "model_provider_id"),
                model=model,
                setting="default_model",
                key="model_usage[].model_id",
                value=model,
            )
        version = text_at(record, "environment_history.-1.cline_version")
        if version is not None:
            rows.add("agent_session", at, NO_STAMP, agent=self.agent, session_id=self.session_id, agent_version=version)
        return Noise("task metadata")


@dataclass(frozen=True, slots=True)
class ClineTaskMetadataFormat:
    id: str = "cline-task-metadata"
    title: str = "Cline and Roo Code, a task's metadata (task_metadata.json, history_item.json)"
    side: Side = "agent"
    versions: str = "Cline for VS Code 3.20-3.89, Roo Code 3.20-3.52"

    def recognise(self, head: bytes, path: str) -> float:
        record = first_object(head)
        if "files_in_context" in record and "model_usage" in record:
            return 0.95
        item = {"id", "ts", "task", "tokensIn", "tokensOut", "totalCost"} <= record.keys()
        return 0.9 if item else 0.0

    def parser(self, info: SourceInfo) -> DocumentParser:
        return items_parser(info, TaskMetadataReader(agent_of(info.path), folder_of(info.path)))
