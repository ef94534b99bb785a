"""How many failures a run's own files show: counted from the raw text, not through our formats.

An SDK that repeats a request behind the agent's back leaves no line for it; what only the wire saw is not counted.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

#: Agent → part of its file's name, and the words that stand once for each request that failed.
_LINES: dict[str, tuple[str, str]] = {
    "opencode": ("opencode.log", r'level=ERROR .*message="stream error"'),
    "cline": ("cline.log", r"Agent loop caught error"),
    "claude-code": ("claude-debug", r"API error \(attempt"),
    "openclaw": ("openclaw-20", r'\[model-fetch\] (?:error|response [^"]* status=[45])'),
    "pi": (".jsonl", r'"stopReason":"error"'),
    "aider": (".aider.chat.history.md", r"^(?:> )?litellm\.[A-Za-z]*(?:Error|Timeout)"),
}
_SPAN_FAILED = 2


def visible_failures(run: Path, expected: Mapping[str, Any], on_wire: Mapping[str, int]) -> dict[str, int]:
    """By kind (of `on_wire`): what the agent's files or the server's log show of it, at most what was on the wire.

    Refusals are in the server's log; so are clients that left a task that was still working.
    """
    lines = agent_lines(run)
    facts = expected.get("server_log_facts") or {}
    refused = len(facts.get("context_exceeded", []))
    left = len(facts.get("cancelled_tasks", [])) - refused
    shown = {"http_400": max(lines, refused), "client_closed": max(lines - refused, left)}
    counted = all(isinstance(count, int) for count in (expected.get("failures") or {}).values())
    return {
        kind: max(0, min(wire, shown.get(kind, lines - refused)) if counted else lines)
        for kind, wire in on_wire.items()
    }


def agent_lines(run: Path) -> int:
    """Failed requests that the agent's files tell of; a second file is a copy of the first."""
    if run.parent.name.startswith("otel"):
        return sum(_failed_spans(path) for path in (run / "agent").rglob("traces.jsonl"))
    name, words = _LINES.get(run.parent.name, ("\n", ""))
    files = (path for path in (run / "agent").rglob("*") if name in path.name and path.is_file())
    told = re.compile(words)
    return max((sum(bool(told.search(line)) for line in _text(path).splitlines()) for path in files), default=0)


def _text(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8", "replace")


def _failed_spans(path: Path) -> int:
    spans = (span for line in _text(path).splitlines() for span in _spans(json.loads(line)))
    return sum(
        (span.get("status") or {}).get("code") == _SPAN_FAILED
        and any(a["key"].startswith("gen_ai.") for a in span.get("attributes", []))
        for span in spans
    )


def _spans(record: Any) -> Iterator[dict[str, Any]]:
    for resource in record.get("resourceSpans", []):
        for scope in resource.get("scopeSpans", []):
            yield from scope.get("spans", [])
