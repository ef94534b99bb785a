"""Records of OpenClaw's gateway log: a tslog object per line, text or structured, brought to one shape."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from investigator.formats.stamps import Stamp, iso_stamp

_PAIR = re.compile(r'([A-Za-z_][\w.]*)=("(?:[^"\\]|\\.)*"|\[[^\]]*\]|\S*)')


class _Meta(msgspec.Struct):
    date: str | None = None
    logLevelName: str | None = None
    name: str | None = None


class _Line(msgspec.Struct, rename={"zero": "0", "one": "1", "two": "2", "three": "3", "meta": "_meta"}):
    zero: msgspec.Raw = msgspec.Raw(b"")
    one: msgspec.Raw = msgspec.Raw(b"")
    two: msgspec.Raw = msgspec.Raw(b"")
    three: msgspec.Raw = msgspec.Raw(b"")
    meta: _Meta = msgspec.field(default_factory=_Meta)
    time: str | None = None
    level: str | None = None
    subsystem: str | None = None
    message: str | None = None
    session_id: str | None = None
    traceId: str | None = None
    spanId: str | None = None


_LINE = msgspec.json.Decoder(_Line)


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One line. text: the message; data: the structured object's fields; level: DEBUG, INFO, WARN, ERROR or FATAL."""

    subsystem: str
    text: str
    data: dict[str, object]
    level: str
    stamp: Stamp

    def fields(self, rest: str | None) -> dict[str, object]:
        """Structured fields, and the `key=value` pairs of the text; the pair named `rest` runs to the text's end."""
        return {**pairs(self.text, rest), **self.data}


def decode_record(raw: bytes) -> LogRecord | None:
    """One line of the file log or of the JSON console; None for a JSON object that is neither.

    Raises msgspec.MsgspecError when the line is no such JSON object.
    """
    line = _LINE.decode(raw)
    parts = [msgspec.json.decode(part) for part in (line.zero, line.one, line.two, line.three) if bytes(part)]
    if not parts and line.message is None:
        return None
    subsystem = line.subsystem or ""
    if parts and isinstance(parts[0], str) and (named := _subsystem(parts[0])) is not None:
        subsystem, parts = named, parts[1:]
    texts = [part for part in parts if isinstance(part, str)]
    data = {str(key): value for part in parts if isinstance(part, dict) for key, value in part.items()}
    known = {"session_id": line.session_id, "traceId": line.traceId, "spanId": line.spanId}
    text = texts[-1] if texts else line.message or ""
    if text == "verbose" and isinstance(data.get("message"), str):
        text = str(data["message"])
    printed, written = iso_stamp(line.time), iso_stamp(line.meta.date)
    stamp = Stamp(written.at, written.kind, printed.offset_s) if written.at else printed
    level = (line.meta.logLevelName or line.level or "").upper()
    return LogRecord(subsystem, text, {**{k: v for k, v in known.items() if v}, **data}, level, stamp)


def _subsystem(text: str) -> str | None:
    """The first part of a line is a JSON string `{"subsystem":"agent/embedded"}` when a subsystem wrote it."""
    if not text.startswith("{"):
        return None
    try:
        named = msgspec.json.decode(text.encode("utf-8", "replace"))
    except (msgspec.MsgspecError, RecursionError):
        return None
    name = named.get("subsystem") or named.get("module") if isinstance(named, dict) else None
    return name if isinstance(name, str) else None


def pairs(text: str, rest: str | None = None) -> dict[str, object]:
    """`key=value` pairs of a text, values as written without quotes; the first `rest=` takes all that follows it."""
    tail: dict[str, object] = {}
    if rest is not None and (at := text.find(f" {rest}=")) >= 0:
        tail[rest] = _unquoted(text[at + len(rest) + 2 :])
        text = text[:at]
    found: dict[str, object] = {}
    for key, value in _PAIR.findall(text):
        found.setdefault(key, _unquoted(value.rstrip(",;")))
    _split_model(found)
    return {**found, **tail}


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def _split_model(found: dict[str, object]) -> None:
    """`provider=P/M` names both; a model's own name may hold further slashes."""
    provider, slash, model = str(found.get("provider", "")).partition("/")
    if slash:
        found["providerOfModel"], found["modelOfProvider"] = provider, model
