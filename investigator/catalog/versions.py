"""Release numbers of Ollama."""

from __future__ import annotations

import re

Release = tuple[int, int, int]

_RELEASE = re.compile(r"\s*v?(\d+)\.(\d+)\.(\d+)")


def find_release(text: str) -> Release | None:
    """`v0.15.6-rc1` -> (0, 15, 6); None for a text that does not start with a version."""
    match = _RELEASE.match(text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def release(text: str) -> Release:
    """As `find_release`. ValueError instead of None."""
    found = find_release(text)
    if found is None:
        raise ValueError(f"not a release number: {text!r}")
    return found
