"""Damage and newer versions, over every format's own samples: a counted note, never an error, and the rest is still read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from investigator.formats.base import Parsed, SourceInfo
from investigator.formats.json_items import AutoParser
from investigator.formats.jsonl import JsonlParser
from tests.formats.agent_samples import Sample, adds_up, line_count, parse, samples

ALL = samples()


def _records(text: str) -> list[Any]:
    """The sample's JSON lines; empty when it is no such file."""
    try:
        found = [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        return []
    return found if all(isinstance(record, dict) for record in found) else []


BY_LINES = [sample for sample in ALL if _records(sample.text) and not sample.unrecognised]


def _text(records: list[Any]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _facts(parsed: Parsed) -> int:
    return sum(frame.height for frame in parsed.facts.values())


def _sound(sample: Sample, text: str) -> Parsed:
    data = text.encode("utf-8", "surrogatepass")
    sample.format.recognise(data, sample.path)
    [parsed] = parse(sample.format, data, sample.path)
    assert adds_up(parsed)
    assert parsed.lines == line_count(data)
    return parsed


@pytest.mark.parametrize("sample", BY_LINES, ids=str)
def test_a_half_written_last_line_costs_only_itself(sample: Sample) -> None:
    whole = _sound(sample, sample.text)
    last = sample.text.rstrip("\n").split("\n")[-1]
    for cut in (1, len(last) // 2, len(last) - 1):
        parsed = _sound(sample, sample.text.rstrip("\n") + "\n" + last[:cut])
        assert parsed.lines == whole.lines + 1
        # A document's format reads it as damage behind the document.
        assert _facts(parsed) >= _facts(whole)


@pytest.mark.parametrize("sample", BY_LINES, ids=str)
def test_a_damaged_line_in_the_middle_costs_only_itself(sample: Sample) -> None:
    if not isinstance(sample.format.parser(SourceInfo(1, sample.path)), JsonlParser | AutoParser):
        pytest.skip("a document, not lines")
    lines = sample.text.splitlines()
    whole = _sound(sample, sample.text)
    for damaged in ('{"type": "x', "\x00\x00\x00", "}{", '"text"', "[1, 2]", "null", "\ud800"):
        parsed = _sound(sample, "\n".join([*lines, damaged, ""]))
        assert _facts(parsed) >= _facts(whole), damaged


def _others(value: Any) -> Iterator[Any]:
    yield from ({"new": 1}, [value], None, "text", 7, True, 1e400)


def _changed(value: Any, change: Callable[[Any], Any]) -> Iterator[Any]:
    """The value with one leaf or key replaced, for every place in it."""
    yield change(value)
    if isinstance(value, dict):
        for key, inner in value.items():
            for other in _changed(inner, change):
                yield {**value, key: other}
    elif isinstance(value, list):
        for place, inner in enumerate(value[:3]):
            for other in _changed(inner, change):
                yield [*value[:place], other, *value[place + 1 :]]


@pytest.mark.parametrize("sample", BY_LINES, ids=str)
def test_fields_of_other_types_than_known(sample: Sample) -> None:
    changes = [lambda _, other=other: other for other in _others("x")]
    changed = [record for change in changes for old in _records(sample.text) for record in _changed(old, change)]
    text = "".join(json.dumps(record) + "\n" for record in changed)
    _sound(sample, _text(_records(sample.text)) + text.replace("Infinity", "1e999"))


@pytest.mark.parametrize("sample", BY_LINES, ids=str)
def test_records_of_a_newer_version(sample: Sample) -> None:
    """Unknown types and unknown fields: the known records among them are read as before."""
    whole = _sound(sample, sample.text)
    old = _records(sample.text)
    newer = [{**record, "type": "brand-new", "event": "brand-new", "payload": {"type": "brand-new"}} for record in old]
    extended = [{**record, "brandNewField": {"deep": [1, {"x": None}]}} for record in old]
    assert _facts(_sound(sample, _text(extended))) == _facts(whole)
    _sound(sample, _text(old) + _text(newer))


@pytest.mark.parametrize("sample", ALL, ids=str)
def test_cut_anywhere(sample: Sample) -> None:
    for part in (0.25, 0.5, 0.9):
        _sound(sample, sample.text[: int(len(sample.text) * part)])


def _long(sample: Sample, size: int) -> str:
    """The sample with one line of `size` characters: a record whose text is that long, or a line of text."""
    records = _records(sample.text)
    if not records:
        return sample.text + "x" * size + "\n"
    return sample.text + json.dumps({**records[-1], "padding": "y" * size}) + "\n"


@pytest.mark.parametrize("sample", ALL, ids=str)
def test_a_long_line(sample: Sample) -> None:
    parsed = _sound(sample, _long(sample, 500_000))
    assert all(len(text) < 10_000 for text in parsed.unrecognised["text"].to_list() + parsed.evidence["text"].to_list())


@pytest.mark.slow
@pytest.mark.parametrize(
    "sample", [s for n, s in enumerate(ALL) if n == 0 or ALL[n - 1].format is not s.format], ids=str
)
def test_a_line_of_50_megabytes(sample: Sample) -> None:
    _sound(sample, _long(sample, 50_000_000))


def test_a_line_of_50_megabytes_in_a_transcript() -> None:
    sample = next(sample for sample in BY_LINES if sample.format.id == "claude-code")
    assert _facts(_sound(sample, _long(sample, 50_000_000))) >= _facts(_sound(sample, sample.text))
