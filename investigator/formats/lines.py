"""From bytes to a frame of clean lines, each with its number and offset. Any bytes are accepted."""

from __future__ import annotations

import io

import numpy as np
import polars as pl

_ANSI = r"\x1b\[[0-9;?]*[A-Za-z]"
# A frame header of an attached docker stream: stream number, three zero bytes, four bytes of length.
_DOCKER_FRAME = r"^[\x00-\x02]\x00{3}[\s\S]{4}"
# First bytes of gzip, zlib and zstd.
_PACKED = (b"\x1f", b"x", b"(")


def read_lines(data: bytes, byte_offset: int, first_line_no: int) -> pl.DataFrame:
    """Columns line_no (Int32), byte_offset (Int64), text (String): one row per line, without its line end.

    Offsets count the raw bytes. Invalid UTF-8 becomes U+FFFD; carriage returns at the end, colours, NUL runs and docker
    frame headers are removed from the text.
    """
    starts = line_starts(data)
    text = _split(data, len(starts))
    frame = pl.DataFrame(
        {
            "line_no": pl.Series(np.arange(first_line_no, first_line_no + len(starts)), dtype=pl.Int32),
            "byte_offset": pl.Series(starts + byte_offset, dtype=pl.Int64),
            "text": text,
        }
    )
    return frame.with_columns(_cleaned(data))


def line_starts(data: bytes) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Offset of each line's first byte; the text after the last line end counts as a line if it is not empty."""
    ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == 10).astype(np.int64) + 1
    starts = np.concatenate([np.zeros(1, dtype=np.int64), ends])
    return starts[:-1] if starts[-1] == len(data) else starts


def _split(data: bytes, count: int) -> pl.Series:
    if count == 0:
        return pl.Series([], dtype=pl.String)
    try:
        lines = _fast(data)
    except pl.exceptions.ComputeError:
        # The fast reader refuses invalid UTF-8, which is rare.
        data = _valid_utf8(data)
        lines = _fast(data)
    if len(lines) == count:
        return lines
    # The fast reader has its own idea of odd line ends; then the plain split decides.
    return pl.Series(_valid_utf8(data).decode().split("\n")[:count], dtype=pl.String)


def _fast(data: bytes) -> pl.Series:
    """The lines by Polars, which would unpack a chunk that begins like a packed file."""
    if data[:1] in _PACKED:
        return pl.scan_lines(io.BytesIO(b"\n" + data)).collect().to_series().slice(1)
    return pl.scan_lines(io.BytesIO(data)).collect().to_series()


def _valid_utf8(data: bytes) -> bytes:
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode(errors="replace").encode()
    return data


def _cleaned(data: bytes) -> pl.Expr:
    text = pl.col("text")
    if b"\x00" in data:
        text = text.str.replace(_DOCKER_FRAME, "").str.replace_all(r"\x00+", "")
    if b"\x1b" in data:
        text = text.str.replace_all(_ANSI, "")
    if b"\r" in data:
        text = text.str.strip_chars_end("\r")
    if data.startswith(b"\xef\xbb\xbf"):
        text = text.str.strip_prefix("\ufeff")
    return text.alias("text")
