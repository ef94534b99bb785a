"""Every sample line yields the facts written beside it, and every pattern has a sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from investigator.formats import textlog
from investigator.formats.dispatch import Match
from investigator.formats.llama_server import LLAMA_SERVER
from investigator.formats.ollama_server import OLLAMA_SERVER
from investigator.formats.patterns import NOISE_LITERAL, load_patterns
from investigator.formats.registry import FLOOR, FORMATS, format_by_id
from tests.formats.server_samples import SERVER_FORMATS, Sample, feed, load_samples, parse

ALL = [sample for format_id in SERVER_FORMATS for sample in load_samples(format_id)]
# Tables that may stand beside the facts that a sample is about.
BESIDE = {"line_severity"}


def _name(sample: Sample) -> str:
    return f"{sample.format}/{sample.file}: {sample.text[:60]}"


def _wanted(rows: Any) -> list[Mapping[str, Any]]:
    return rows if isinstance(rows, list) else [rows]


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, float):
        return isinstance(found, float) and abs(found - wanted) <= 1e-9 * max(1.0, abs(wanted))
    if isinstance(wanted, str) and not isinstance(found, str) and found is not None:
        return str(found) == wanted
    return bool(found == wanted)


@pytest.mark.parametrize("sample", [s for s in ALL if s.facts], ids=_name)
def test_sample_gives_its_facts(sample: Sample) -> None:
    parsed = parse(sample.format, sample.data)
    assert set(parsed.facts) - BESIDE == set(sample.facts) - BESIDE
    for table, rows in sample.facts.items():
        found = parsed.facts[table].to_dicts()
        assert len(found) == len(_wanted(rows)), table
        for got, want in zip(found, _wanted(rows), strict=True):
            wrong = {key: (got[key], value) for key, value in want.items() if not _same(got[key], value)}
            assert not wrong, table
    assert parsed.unrecognised.is_empty()


@pytest.mark.parametrize("sample", [s for s in ALL if s.noise], ids=_name)
def test_sample_is_known_noise(sample: Sample) -> None:
    parsed = parse(sample.format, sample.data)
    assert dict(parsed.noise) == {sample.noise: parsed.lines}


@pytest.mark.parametrize("sample", ALL, ids=_name)
def test_no_other_format_claims_a_sample(sample: Sample) -> None:
    servers = set(SERVER_FORMATS)
    others = [fmt for fmt in FORMATS if fmt.id not in servers]
    claims = {fmt.id: fmt.recognise(sample.data, "server.log") for fmt in others}
    own = max(format_by_id(format_id).recognise(sample.data, "server.log") for format_id in servers)
    assert not [name for name, claim in claims.items() if claim >= max(own, FLOOR)]


def _used(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, bool]]:
    used: set[tuple[str, bool]] = set()
    apply = textlog._apply

    def note(match: Match, *rest: Any) -> None:
        used.add((match.pattern.name, bool(match.pattern.facts)))
        apply(match, *rest)

    monkeypatch.setattr(textlog, "_apply", note)
    for format_id in SERVER_FORMATS:
        feed(format_by_id(format_id), [b"".join(sample.data for sample in ALL)])
    return used


def test_every_pattern_has_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    patterns = {
        (pattern.name, bool(pattern.facts))
        for fmt in (OLLAMA_SERVER, LLAMA_SERVER)
        for pattern in load_patterns(*fmt.pattern_files)
        if not pattern.foreign
    }
    assert patterns - _used(monkeypatch) == set()


def test_patterns_name_versions_and_real_literals() -> None:
    for pattern in load_patterns("ollama-server.yaml", "llama-server.yaml", "llama-cpp.yaml"):
        assert pattern.versions and pattern.name
        assert pattern.noise is None or len(pattern.literal) >= NOISE_LITERAL
