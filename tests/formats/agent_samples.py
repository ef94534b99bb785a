"""Samples of the agents' and snapshots' formats: tests/formats/samples/<format id>/*.yaml.

- name: what it shows
  versions: who wrote such lines
  path: optional file name, where a format uses it to break ties
  text: the lines
  facts: {table: [{column: value}, …]}     the facts in order; only the named columns are compared
  noise: {kind: lines}                     optional
  unrecognised: [shape, …]                 optional; default none
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from investigator.formats.agents import AGENT_FORMATS, SNAPSHOT_FORMATS
from investigator.formats.base import Format, Parsed, SourceInfo
from investigator.sources.chunks import Chunk
from investigator.yamltext import load as load_yaml

SAMPLES = Path(__file__).with_name("samples")
FORMATS: tuple[Format, ...] = (*AGENT_FORMATS, *SNAPSHOT_FORMATS)


@dataclass(frozen=True)
class Sample:
    format: Format
    name: str
    text: str
    path: str
    facts: Mapping[str, list[Mapping[str, object]]]
    noise: Mapping[str, int] | None
    unrecognised: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.format.id}: {self.name}"


def samples() -> list[Sample]:
    """All samples of the agents' formats, in order of format and file."""
    found = []
    for candidate in FORMATS:
        for file in sorted((SAMPLES / candidate.id).glob("*.yaml")):
            for raw in load_yaml(file.read_text("utf-8")):
                found.append(
                    Sample(
                        candidate,
                        raw["name"],
                        raw["text"],
                        raw.get("path", "logs/sample"),
                        raw.get("facts", {}),
                        raw.get("noise"),
                        raw.get("unrecognised", []),
                    )
                )
    return found


def parse(fmt: Format, data: bytes, path: str = "logs/sample", cuts: tuple[int, ...] = ()) -> list[Parsed]:
    """Feed `data`, cut after the given line numbers, and return what came out."""
    parser, lines = fmt.parser(SourceInfo(7, path)), data.split(b"\n")
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(lines)}), len(lines)]
    parts: list[Chunk] = []
    offset = 0
    for start, end in pairwise(edges):
        last = end == len(lines)
        data = b"\n".join(lines[start:end]) + (b"" if last else b"\n")
        parts.append(Chunk(data, offset, start + 1, last))
        offset += len(data)
    return [parser.feed(part) for part in parts]


def adds_up(parsed: Parsed) -> bool:
    """Whether every line is accounted for exactly once."""
    counted = parsed.fact_lines + sum(parsed.noise.values()) + parsed.foreign_lines + parsed.unrecognised.height
    return parsed.lines == counted


def line_count(data: bytes) -> int:
    return data.count(b"\n") + (0 if data.endswith(b"\n") or not data else 1)
