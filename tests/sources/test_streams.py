"""Whatever a file is wrapped in, the same lines come out; a chunk ends where a line ends."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from investigator.sources.chunks import Chunk
from investigator.sources.packed import DAMAGED
from investigator.sources.streams import ChunkReader, SourceStream

TEXT = "".join(f"line {n} µ\n" for n in range(2000))
PLAIN = TEXT.encode()
WRAPPED = {
    "plain": PLAIN,
    "gzip": gzip.compress(PLAIN),
    "two gzip members": gzip.compress(PLAIN[:500]) + gzip.compress(PLAIN[500:]),
    "bzip2": bz2.compress(PLAIN),
    "xz": lzma.compress(PLAIN),
    "zstd": zstandard.compress(PLAIN),
    "UTF-8 with BOM": b"\xef\xbb\xbf" + PLAIN,
    "UTF-16 LE": b"\xff\xfe" + TEXT.encode("utf-16-le"),
    "UTF-16 BE": b"\xfe\xff" + TEXT.encode("utf-16-be"),
    "gzipped UTF-16": gzip.compress(b"\xff\xfe" + TEXT.encode("utf-16-le")),
}


def chunks(path: Path, chunk_bytes: int) -> list[Chunk]:
    read = []
    with SourceStream(path) as stream:
        reader = ChunkReader(stream, chunk_bytes)
        while (chunk := reader.read()) is not None:
            read.append(chunk)
            reader.consumed(len(chunk.data))
    return read


@pytest.mark.parametrize("wrapping", WRAPPED)
def test_the_same_bytes_from_every_wrapping(tmp_path: Path, wrapping: str) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(WRAPPED[wrapping])
    read = chunks(path, 777)
    assert b"".join(chunk.data for chunk in read) == PLAIN
    assert [chunk.last for chunk in read] == [False] * (len(read) - 1) + [True]


@pytest.mark.parametrize("wrapping", WRAPPED)
def test_the_digest_is_of_the_file_as_it_lies_on_disk(tmp_path: Path, wrapping: str) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(WRAPPED[wrapping])
    with SourceStream(path) as stream:
        assert stream.head(10) == PLAIN[:10]
        assert stream.sha256() == hashlib.sha256(WRAPPED[wrapping]).hexdigest()


@given(
    lines=st.lists(st.binary(max_size=30).filter(lambda b: b"\n" not in b)),
    size=st.integers(1, 50),
    ended=st.booleans(),
)
def test_chunks_are_whole_lines_with_the_right_places(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], size: int, ended: bool
) -> None:
    data = b"\n".join(lines) + (b"\n" if ended else b"")
    # A first byte that is no magic number of a compression, and no byte order mark.
    data = b"x" + data
    path = tmp_path_factory.mktemp("chunks") / "a"
    path.write_bytes(data)
    position = 0
    for chunk in chunks(path, size):
        assert chunk.data == data[position : position + len(chunk.data)]
        assert chunk.byte_offset == position
        assert chunk.first_line_no == data[:position].count(b"\n") + 1
        assert chunk.last or chunk.data.endswith(b"\n")
        position += len(chunk.data)
    assert position == len(data)


def test_what_a_parser_leaves_comes_again(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one\ntwo\nthree\n")
    with SourceStream(path) as stream:
        reader = ChunkReader(stream, 8)
        first = reader.read()
        assert first is not None and first.data == b"one\ntwo\n"
        reader.consumed(4)
        second = reader.read()
        assert second is not None and (second.data, second.byte_offset, second.first_line_no) == (b"two\nthree\n", 4, 2)


def test_reading_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(PLAIN))
    with SourceStream(path) as stream:
        reader = ChunkReader(stream)
        reader.skip(PLAIN.index(b"line 1000"), 1001)
        chunk = reader.read()
    assert chunk is not None
    assert chunk.data.startswith(b"line 1000 ") and chunk.first_line_no == 1001


def test_a_cut_gzip_gives_its_beginning_and_then_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(PLAIN)[:-200])
    with SourceStream(path) as stream, pytest.raises(DAMAGED):
        reader = ChunkReader(stream)
        while (chunk := reader.read()) is not None:
            reader.consumed(len(chunk.data))
