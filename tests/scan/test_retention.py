"""Which pages may go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from investigator.scan.retention import Page, to_prune

NOW = datetime(2026, 11, 25, tzinfo=UTC)
DAY_S = 86_400


def page(days: int, identity: str | None = None, size: int = 100) -> Page:
    return Page(Path(f"{days}/{identity}.html"), NOW - timedelta(days=days), size, identity)


PAGES = [page(1, "a"), page(5, "b"), page(9, "a"), page(20, "c"), page(30, None)]

CASES = {
    "young and small": (40, 1000, frozenset(), []),
    "too old": (15, 1000, frozenset(), [30, 20]),
    "too large": (40, 250, frozenset(), [30, 20, 9]),
    "old, but of an open incident": (15, 1000, frozenset({"c"}), [30]),
    "too large, but open": (40, 100, frozenset({"a"}), [30, 20, 5]),
}


@pytest.mark.parametrize("days, size, open_, gone", CASES.values(), ids=CASES.keys())
def test_prune(days: int, size: int, open_: frozenset[str], gone: list[int]) -> None:
    assert [(NOW - p.night).days for p in to_prune(PAGES, open_, NOW, days * DAY_S, size)] == gone
