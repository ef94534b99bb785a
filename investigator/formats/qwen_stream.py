"""Output of `qwen -p --output-format stream-json`: Claude Code's records in another program's hands."""

from __future__ import annotations

from dataclasses import dataclass

from investigator.formats.base import Parser, Side, SourceInfo
from investigator.formats.json_items import document_objects
from investigator.formats.jsonl import head_objects
from investigator.formats.mapping import built_in_mapping


@dataclass(frozen=True, slots=True)
class QwenStreamFormat:
    """Its first record names it; the rest alone cannot be told from Claude Code's."""

    id: str = "qwen-stream"
    side: Side = "agent"

    @property
    def title(self) -> str:
        return built_in_mapping(self.id).title

    @property
    def versions(self) -> str:
        return built_in_mapping(self.id).versions

    def recognise(self, head: bytes, path: str) -> float:
        return 0.96 if names_qwen(head) else 0.0

    def parser(self, info: SourceInfo) -> Parser:
        return built_in_mapping(self.id).parser(info)


def names_qwen(head: bytes) -> bool:
    """Whether one of the first records is Qwen Code's own head."""
    if b'"qwen_code_version"' not in head:
        return False
    records = head_objects(head, 5) or document_objects(head, None, 5)
    return any("qwen_code_version" in record for record in records)
