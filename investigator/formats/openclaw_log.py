"""OpenClaw's gateway log: runs, the limits that ended them, what the HTTP layer saw. Patterns: openclaw_log.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from investigator.formats.agent_errors import ERROR_TEXT_CHARS, classify_best
from investigator.formats.base import Side, SourceInfo
from investigator.formats.jsonl import JsonlParser, Noise, Outcome, Unknown, head_objects
from investigator.formats.masking import masked
from investigator.formats.openclaw_records import LogRecord, decode_record
from investigator.formats.rows import At, Rows
from investigator.yamltext import load as load_yaml

_LOUD = frozenset({"WARN", "ERROR", "FATAL"})
_VARIABLE = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{20,}|(?<==)\S+|/\S+|\d+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?$")
_MESSAGE_CHARS = 1000
#: What a failed HTTP request takes from its error text.
_HTTP = ("error_class", "error_text", "limit_s")


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of a pattern: constants, columns taken from fields, and columns in seconds taken from milliseconds."""

    table: str
    set: Mapping[str, object]
    take: Mapping[str, tuple[str, ...]]
    ms: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One kind of record; see the head of openclaw_log.yaml."""

    name: str
    starts: str
    when: Mapping[str, str]
    rest: str | None
    error: tuple[str, ...]
    error_text: str | None
    noise: str | None
    facts: tuple[Fact, ...]

    def applies(self, fields: Mapping[str, object]) -> bool:
        return all(str(fields.get(key)).lower() == value for key, value in self.when.items())


@dataclass(frozen=True, slots=True)
class Patterns:
    patterns: tuple[Pattern, ...]
    noise_starts: Mapping[str, str]
    noise_subsystems: Mapping[str, str]


def _fact(raw: Mapping[str, Any]) -> Fact:
    def fields(key: str) -> dict[str, tuple[str, ...]]:
        return {column: tuple(names) for column, names in raw.get(key, {}).items()}

    return Fact(raw["table"], raw.get("set", {}), fields("take"), fields("ms"))


def _pattern(raw: Mapping[str, Any]) -> Pattern:
    return Pattern(
        name=raw["name"],
        starts=raw["starts"],
        when={key: str(value).lower() for key, value in raw.get("when", {}).items()},
        rest=raw.get("rest"),
        error=tuple(raw.get("error", ())),
        error_text=raw.get("error_text"),
        noise=raw.get("noise"),
        facts=tuple(map(_fact, raw.get("facts", ()))),
    )


@cache
def patterns() -> Patterns:
    """The table of openclaw_log.yaml."""
    raw = load_yaml(files(__package__).joinpath("openclaw_log.yaml").read_text("utf-8"))
    return Patterns(tuple(map(_pattern, raw["patterns"])), raw["noise"]["starts"], raw["noise"]["subsystems"])


class OpenClawLogReader:
    """Understands the gateway log line by line; nothing is remembered between lines."""

    line_local = True

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        record = decode_record(raw)
        if record is None:
            return Unknown("JSON object without a message")
        return read_message(record, at, rows)


def read_message(record: LogRecord, at: At, rows: Rows) -> Outcome:
    """What one message of OpenClaw says, wherever it was printed."""
    for pattern in patterns().patterns:
        if record.text.startswith(pattern.starts):
            fields = record.fields(pattern.rest)
            if pattern.applies(fields):
                return _apply(pattern, fields, record, at, rows)
    return _unmatched(record, at, rows)


def _apply(pattern: Pattern, fields: Mapping[str, object], record: LogRecord, at: At, rows: Rows) -> Outcome:
    if pattern.noise:
        return Noise(pattern.noise)
    fields = {**fields, "text": masked(record.text[:_MESSAGE_CHARS]), "level": record.level}
    errors = _errors(pattern, fields)
    for fact in pattern.facts:
        cells: dict[str, object] = dict(fact.set)
        cells.update({column: _value(fields, names) for column, names in fact.take.items()})
        cells.update({column: _seconds(_value(fields, names)) for column, names in fact.ms.items()})
        if fact.table in ("agent_error", "agent_http"):
            kept = errors if fact.table == "agent_error" else {key: errors[key] for key in _HTTP if key in errors}
            cells.update({key: value for key, value in kept.items() if value is not None})
        if fact.table != "notice":
            cells["agent"] = "openclaw"
        if not (fact.table == "agent_config" and cells.get("value") is None):
            rows.add(fact.table, at, record.stamp, **cells)
    return None


def _errors(pattern: Pattern, fields: Mapping[str, object]) -> dict[str, object]:
    texts = [str(fields[name]) for name in pattern.error if fields.get(name) not in (None, "undefined", "")]
    if not texts:
        return {}
    error = classify_best(*texts)
    text = str(fields.get(pattern.error_text or "", texts[0]))
    return {
        "error_class": error.error_class,
        "error_text": masked(text[:ERROR_TEXT_CHARS]),
        "http_status": error.http_status,
        "limit_s": error.limit_s,
        "asked_tokens": error.asked_tokens,
        "window_tokens": error.window_tokens,
    }


def _value(fields: Mapping[str, object], names: tuple[str, ...]) -> object:
    """The first field that is there; numbers and booleans as such, `undefined` and `unknown` as missing."""
    for name in names:
        value = fields.get(name)
        if value in (None, "", "undefined", "unknown", "null"):
            continue
        if isinstance(value, str) and _NUMBER.match(value) and len(value) < 18:
            return float(value) if "." in value else int(value)
        return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
    return None


def _seconds(value: object) -> float | None:
    return value / 1000 if isinstance(value, int | float) and not isinstance(value, bool) else None


def _unmatched(record: LogRecord, at: At, rows: Rows) -> Outcome:
    known = patterns()
    for begin, kind in known.noise_starts.items():
        if record.text.startswith(begin):
            return Noise(kind)
    if record.subsystem in known.noise_subsystems:
        return Noise(known.noise_subsystems[record.subsystem])
    if record.level in _LOUD:
        origin = record.subsystem or "openclaw"
        message = masked(record.text[:_MESSAGE_CHARS])
        rows.add("notice", at, record.stamp, level=record.level, origin=origin, message=message)
        return None
    shape = _VARIABLE.sub("…", record.text[:120])
    return Unknown(f"{record.subsystem or '-'}: {shape[:80]}")


@dataclass(frozen=True, slots=True)
class OpenClawLogFormat:
    id: str = "openclaw-log"
    title: str = "OpenClaw, gateway log"
    side: Side = "agent"
    versions: str = "OpenClaw 2026.1-2026.9"

    def recognise(self, head: bytes, path: str) -> float:
        records = head_objects(head)
        if not records:
            return 0.0
        mine = sum(1 for record in records if _is_mine(record))
        return 0.95 * mine / len(records)

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, OpenClawLogReader())


def _is_mine(record: Mapping[str, object]) -> bool:
    """tslog's `_meta` with OpenClaw's logger, or the JSON console's subsystem of OpenClaw."""
    meta = record.get("_meta")
    if not isinstance(meta, dict) or "logLevelName" not in meta:
        return False
    parents = meta.get("parentNames")
    named = str(meta.get("name", ""))
    # The excerpted records of newer releases leave out the parents; the numbered keys are tslog's own.
    return "openclaw" in (parents or ()) or named in ("openclaw", "clawdbot") or "subsystem" in str(record.get("0", ""))
