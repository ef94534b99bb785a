"""Compressed streams by their first bytes, and what reading a damaged one raises."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from typing import IO, BinaryIO, cast

import zstandard

Opener = Callable[[BinaryIO], IO[bytes]]

_OPENERS: tuple[tuple[bytes, Callable[[BinaryIO], object]], ...] = (
    (b"\x1f\x8b", lambda raw: gzip.GzipFile(fileobj=raw)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\x00", lzma.LZMAFile),
    (b"\x28\xb5\x2f\xfd", lambda raw: zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)),
)

#: What a damaged compressed stream raises, by library.
DAMAGED = (EOFError, OSError, lzma.LZMAError, zlib.error, zstandard.ZstdError)


def opener_of(magic: bytes) -> Opener | None:
    """What opens a stream that begins with these (8) bytes; None if they are no compression known here."""
    found = next((open_ for prefix, open_ in _OPENERS if magic.startswith(prefix)), None)
    return cast("Opener | None", found)
