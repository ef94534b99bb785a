"""Agents' logs as text with a head per message, by console-logs.yaml. agent-logs.md §8, §16, §19, §20."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from investigator.formats.agent_errors import classify, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.jsonl import JsonlParser, Noise, Outcome, Unknown
from investigator.formats.masking import masked
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import iso_stamp
from investigator.yamltext import load as load_yaml

_MESSAGE_CHARS = 1000
_HEAD_LINES = 40


@dataclass(frozen=True, slots=True)
class ConsoleLog:
    """One entry of console-logs.yaml."""

    id: str
    title: str
    agent: str
    versions: str
    head: re.Pattern[str]
    needs: tuple[bytes, ...]
    errors: frozenset[str]
    notices: frozenset[str]


@cache
def console_logs() -> Mapping[str, ConsoleLog]:
    """Format id → its description."""
    raw = load_yaml(files(__package__).joinpath("console-logs.yaml").read_text("utf-8"))
    return {
        name: ConsoleLog(
            id=name,
            title=spec["title"],
            agent=spec["agent"],
            versions=spec["versions"],
            head=re.compile(spec["head"]),
            needs=tuple(text.encode() for text in spec.get("needs", ())),
            errors=frozenset(spec["errors"]),
            notices=frozenset(spec["notices"]),
        )
        for name, spec in raw["formats"].items()
    }


@dataclass(slots=True)
class ConsoleLogReader:
    """Remembers whether a message is open: lines without a head go on with it."""

    log: ConsoleLog
    open: bool = False

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        found = self.log.head.match(raw.decode("utf-8", "replace"))
        if found is None:
            return Noise("further line of a message") if self.open else Unknown("line without a head")
        self.open = True
        parts = found.groupdict()
        level, text = parts["level"], parts["text"]
        stamp = iso_stamp(parts.get("stamp"))
        if level in self.log.errors:
            return self._error(parts, text, at, rows)
        if level in self.log.notices:
            origin = parts.get("origin") or self.log.agent
            message = masked(text[:_MESSAGE_CHARS])
            rows.add("notice", at, stamp, level=level.upper(), origin=origin, message=message)
            return None
        return Noise("log")

    def _error(self, parts: Mapping[str, str | None], text: str, at: At, rows: Rows) -> Outcome:
        """An error that names what happened to a call; others are kept as notices."""
        stamp, facts = iso_stamp(parts.get("stamp")), classify(text)
        if facts.error_class == "other":
            origin = parts.get("origin") or self.log.agent
            rows.add("notice", at, stamp, level="ERROR", origin=origin, message=masked(text[:_MESSAGE_CHARS]))
            return None
        cells = {**error_cells(facts, text), "limit_s": facts.limit_s, "session_id": parts.get("session")}
        rows.add("agent_error", at, stamp, agent=self.log.agent, **cells)
        return None


@dataclass(frozen=True, slots=True)
class ConsoleLogFormat:
    """A text log of console-logs.yaml."""

    id: str

    @property
    def title(self) -> str:
        return console_logs()[self.id].title

    @property
    def side(self) -> Side:
        return "agent"

    @property
    def versions(self) -> str:
        return console_logs()[self.id].versions

    def recognise(self, head: bytes, path: str) -> float:
        log = console_logs()[self.id]
        if log.needs and not any(need in head for need in log.needs):
            return 0.0
        lines = [line for line in head.decode("utf-8", "replace").splitlines()[:_HEAD_LINES] if line.strip()]
        mine = sum(1 for line in lines if log.head.match(line))
        # A traceback may follow any head: a few heads are enough, but the file must begin with one.
        return 0.9 if lines and mine and log.head.match(lines[0]) else 0.0

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, ConsoleLogReader(console_logs()[self.id]))
