"""What agents print when they run without a screen, by agent-output.yaml. Nothing in it has a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from investigator.formats.agent_errors import NETWORK_CLASSES, OPEN_CLASSES, classify, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.jsonl import JsonlParser, Noise, Outcome
from investigator.formats.masking import masked
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import NO_STAMP
from investigator.yamltext import load as load_yaml

_COLOURS = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
_NUMBERS = frozenset({"attempt"})
#: A longer line is no message of an agent.
_LINE_CHARS = 4000


@dataclass(frozen=True, slots=True)
class LineRule:
    """One kind of line, and the fact that it becomes (or the name of the noise)."""

    match: re.Pattern[str]
    table: str | None
    setting: str | None
    key: str | None
    event: str | None
    noise: str | None


@dataclass(frozen=True, slots=True)
class Output:
    """One entry of agent-output.yaml."""

    id: str
    title: str
    agent: str
    versions: str
    recognise: tuple[re.Pattern[bytes], ...]
    lines: tuple[LineRule, ...]
    wrapped: re.Pattern[str] | None = None


@cache
def agent_outputs() -> Mapping[str, Output]:
    """Format id → its description."""
    raw = load_yaml(files(__package__).joinpath("agent-output.yaml").read_text("utf-8"))
    return {
        name: Output(
            id=name,
            title=spec["title"],
            agent=spec["agent"],
            versions=spec["versions"],
            recognise=tuple(re.compile(pattern.encode()) for pattern in spec["recognise"]),
            lines=tuple(_rule(rule) for rule in spec["lines"]),
            wrapped=re.compile(spec["wrapped"]) if "wrapped" in spec else None,
        )
        for name, spec in raw["formats"].items()
    }


def _rule(raw: Mapping[str, str]) -> LineRule:
    names = ("table", "setting", "key", "event", "noise")
    return LineRule(re.compile(raw["match"]), **{name: raw.get(name) for name in names})


@dataclass(slots=True)
class OutputReader:
    """Remembers the session and the last error: programs print their final error twice."""

    output: Output
    session_id: str | None = None
    last_error: str | None = None
    last_class: str | None = None
    begun: str | None = None

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        text = _COLOURS.sub(b"", raw[: 2 * _LINE_CHARS]).decode("utf-8", "replace").rstrip()[:_LINE_CHARS]
        if self.output.wrapped is not None:
            further = self.output.wrapped.match(text)
            if further is not None and self.begun is not None:
                return self._further(further[1], at, rows)
            self.begun = None
        for rule in self.output.lines:
            if found := rule.match.search(text):
                return self._told(rule, found.groupdict(), at, rows)
        return Noise("console")

    def _told(self, rule: LineRule, parts: Mapping[str, str | None], at: At, rows: Rows) -> Outcome:
        if rule.noise is not None:
            return Noise(rule.noise)
        self.session_id = parts.get("session_id") or self.session_id
        cells: dict[str, object] = {
            name: int(value) if name in _NUMBERS else masked(value)
            for name, value in parts.items()
            if value is not None and name not in ("error_text", "session_id")
        }
        cells |= {"agent": self.output.agent}
        if rule.setting is not None:
            provider = {"provider": parts["provider"]} if parts.get("provider") else {}
            about = {"setting": rule.setting, "key": rule.key, "value": masked(parts["value"] or ""), **provider}
            rows.add("agent_config", at, NO_STAMP, agent=self.output.agent, **about)
            return None
        error = parts.get("error_text")
        if rule.table == "agent_error":
            return self._error(error or "", cells, at, rows)
        if rule.table == "agent_http":
            facts = error_cells(classify(error), error) if error else {}
            kept = {key: facts[key] for key in ("error_class", "error_text", "http_status") if key in facts}
            rows.add("agent_http", at, NO_STAMP, **cells, **kept, session_id=self.session_id, event=rule.event)
            return None
        rows.add(rule.table or "agent_session", at, NO_STAMP, **cells, session_id=self.session_id)
        return None

    def _further(self, text: str, at: At, rows: Rows) -> Outcome:
        """A line that goes on with an error whose begin said too little: the line that tells it has the fact."""
        self.begun = f"{self.begun} {text}"[:_LINE_CHARS]
        return self._error(self.begun, {"agent": self.output.agent}, at, rows)

    def _error(self, text: str, cells: dict[str, object], at: At, rows: Rows) -> Outcome:
        facts = classify(text)
        if facts.error_class == "other" or (self.output.wrapped is not None and _goes_on(facts.error_class, text)):
            self.begun = text
            return Noise("console")
        self.begun = None
        # A chain of exceptions tells the cause first, and then what the SDK makes of it.
        outer = facts.error_class in OPEN_CLASSES and self.last_class in NETWORK_CLASSES
        if text == self.last_error or outer:
            return Noise("error told before")
        self.last_error, self.last_class = text, facts.error_class
        cells |= {**error_cells(facts, text), "limit_s": facts.limit_s, "session_id": self.session_id}
        rows.add("agent_error", at, NO_STAMP, **cells)
        return None


def _goes_on(error_class: str, text: str) -> bool:
    """Whether a wrapped error's next line may say more: what was wrong, or the numbers that were cut off."""
    cut = error_class == "context_overflow" and text.count("(") > text.count(")")
    return cut or error_class == "bad_request"


@dataclass(frozen=True, slots=True)
class AgentOutputFormat:
    """An entry of agent-output.yaml."""

    id: str

    @property
    def title(self) -> str:
        return agent_outputs()[self.id].title

    @property
    def side(self) -> Side:
        return "agent"

    @property
    def versions(self) -> str:
        return agent_outputs()[self.id].versions

    def recognise(self, head: bytes, path: str) -> float:
        return 0.95 if any(pattern.search(head) for pattern in agent_outputs()[self.id].recognise) else 0.0

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, OutputReader(agent_outputs()[self.id]))
