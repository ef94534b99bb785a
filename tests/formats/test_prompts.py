"""Length and hash of texts that are left undecoded."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.formats.prompts import measured


@pytest.mark.parametrize(
    ("written", "chars"),
    [(b'"abc"', 3), ('"für"'.encode(), 3), (rb'"a\n"', 3), (b'""', 0), (b"null", 0), (b"", 0), (b"[1]", 0), (b"7", 0)],
)
def test_characters_as_written(written: bytes, chars: int) -> None:
    assert measured([written])[0] == chars
    assert measured([msgspec.Raw(written)]) == measured([written])


@given(st.lists(st.text()), st.lists(st.text()))
def test_the_hash_is_of_all_texts_together(one: list[str], other: list[str]) -> None:
    def of(texts: list[str]) -> tuple[int, str]:
        return measured(json.dumps(text).encode() for text in texts)

    assert (of(one) == of(other)) is ("".join(one) == "".join(other))
