"""A format that may be read on from the middle carries nothing from line to line: a new parser gives the same facts."""

from __future__ import annotations

import polars as pl
import pytest

from investigator.formats.base import SourceInfo
from investigator.formats.resume import resumes
from investigator.sources.chunks import Chunk
from tests.formats.agent_samples import Sample, samples

INFO = SourceInfo(1, "logs/sample")
RESUMED = [sample for sample in samples() if resumes(sample.format.parser(INFO))]


def facts(sample: Sample, cuts: list[int]) -> dict[str, pl.DataFrame]:
    """Facts of the sample read in pieces, each by a parser of its own."""
    data, found = sample.text.encode(), dict[str, list[pl.DataFrame]]()
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        chunk = Chunk(data[start:end], start, 1 + data[:start].count(b"\n"), end == len(data))
        for table, frame in sample.format.parser(SourceInfo(1, sample.path)).feed(chunk).facts.items():
            if frame.height:
                found.setdefault(table, []).append(frame)
    return {table: pl.concat(frames) for table, frames in found.items()}


def test_some_formats_resume() -> None:
    assert {"openclaw-log", "opencode-log", "claude-debug", "otel"} <= {sample.format.id for sample in RESUMED}


@pytest.mark.parametrize("sample", RESUMED, ids=str)
def test_a_new_parser_at_every_line_gives_the_same_facts(sample: Sample) -> None:
    data = sample.text.encode()
    cuts = [n + 1 for n, byte in enumerate(data) if byte == 10 and n + 1 < len(data)]
    whole, pieces = facts(sample, []), facts(sample, cuts)
    assert set(pieces) == set(whole)
    for table, frame in whole.items():
        assert pieces[table].equals(frame), table
