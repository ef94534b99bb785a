"""What a line can be, judged by its first eight bytes: the cheap test before any expression is tried on it."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import polars as pl

HEAD_BYTES = 8

# Distinct heads are remembered between chunks up to this number.
_REMEMBER = 100_000


class Head(IntEnum):
    """Kinds of beginnings. OTHER, which short lines have too, excludes nothing; each other kind excludes the rest."""

    OTHER = 0
    TIME = 1
    GIN = 2
    SERVER = 3
    RUNNER = 4
    BLANK = 5
    DIGIT = 6
    BRACE = 7
    WORD = 8


_SERVER_WORDS = (b"slot ", b"srv ", b"que ", b"res ", b"cmn ", b"spec ", b"main: ")
_RUNNER_LEVELS = (b"INFO [", b"WARN [", b"ERROR [", b"DEBUG [", b"VERB [")
_PREFIXES: tuple[tuple[tuple[bytes, ...], Head], ...] = (
    ((b"time=2",), Head.TIME),
    ((b"[GIN] ",), Head.GIN),
    (_SERVER_WORDS, Head.SERVER),
    (_RUNNER_LEVELS, Head.RUNNER),
    ((b" ", b"\t"), Head.BLANK),
    ((b"{",), Head.BRACE),
)
_DIGITS = frozenset(b"0123456789")
_LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_~")

_known: dict[int, int] = {}


def head_classes(text: pl.Series) -> pl.Series:
    """The `Head` (Int8) of each text."""
    first = text.cast(pl.Binary).bin.slice(0, HEAD_BYTES).bin.reinterpret(dtype=pl.UInt64, endianness="little")
    distinct = first.unique().drop_nulls().to_list()
    if len(_known) > _REMEMBER:
        _known.clear()
    # Chunks are parsed beside each other: what one of them looks up, another may just have cleared.
    classes = {head: _known.get(head) or _classify(head.to_bytes(HEAD_BYTES, "little")) for head in distinct}
    _known.update(classes)
    if not classes:
        return pl.Series("head", np.zeros(len(text), np.int8))
    return first.replace_strict(classes, default=int(Head.OTHER), return_dtype=pl.Int8).alias("head")


def _classify(head: bytes) -> Head:
    for prefixes, kind in _PREFIXES:
        if head.startswith(prefixes):
            return kind
    if head[0] in _DIGITS or (head[0] == ord("[") and head[1] in _DIGITS):
        return Head.DIGIT
    return Head.WORD if head[0] in _LETTERS else Head.OTHER
