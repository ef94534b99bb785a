"""The log of a Python program whose HTTP client tells its requests: httpx, and the SDKs of OpenAI and Anthropic on it.

httpx logs each response (INFO), whatever the program's own log looks like around it; an SDK that tries again says so,
and nothing else tells that an answer was refused before it came. Verified: openai 2.54, httpx 0.28; urllib3 2 (DEBUG).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from investigator.formats.agent_errors import NETWORK_CLASSES, OPEN_CLASSES, classify, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.jsonl import JsonlParser, Noise, Outcome
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import Stamp, iso_stamp

_PATHS = r"/(?:chat/completions|completions|responses|messages|api/chat|api/generate)\b"
_HTTPX = re.compile(
    rf'HTTP Request: POST (?P<url>\S+?{_PATHS})\S* "HTTP/[\d.]+ (?P<status>\d{{3}}) ?(?P<reason>[^"]*)"'
)
_URLLIB3 = re.compile(
    rf'(?P<url>https?://[^/\s]+) "POST \S*?{_PATHS}\S* HTTP/[\d.]+" (?P<status>\d{{3}})\b(?P<reason>)'
)
_AGAIN = re.compile(rf"Retrying request to \S*?{_PATHS}\S* in (?P<wait_s>[\d.]+) seconds")
#: The SDK's own name for what happened, at the end of a traceback; the exceptions below it stand before.
_RAISED = re.compile(r"^(?P<name>(?:[a-zA-Z_]\w*\.)*[A-Z]\w*): (?P<text>.+)$")
_SDKS = ("openai.", "anthropic.", "ollama.")
_BY_STATUS = ("server_loading", "rate_limited")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:[.,](\d{1,6})\d*)?(Z|[+-]\d\d:?\d\d)?")
_HEAD_CHARS, _LINE_CHARS = 160, 4000
_HINTS = (b"HTTP Request: POST ", b"Retrying request to ", b'"POST /')


def time_of(text: str) -> Stamp:
    """The date and time in the first part of a line, as most layouts of Python's logging write it."""
    found = _TIME.search(text[:_HEAD_CHARS])
    if found is None:
        return iso_stamp(None)
    day, clock, fraction, zone = found.groups()
    return iso_stamp(f"{day}T{clock}{'.' + fraction.ljust(6, '0') if fraction else ''}{zone or ''}")


@dataclass(slots=True)
class PythonHttpReader:
    """Remembers the time of the last line that has one, and what is known of the failure that is being told."""

    at: Stamp | None = None
    told: bool = False
    inner: str | None = None

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        text = raw[:_LINE_CHARS].decode("utf-8", "replace").rstrip()
        stamp = time_of(text)
        self.at = stamp if stamp.at is not None else self.at
        if found := _HTTPX.search(text) or _URLLIB3.search(text):
            return self._response(found, at, rows)
        if again := _AGAIN.search(text):
            return self._again(again, at, rows)
        if raised := _RAISED.match(text):
            return self._raised(raised["name"], raised["text"], at, rows)
        return Noise("log of the program")

    def _response(self, found: re.Match[str], at: At, rows: Rows) -> Outcome:
        status, reason = int(found["status"]), found["reason"].strip()
        self.told, self.inner = status >= 400, None
        cells: dict[str, object] = {"url": found["url"], "http_status": status}
        words = f"{status} {reason}".strip()
        # The call's own record has the words of an answer; of one that the SDK hides a status is all that is told.
        if self.told and (facts := classify(words)).error_class in _BY_STATUS:
            cells |= {"error_class": facts.error_class, "error_text": words}
        self._add("error" if self.told else "response", at, rows, **cells)
        return None

    def _again(self, found: re.Match[str], at: At, rows: Rows) -> Outcome:
        """Why, only a status has told before: without one it was refused, reset, lost or timed out."""
        told, self.told = self.told, False
        why = {} if told else {"error_class": "connection_error", "error_text": found[0]}
        self._add("retry", at, rows, elapsed_s=float(found["wait_s"]), **why)
        return None

    def _raised(self, name: str, text: str, at: At, rows: Rows) -> Outcome:
        """The exceptions of a chain, the innermost first: what the SDK makes of it says the least."""
        facts = classify(f"{name}: {text}")
        if not name.startswith(_SDKS):
            self.inner = facts.error_class if facts.error_class in NETWORK_CLASSES else self.inner
            return Noise("exception below the SDK's")
        kind = self.inner if facts.error_class in OPEN_CLASSES else facts.error_class
        inner, self.inner = self.inner, None
        told, self.told = self.told, False
        if told or (kind or inner) not in NETWORK_CLASSES:
            return Noise("exception of a failure that was told")
        self._add("error", at, rows, **{**error_cells(facts, f"{name}: {text}"), "error_class": kind})
        return None

    def _add(self, event: str, at: At, rows: Rows, **cells: object) -> None:
        kept = {name: value for name, value in cells.items() if name in _COLUMNS}
        rows.add("agent_http", at, self.at or iso_stamp(None), event=event, **kept)


_COLUMNS = frozenset({"url", "elapsed_s", "http_status", "error_class", "error_text"})


@dataclass(frozen=True, slots=True)
class PythonHttpFormat:
    """A program's own log with its HTTP client's lines in it. Any format that knows the program reads it better."""

    id: str = "python-http"
    title: str = "Python program, log with httpx's or urllib3's requests"
    side: Side = "agent"
    versions: str = "httpx 0.24-0.28, urllib3 2, openai 1.0-2.54"

    def recognise(self, head: bytes, path: str) -> float:
        if not any(hint in head for hint in _HINTS):
            return 0.0
        lines = head.decode("utf-8", "replace").splitlines()
        known = any(_HTTPX.search(line) or _URLLIB3.search(line) or _AGAIN.search(line) for line in lines)
        return 0.72 if known else 0.0

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, PythonHttpReader())
