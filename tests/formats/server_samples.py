"""Samples of server log lines, kept as data: text, versions and the facts or the noise kind expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from investigator.formats.base import Format, Parsed, SourceInfo
from investigator.formats.registry import format_by_id
from investigator.sources.chunks import Chunk
from investigator.yamltext import load as load_yaml

SAMPLES = Path(__file__).parent / "samples"
SERVER_FORMATS = ("ollama-server", "llama-server")


@dataclass(frozen=True)
class Sample:
    """One sample. facts: table → one mapping or a list of them, in the order of the rows."""

    format: str
    file: str
    text: str
    versions: str
    facts: Mapping[str, Any]
    noise: str | None

    @property
    def data(self) -> bytes:
        return (self.text + "\n").encode()


def load_samples(format_id: str) -> list[Sample]:
    """Every sample of this format."""
    samples: list[Sample] = []
    for path in sorted((SAMPLES / format_id).glob("*.yaml")):
        for raw in load_yaml(path.read_text(encoding="utf-8")):
            samples.append(
                Sample(format_id, path.stem, raw["text"], str(raw["versions"]), raw.get("facts", {}), raw.get("noise"))
            )
    return samples


@cache
def parse(format_id: str, data: bytes) -> Parsed:
    """What the format makes of these bytes as one whole stream."""
    return feed(format_by_id(format_id), [data])


def feed(reader: Format, pieces: list[bytes]) -> Parsed:
    """Feed the pieces as chunks, handing what a parser leaves over to the next one, and join the results."""
    parser = reader.parser(SourceInfo(7, "server.log"))
    offset, line_no, left = 0, 1, b""
    results: list[Parsed] = []
    for number, piece in enumerate(pieces):
        data, last = left + piece, number == len(pieces) - 1
        result = parser.feed(Chunk(data, offset, line_no, last))
        left = data[result.consumed_bytes :]
        offset += result.consumed_bytes
        line_no += result.lines
        results.append(result)
    assert not left
    return join(results)


def join(results: list[Parsed]) -> Parsed:
    """The sum of the results of consecutive chunks."""
    tables = sorted({table for result in results for table in result.facts})
    noise: dict[str, int] = {}
    for result in results:
        for kind, count in result.noise.items():
            noise[kind] = noise.get(kind, 0) + count
    return Parsed(
        facts={table: pl.concat([r.facts[table] for r in results if table in r.facts]) for table in tables},
        lines=sum(r.lines for r in results),
        fact_lines=sum(r.fact_lines for r in results),
        noise=noise,
        foreign_lines=sum(r.foreign_lines for r in results),
        unrecognised=pl.concat([r.unrecognised for r in results]),
        evidence=pl.concat([r.evidence for r in results]),
        consumed_bytes=sum(r.consumed_bytes for r in results),
    )
