"""Who a source is: a digest of its first bytes, and the id made from it."""

from __future__ import annotations

from hashlib import blake2b

#: Enough to hold a stamped line; rotated, renamed and compressed copies of a log share it.
FINGERPRINT_BYTES = 1024


def fingerprint(head: bytes) -> str:
    """Digest of the first 1,024 decompressed bytes, or of all there are."""
    return blake2b(head[:FINGERPRINT_BYTES], digest_size=16).hexdigest()


def source_id(print_: str, path: str | None = None) -> int:
    """64-bit id of a source; `path` tells two sources apart that begin alike."""
    text = print_ if path is None else f"{print_}\n{path}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
