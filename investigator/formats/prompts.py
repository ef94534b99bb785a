"""The fact that every agent's message yields: who said how much, and a hash of it; never the text.

Most bytes of a transcript are texts of tools. Where a reader leaves them undecoded (`msgspec.Raw`), length and hash are
taken from the JSON as written: decoding them took two thirds of the time that a transcript took.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from investigator.formats.rows import At, Rows
from investigator.formats.stamps import Stamp

Written = bytes | msgspec.Raw


def add_prompt(rows: Rows, at: At, stamp: Stamp, text: str, *, agent: str, role: str | None, **cells: object) -> None:
    """One `agent_prompt`; further columns by name."""
    rows.add(
        "agent_prompt", at, stamp, agent=agent, role=role, text_chars=len(text), text_hash=text_hash(text), **cells
    )


def text_hash(text: str) -> str:
    """Short hash by which equal prompt texts are found; the text itself is not stored."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def measured(texts: Iterable[Written]) -> tuple[int, str]:
    """Characters of some JSON texts together, as written there, and their hash; other JSON values count nothing.

    An escape counts with all its characters. Equal texts have equal hashes within one agent's files, since one program
    writes them.
    """
    digest, chars = hashlib.sha256(), 0
    for text in texts:
        written = bytes(text)
        if written[:1] == b'"':
            digest.update(memoryview(written)[1:-1])
            chars += len(written if written.isascii() else written.decode("utf-8", "replace")) - 2
    return chars, digest.hexdigest()[:16]
