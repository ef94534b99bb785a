"""Aider's chat history (Markdown) and LLM history. agent-logs.md §13; verified: 0.86.2.

Both print local time: a session its begin, the LLM history each request and answer to the second. Token numbers are
Aider's own, rounded above a thousand. Every error is printed once per attempt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from investigator.formats.agent_errors import classify, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.jsonl import JsonlParser, Noise, Outcome
from investigator.formats.prompts import text_hash
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import NO_STAMP, iso_stamp

_SESSION = re.compile(r"# aider chat started at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")
_MODEL = re.compile(r"> (?:Main model|Model): (\S+) with ")
_TOKENS = re.compile(r"> Tokens: ([\d.,]+k?) sent(?:, [\d.,]+k? cache (?:write|hit))*, ([\d.,]+k?) received")
_ERROR = re.compile(r"> (litellm\.\w+: .*)", re.S)
_PASSED = re.compile(r"(TO LLM|LLM RESPONSE) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\s*$")


def rounded_tokens(text: str) -> int | None:
    """ "920" or "12k" as a number."""
    digits = text.rstrip("k").replace(",", "")
    try:
        return round(float(digits) * (1000 if text.endswith("k") else 1))
    except ValueError:
        return None


def _provider_model(name: str | None) -> tuple[str | None, str | None]:
    provider, slash, model = (name or "").partition("/")
    return (provider, model) if slash else (None, name)


@dataclass(slots=True)
class ChatHistoryReader:
    """Remembers when the session began (its only time, and its id) and which model it uses."""

    session_id: str | None = None
    model: str | None = None
    in_prompt: bool = False

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        text = raw.decode("utf-8", "replace")
        if found := _SESSION.match(text):
            self._begin(found.group(1), at, rows)
            return None
        if found := _MODEL.match(text):
            self.model = found.group(1)
            self._add("agent_config", at, rows, setting="default_model", key="--model", value=self.model)
            return None
        if found := _TOKENS.match(text):
            sent, received = map(rounded_tokens, found.groups())
            self._add("agent_call", at, rows, estimated_tokens=sent, output_tokens=received, finish_reason="stop")
            return None
        if found := _ERROR.match(text):
            self._add("agent_error", at, rows, **error_cells(classify(found.group(1)), found.group(1)))
            return None
        if text.startswith("#### "):
            return self._prompt(text, at, rows)
        self.in_prompt = False
        return Noise("retry" if text.startswith("> Retrying in") else "conversation")

    def _prompt(self, text: str, at: At, rows: Rows) -> Outcome:
        """A message is printed line by line; the first line stands for it."""
        if self.in_prompt:
            return Noise("prompt or answer")
        self.in_prompt = True
        rows.add("agent_prompt", at, agent="aider", session_id=self.session_id, role="user", text_hash=text_hash(text))
        return None

    def _begin(self, printed: str, at: At, rows: Rows) -> None:
        self.session_id = printed.replace(" ", "T")
        stamp = iso_stamp(self.session_id)
        rows.add("agent_session", at, stamp, agent="aider", session_id=self.session_id)

    def _add(self, table: str, at: At, rows: Rows, **cells: object) -> None:
        provider, model = _provider_model(self.model)
        if table != "agent_config":
            cells["session_id"] = self.session_id
        rows.add(table, at, NO_STAMP, agent="aider", provider=provider, model=model, **cells)


class LlmHistoryReader:
    """Each request and answer has a head line with its time; the lines between are the prompt."""

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        found = _PASSED.match(raw.decode("utf-8", "replace"))
        if found is None:
            return Noise("prompt or answer")
        event = "start" if found.group(1) == "TO LLM" else "end"
        rows.add("agent_http", at, iso_stamp(found.group(2)), agent="aider", event=event)
        return None


@dataclass(frozen=True, slots=True)
class AiderHistoryFormat:
    id: str = "aider-history"
    title: str = "Aider, chat history (.aider.chat.history.md)"
    side: Side = "agent"
    versions: str = "Aider 0.60-0.86"

    def recognise(self, head: bytes, path: str) -> float:
        return 0.95 if re.search(rb"(?m)^# aider chat started at \d{4}-", head) else 0.0

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, ChatHistoryReader())


@dataclass(frozen=True, slots=True)
class AiderLlmHistoryFormat:
    id: str = "aider-llm-history"
    title: str = "Aider, LLM history (--llm-history-file)"
    side: Side = "agent"
    versions: str = "Aider 0.60-0.86"

    def recognise(self, head: bytes, path: str) -> float:
        return 0.95 if re.match(rb"\s*TO LLM \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\s*\n-----", head) else 0.0

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, LlmHistoryReader())
