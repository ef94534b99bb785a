"""Who a source is: a digest of its first bytes, and the id made from it."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

#: Enough to hold a stamped line; rotated, renamed and compressed copies of a log share it.
FINGERPRINT_BYTES = 1024


class Head(NamedTuple):
    """Digest of a stream's first bytes, and of how many: a small file that grows still begins with them."""

    digest: str
    size_bytes: int


def fingerprint(head: bytes, size_bytes: int = FINGERPRINT_BYTES) -> str:
    """Digest of the first `size_bytes` (1,024) decompressed bytes, or of all there are."""
    return blake2b(head[:size_bytes], digest_size=16).hexdigest()


def head_of(head: bytes) -> Head:
    """Fingerprint of a stream that begins with these bytes."""
    return Head(fingerprint(head), min(len(head), FINGERPRINT_BYTES))


def source_id(print_: str, path: str | None = None) -> int:
    """64-bit id of a source; `path` tells two sources apart that begin alike."""
    text = print_ if path is None else f"{print_}\n{path}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
