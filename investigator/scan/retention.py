"""Which reports may go: old ones and, where the folder is too large, the oldest; never those of an open incident."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Page:
    """A written page. identity: of its incident, or None for another file of the night."""

    path: Path
    night: datetime
    size_bytes: int
    identity: str | None


def to_prune(
    pages: Sequence[Page], open_identities: frozenset[str], now: datetime, age_s: float, size_bytes: int
) -> tuple[Page, ...]:
    """Pages that age or the folder's size asks to remove, oldest first."""
    free = sorted((page for page in pages if page.identity not in open_identities), key=_age)
    oldest = now - timedelta(seconds=age_s)
    gone = [page for page in free if page.night < oldest]
    total = sum(page.size_bytes for page in pages) - sum(page.size_bytes for page in gone)
    for page in free[len(gone) :]:
        if total <= size_bytes:
            break
        gone.append(page)
        total -= page.size_bytes
    return tuple(gone)


def _age(page: Page) -> tuple[datetime, str]:
    return page.night, str(page.path)
