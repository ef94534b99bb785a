"""What Aider prints (stdout). The chat history tells the calls; the console tells limits that the history leaves out.

agent-logs.md §13; verified: 0.86.2 with --verbose. Nothing here has a time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from investigator.formats.base import Side, SourceInfo
from investigator.formats.jsonl import JsonlParser, Noise, Outcome
from investigator.formats.masking import masked
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import NO_STAMP

_MODEL = re.compile(r"(?:Main model|Model): (\S+) with (\w[\w -]*) edit format")
_TIMEOUT = re.compile(r'\s*"timeout": (\d+(?:\.\d+)?),?\s*$')
_NUM_CTX = re.compile(r'\s*"num_ctx": (\d+),?\s*$')
_VERSION = re.compile(r"Aider v(\d[\w.]*)\s*$")
_TELLING = (b"edit format", b"Aider v", b"Tokens: ", b"--model-metadata-file", b"Git repo: ")


@dataclass(slots=True)
class AiderConsoleReader:
    """Remembers the model; the same keyword arguments are printed with every request and kept once."""

    model: str | None = None
    told: set[str] | None = None

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        text = raw.decode("utf-8", "replace")
        if found := _VERSION.match(text):
            rows.add("agent_session", at, NO_STAMP, agent="aider", agent_version=found[1])
        elif found := _MODEL.match(text):
            self.model = found[1]
            self._setting(rows, at, "default_model", "--model", masked(found[1]), None)
        elif found := _TIMEOUT.match(text):
            self._setting(rows, at, "request_timeout_s", "--timeout", found[1], float(found[1]))
        elif found := _NUM_CTX.match(text):
            self._setting(rows, at, "num_ctx_tokens", "extra_params.num_ctx", found[1], float(found[1]))
        return Noise("console")

    def _setting(self, rows: Rows, at: At, setting: str, key: str, value: str, number: float | None) -> None:
        self.told = self.told or set()
        if f"{setting}={value}" in self.told:
            return
        self.told.add(f"{setting}={value}")
        provider, slash, name = (self.model or "").partition("/")
        about = {"provider": provider if slash else None, "model": (name if slash else provider) or None}
        rows.add(
            "agent_config",
            at,
            NO_STAMP,
            agent="aider",
            **about,
            setting=setting,
            key=key,
            value=value,
            value_num=number,
        )


@dataclass(frozen=True, slots=True)
class AiderConsoleFormat:
    id: str = "aider-console"
    title: str = "Aider, console output"
    side: Side = "agent"
    versions: str = "Aider 0.60-0.86"

    def recognise(self, head: bytes, path: str) -> float:
        if head.lstrip().startswith((b"{", b"[", b"#")):
            return 0.0
        version = re.search(rb"(?m)^Aider v\d[\w.]*\s*$", head) is not None
        config = head.startswith(b"Config files search order") and b".aider.conf.yml" in head[:2000]
        return 0.9 if config or (version and sum(1 for word in _TELLING if word in head) >= 2) else 0.0

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, AiderConsoleReader())
