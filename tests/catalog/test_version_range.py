"""Ranges of releases as timeouts.yaml writes them."""

from __future__ import annotations

import pytest

from investigator.catalog.version_range import in_words, includes


@pytest.mark.parametrize(
    ("text", "version", "expected"),
    [
        (">=2026.5", "2026.5.0", True),
        (">=2026.5", "2026.4.26", False),
        (">=2026.5.3", "2026.5", False),
        ("<=0.70.2", "0.70.2", True),
        ("<=0.70.2", "v0.70.3", False),
        ("<2", "2.0.1", False),
        ("0.70.3 - 0.75.3", "0.74.1", True),
        ("0.70.3 - 0.75.3", "0.75.4", False),
        ("2026.4.15 - 2026.5.x", "2026.5.9", True),
        ("2.1.x", "2.1.330", True),
        ("2.1.x", "2.0.76", False),
        ("2026.9.6 (absent in 2026.7.1)", "2026.7.1", False),
        ("2026.9.6 (absent in 2026.7.1)", "2026.9.6", True),
        ("some releases before 2026.4.24", "2026.4.20", None),
        ("Node >=18", "2.0.76", None),
        ("2.1.x native", "2.1.330", None),
        (None, "1.0", None),
        ("2.1.x", None, None),
        ("2.1.x", "unknown", None),
    ],
)
def test_includes(text: str | None, version: str | None, expected: bool | None) -> None:
    assert includes(text, version) is expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<=2026.3.2", "2026.3.2 and older"),
        (">=2026.5", "2026.5 and newer"),
        ("<2", "older than 2"),
        ("0.70.3 - 0.75.3", "0.70.3 – 0.75.3"),
        ("2026.9.6 (absent in 2026.7.1)", "2026.9.6"),
        ("2.1.x", "2.1.x"),
        ("some releases before 2026.4.24", ""),
        (None, ""),
    ],
)
def test_ranges_for_people(text: str | None, words: str) -> None:
    assert in_words(text) == words
