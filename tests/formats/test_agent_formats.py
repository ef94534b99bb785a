"""Every agent and snapshot format against its samples, against damage, and against the other formats' samples."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from investigator.formats.base import Format
from investigator.formats.facts import fact_tables
from investigator.formats.registry import FORMATS as ALL_FORMATS
from investigator.formats.registry import recognise
from tests.formats.agent_samples import FORMATS, Sample, adds_up, line_count, parse, samples

ALL = samples()
#: There are many formats; together they still see many examples.
EXAMPLES = settings(max_examples=max(15, settings().max_examples // 3))
BY_ID = {fmt.id: fmt for fmt in FORMATS}


def _plain(value: object) -> object:
    return value.isoformat(sep=" ") if isinstance(value, datetime) else value


def _rows(frame: pl.DataFrame, columns: list[str]) -> list[dict[str, object]]:
    return [{name: _plain(value) for name, value in row.items()} for row in frame.select(columns).to_dicts()]


@pytest.mark.parametrize("sample", ALL, ids=str)
def test_sample_yields_exactly_its_facts(sample: Sample) -> None:
    [parsed] = parse(sample.format, sample.text.encode(), sample.path)
    assert sorted(parsed.facts) == sorted(sample.facts)
    for table, expected in sample.facts.items():
        frame = parsed.facts[table]
        assert frame.height == len(expected), table
        for row, want in zip(range(frame.height), expected, strict=True):
            assert _rows(frame[row], list(want)) == [dict(want)]
    assert parsed.unrecognised["shape"].to_list() == sample.unrecognised
    if sample.noise is not None:
        assert dict(parsed.noise) == dict(sample.noise)


@pytest.mark.parametrize("sample", ALL, ids=str)
def test_sample_is_recognised_as_its_format_and_no_other(sample: Sample) -> None:
    found = recognise(sample.text.encode(), sample.path)
    assert found.format is not None
    assert found.format.id == sample.format.id
    claims = {
        fmt.id: fmt.recognise(sample.text.encode(), sample.path) for fmt in ALL_FORMATS if fmt is not found.format
    }
    assert max(claims.values(), default=0.0) <= 0.5 * found.confidence, claims


def test_every_format_has_samples() -> None:
    assert {sample.format.id for sample in ALL} == {fmt.id for fmt in FORMATS if not fmt.id.endswith("-sqlite")}


@pytest.mark.parametrize("sample", ALL, ids=str)
def test_facts_have_the_shape_of_their_tables_and_lines_add_up(sample: Sample) -> None:
    data = sample.text.encode()
    [parsed] = parse(sample.format, data, sample.path)
    assert adds_up(parsed)
    assert parsed.lines == line_count(data)
    assert parsed.consumed_bytes == len(data)
    for table, frame in parsed.facts.items():
        assert dict(frame.schema) == fact_tables()[table].polars_schema()
        assert frame["fact_id"].n_unique() == frame.height
    assert sum(frame["lines"].sum() for frame in parsed.facts.values()) == parsed.fact_lines


@pytest.mark.parametrize("sample", ALL, ids=str)
def test_cutting_the_stream_changes_nothing(sample: Sample) -> None:
    data = sample.text.encode()
    [whole] = parse(sample.format, data, sample.path)
    pieces = parse(sample.format, data, sample.path, cuts=tuple(range(1, data.count(b"\n") + 1)))
    assert sum(piece.lines for piece in pieces) == whole.lines
    for table, frame in whole.facts.items():
        joined = pl.concat([piece.facts[table] for piece in pieces if table in piece.facts])
        assert joined.equals(frame), table


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("package.json", '{"name": "x", "version": "1.0.0", "dependencies": {"left-pad": "1"}}'),
        ("settings.json", '{"editor.fontSize": 12, "files.autoSave": "off"}'),
        ("events.jsonl", '{"type":"session","value":1}\n{"type":"message","text":"hello"}\n'),
        ("log.jsonl", '{"level":30,"time":1700000000000,"pid":1,"hostname":"h","msg":"x"}\n'),
        ("models.json", '[{"id": 1, "name": "car"}]'),
        ("Dockerfile", 'FROM debian:12\nRUN true\nCMD ["sh"]\n'),
        ("notes.txt", "The model\ncontext length is 4096\n"),
        ("empty", ""),
        ("binary", "\x00\x01\x02\x03"),
    ],
)
def test_files_of_other_programs_are_not_claimed(path: str, text: str) -> None:
    assert {fmt.id: c for fmt in FORMATS if (c := fmt.recognise(text.encode(), path)) > 0.1} == {}


@pytest.mark.parametrize("fmt", FORMATS, ids=lambda fmt: fmt.id)
@EXAMPLES
@given(data=st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_accounted_for(fmt: Format, data: bytes) -> None:
    assert 0.0 <= fmt.recognise(data, "x") <= 1.0
    [parsed] = parse(fmt, data)
    assert adds_up(parsed)
    # A database has rows instead of lines.
    assert parsed.lines == (1 if fmt.id.endswith("-sqlite") else line_count(data))


@pytest.mark.parametrize("fmt_id", sorted({sample.format.id for sample in ALL}))
@EXAMPLES
@given(data=st.data())
def test_any_cut_of_a_valid_file_is_accounted_for(fmt_id: str, data: st.DataObject) -> None:
    sample = data.draw(st.sampled_from([sample for sample in ALL if sample.format.id == fmt_id]))
    raw = sample.text.encode()
    start, end = sorted((data.draw(st.integers(0, len(raw))), data.draw(st.integers(0, len(raw)))))
    piece = raw[start:end] + data.draw(st.binary(max_size=20)) + raw[data.draw(st.integers(0, len(raw))) :]
    BY_ID[fmt_id].recognise(piece, sample.path)
    [parsed] = parse(BY_ID[fmt_id], piece, sample.path)
    assert adds_up(parsed)
    assert parsed.lines == line_count(piece)
