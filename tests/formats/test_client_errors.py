"""Pasted error texts: library, class and limits."""

from __future__ import annotations

import pytest

from investigator.formats.client_errors import CLIENT_ERRORS, client_marks
from investigator.formats.registry import recognise
from tests.formats.server_samples import Sample, load_samples, parse

SAMPLES = load_samples("client-errors")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.text[:50])
def test_sample_gives_its_error(sample: Sample) -> None:
    (found,) = parse("client-errors", sample.data).facts["client_error"].to_dicts()
    wanted = sample.facts["client_error"]
    assert {key: found[key] for key in wanted} == wanted


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.text[:50])
def test_sample_is_recognised(sample: Sample) -> None:
    found = recognise(sample.data, "paste.txt")
    assert found.format is CLIENT_ERRORS


def test_other_lines_are_foreign() -> None:
    parsed = parse("client-errors", b"Some report\n\nlitellm.Timeout: Connection timed out after 600.0 seconds.\nbye\n")
    assert (parsed.fact_lines, parsed.foreign_lines, parsed.unrecognised.height) == (1, 3, 0)


def test_prose_is_not_claimed() -> None:
    assert CLIENT_ERRORS.recognise(b"The server answered with an error, they said.\n", "x.txt") == 0.0


def test_every_mark_is_long_enough() -> None:
    assert min(map(len, client_marks())) >= 6
