"""Lines of a chunk: its bytes are the text, whatever they look like."""

from __future__ import annotations

import gzip
import zlib

import pytest

from investigator.formats.lines import read_lines

LOG = b"time=2026-02-12T09:06:53Z level=INFO msg=a\nslot launch\n" * 20


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(LOG),
        gzip.compress(LOG)[:40],
        b"\x1f\x8b\x08 no packed file\nslot\n",
        zlib.compress(LOG),
        zlib.compress(LOG) + b"\nslot\n",
        b"\x28\xb5\x2f\xfd\x00abc\nslot\n",
        b"x^2 is a text\nslot\n",
        b"x\x01\n\n(\n",
    ],
    ids=["gzip", "gzip-cut", "gzip-magic", "zlib", "zlib-before-text", "zstd-magic", "text-like-zlib", "short"],
)
def test_a_chunk_that_looks_packed_is_read_as_it_is(data: bytes) -> None:
    lines = read_lines(data, 100, 7)
    wanted = data.decode(errors="replace").split("\n")
    wanted = wanted[:-1] if wanted[-1] == "" else wanted
    assert lines["text"].str.replace_all("\x00", "").to_list() == [_cleaned(line) for line in wanted]
    assert lines["line_no"].to_list() == list(range(7, 7 + len(wanted)))


def _cleaned(line: str) -> str:
    return line.replace("\x00", "").rstrip("\r")
