"""An SQLite file together with its write-ahead log, as one image that can be opened in memory. Nothing is written."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

MAGIC = b"SQLite format 3\x00"
_WAL_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_HEADER, _FRAME = 32, 24


def write_ahead_log(database: Path) -> bytes:
    """The log that lies beside `database` (`x.db-wal`, also gzipped, as for `x.db.gz`); empty if there is none."""
    stem = database.with_name(database.name.removesuffix(".gz") + "-wal")
    try:
        if stem.is_file():
            return stem.read_bytes()
        packed = stem.with_name(stem.name + ".gz")
        return gzip.decompress(packed.read_bytes()) if packed.is_file() else b""
    except (OSError, EOFError, zlib.error):
        return b""


def apply_wal(database: bytes, wal: bytes) -> bytes:
    """`database` with all committed pages of `wal`. A cut or foreign log is used as far as it is whole.

    Layout: https://www.sqlite.org/fileformat2.html#the_write_ahead_log (frames of another salt are left-overs).
    """
    image = bytearray(database)
    if len(wal) >= _HEADER and wal[:4] in _WAL_MAGIC:
        _apply_frames(image, wal)
    if len(image) > 20:
        # 1 = no write-ahead log: in memory there is none, and SQLite refuses to look for it.
        image[18] = image[19] = 1
    return bytes(image)


def _apply_frames(image: bytearray, wal: bytes) -> None:
    (size,) = struct.unpack(">I", wal[8:12])
    if not 512 <= size <= 65536 or size & (size - 1):
        return
    pending: dict[int, bytes] = {}
    for start in range(_HEADER, len(wal) - _FRAME - size + 1, _FRAME + size):
        number, pages_after_commit = struct.unpack(">II", wal[start : start + 8])
        if wal[start + 8 : start + 16] != wal[16:24] or not number:
            return
        pending[number] = wal[start + _FRAME : start + _FRAME + size]
        if pages_after_commit:
            _commit(image, pending, pages_after_commit * size, size)
            pending = {}


def _commit(image: bytearray, pages: dict[int, bytes], length: int, size: int) -> None:
    if length > len(image) + len(pages) * size:
        return
    image.extend(bytes(max(0, length - len(image))))
    for number, page in pages.items():
        if number * size <= length:
            image[(number - 1) * size : number * size] = page
    del image[length:]
