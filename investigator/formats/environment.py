"""Environment files, shell exports, systemd units and drop-ins: settings of Ollama and of agents (environment.yaml).

Only variables of the table are stored; values of all others are hidden, also in the lines that are kept as evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import polars as pl

from investigator.formats.base import Parsed, Side, SourceInfo
from investigator.formats.document import DocumentParser, Text
from investigator.formats.masking import MASK, is_secret_name, masked
from investigator.formats.rows import At, Rows
from investigator.formats.settings import number_of
from investigator.formats.stamps import NO_STAMP
from investigator.sources.chunks import Chunk
from investigator.yamltext import load as load_yaml

_VARIABLE = re.compile(
    r"""([A-Z][A-Z0-9_]{2,80})=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s"';]*))""",
)
_LINE = re.compile(
    r"""\s*(?:export\s+|set\s+-gx\s+|Environment=\s*|launchctl\s+setenv\s+|ENV\s+|-\s+)?["']?[A-Z][A-Z0-9_]{2,80}="""
)
_SETENV = re.compile(r"""(launchctl\s+setenv\s+|set\s+-gx\s+|\$env:)([A-Z][A-Z0-9_]{2,80})\s*[ =]\s*""")
_VALUE_CHARS = 300


@cache
def _table() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = load_yaml(files(__package__).joinpath("environment.yaml").read_text("utf-8"))
    return loaded


def _is_server(name: str) -> bool:
    return name.startswith(tuple(_table()["server_prefixes"]))


def _is_known(name: str) -> bool:
    return name in _table()["agent"] or _is_server(name)


def variables(line: str) -> Iterator[tuple[str, str]]:
    """The assignments on a line that is no comment: NAME=value, quoted or not, also in `Environment="A=1" "B=2"`."""
    text = _SETENV.sub(lambda found: f"{found.group(2)}=", line)
    if text.lstrip().startswith(("#", ";", "//")):
        return
    if text.lstrip().startswith("Environment="):
        inner = text.split("=", 1)[1].strip()
        words = re.findall(r"\"([^\"]*)\"|'([^']*)'|(\S+)", inner)
        for word in (next(part for part in parts if part or not any(parts)) for parts in words):
            name, equals, value = word.partition("=")
            if equals:
                yield name, value
        return
    for found in _VARIABLE.finditer(text):
        yield found.group(1), next((part for part in found.groups()[1:] if part is not None), "")


class EnvironmentReader:
    """Each known variable is one fact; the last of repeated ones wins wherever it is read."""

    def read(self, document: Text, rows: Rows) -> At | None:
        for at, line in document.lines():
            for name, value in variables(line):
                _add(name, value, at, rows)
        return None


def _add(name: str, value: str, at: At, rows: Rows) -> None:
    kept = MASK if is_secret_name(name) else masked(value)[:_VALUE_CHARS]
    setting = _table()["agent"].get(name)
    if setting is not None:
        rows.add(
            "agent_config",
            at,
            NO_STAMP,
            agent=setting["agent"],
            setting=setting["setting"],
            key=name,
            model=kept if setting["setting"].endswith("_model") else None,
            value=kept,
            value_num=number_of(value, setting.get("scale", 1.0)),
        )
    elif _is_server(name):
        rows.add("server_config", at, NO_STAMP, key=name, value=kept)


@dataclass(slots=True)
class EnvironmentParser:
    """A document whose kept lines hide the values of variables that we do not know."""

    inner: DocumentParser

    def feed(self, chunk: Chunk) -> Parsed:
        parsed = self.inner.feed(chunk)
        texts = [hidden(text) for text in parsed.evidence["text"].to_list()]
        evidence = parsed.evidence.with_columns(pl.Series("text", texts, dtype=pl.String))
        return replace(parsed, evidence=evidence)


def hidden(line: str) -> str:
    """The line with the value of every unknown or secret variable replaced."""
    text = line
    for name, value in variables(line):
        if value and (not _is_known(name) or is_secret_name(name)):
            text = text.replace(value, MASK)
    return text


@dataclass(frozen=True, slots=True)
class EnvironmentFormat:
    id: str = "environment"
    title: str = "environment file, shell exports or systemd drop-in (OLLAMA_… and agents' variables)"
    side: Side = "snapshot"
    versions: str = "any"

    def recognise(self, head: bytes, path: str) -> float:
        lines = [line for line in head.decode("utf-8", "replace").splitlines() if line.strip()]
        plain = [line for line in lines if not line.lstrip().startswith(("#", ";", "["))]
        assigned = [line for line in plain if _LINE.match(line) or _SETENV.match(line.lstrip())]
        if not any(_is_known(name) for line in assigned for name, _ in variables(line)):
            return 0.0
        unit = any(line.strip() in ("[Service]", "[Unit]") for line in lines)
        return 0.9 if unit or len(assigned) >= 0.7 * len(plain) else 0.0

    def parser(self, info: SourceInfo) -> EnvironmentParser:
        return EnvironmentParser(DocumentParser(info, EnvironmentReader()))
