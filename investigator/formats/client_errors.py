"""Error texts of client libraries and commands (LiteLLM, requests, httpx, the ollama command) that users paste."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import polars as pl

from investigator.formats.agent_errors import classify
from investigator.formats.base import Parsed, Parser, Side, SourceInfo
from investigator.formats.common import UNRECOGNISED_SCHEMA, FactRows, account, evidence_frame
from investigator.formats.lines import read_lines
from investigator.formats.masking import masked
from investigator.sources.chunks import Chunk
from investigator.yamltext import load as load_yaml

#: Surer than a single loose word, less sure than any format that knows its own lines.
_CONFIDENCE = 0.35


@cache
def client_marks() -> Mapping[str, str]:
    """Literal → library, in order of precedence."""
    text = files(__package__).joinpath("client-errors.yaml").read_text(encoding="utf-8")
    return {mark["literal"]: mark["library"] for mark in load_yaml(text)["marks"]}


@dataclass(slots=True)
class ClientErrorParser:
    """Keeps nothing between chunks: every line stands alone."""

    info: SourceInfo

    def feed(self, chunk: Chunk) -> Parsed:
        """One client_error per line with a mark; the other lines are another program's."""
        lines = read_lines(chunk.data, chunk.byte_offset, chunk.first_line_no)
        errors = lines.filter(pl.col("text").str.contains_any(list(client_marks())))
        facts = FactRows(self.info.source_id)
        for line_no, offset, text in errors.select("line_no", "byte_offset", "text").rows():
            facts.add("client_error", line_no, offset, **_columns(text))
        return account(
            facts.frames(),
            fact_lines=errors.height,
            noise={},
            foreign_lines=lines.height - errors.height,
            unrecognised=pl.DataFrame(schema=UNRECOGNISED_SCHEMA),
            evidence=evidence_frame(lines.select("line_no", "text"), errors["line_no"]),
            consumed_bytes=len(chunk.data),
        )


def _columns(text: str) -> dict[str, Any]:
    found = classify(text)
    return {
        "library": next(library for literal, library in client_marks().items() if literal in text),
        "error_class": found.error_class,
        "error_text": masked(text.strip()),
        "http_status": found.http_status,
        "limit_s": found.limit_s,
        "asked_tokens": found.asked_tokens,
        "window_tokens": found.window_tokens,
    }


@dataclass(frozen=True, slots=True)
class ClientErrors:
    """Short texts; any format that knows its own lines comes first."""

    id: str = "client-errors"
    title: str = "Error texts of client libraries and commands"
    versions: str = "LiteLLM 1.x, requests 2.x, httpx 0.2x, openai 1.x, ollama 0.1–0.33"
    side: Side = "agent"

    def recognise(self, head: bytes, path: str) -> float:
        """Whether one of the marks stands in the head."""
        text = head.decode("utf-8", "replace")
        return _CONFIDENCE if any(literal in text for literal in client_marks()) else 0.0

    def parser(self, info: SourceInfo) -> Parser:
        return ClientErrorParser(info)


CLIENT_ERRORS = ClientErrors()
