"""Writes the overview and removes pages that may go."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from investigator import __version__
from investigator.report.write import write_report
from investigator.scan.baselines import Drop
from investigator.scan.book import SHOWN_NIGHTS, Book
from investigator.scan.misses import Warning_
from investigator.scan.overview import Overview, day, lines, render, shown, trends, warning_text
from investigator.scan.retention import Page, to_prune

_NIGHT = re.compile(r"^(\d{4}-\d\d-\d\d)-\d{4}$")


def write_overview(
    book: Book, folder: Path, night: int, warned: Sequence[Warning_], worse: Sequence[Drop], notes: Sequence[str]
) -> Path:
    """index.html over the last nights. Raises DeliveryProblem when it cannot be written."""
    since = max(1, night - SHOWN_NIGHTS + 1)
    told = [row for row in book.nights(since) if row["read_bytes"] or row["reason"] or row["night"] == night]
    overview = Overview(
        tool_version=__version__,
        nights=tuple((row["night"], day(row["started_at"]), f"night {row['night']}") for row in told),
        lines=lines(book.history(since), [row["night"] for row in told]),
        trends=trends(book.measures(since), worse),
        warnings=tuple(shown(warning_text(warning)) for warning in warned),
        notes=tuple(shown(note) for note in notes),
    )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_report(folder / "index.html", render(overview))
    return folder / "index.html"


def pages_in(folder: Path) -> tuple[Page, ...]:
    """Every page of a night that we wrote; other files in the folder are none of our business."""
    found = []
    for path in sorted(folder.glob("*/*.html")) if folder.is_dir() else []:
        if (name := _NIGHT.match(path.parent.name)) is not None:
            night = datetime.fromisoformat(name[1]).replace(tzinfo=UTC)
            found.append(Page(path, night, path.stat().st_size, path.stem))
    return tuple(found)


def prune(
    folder: Path, open_identities: frozenset[str], now: datetime, age_s: float, size_bytes: int
) -> tuple[Path, ...]:
    """Remove what may go, and folders that are empty then; returns the removed pages."""
    gone = to_prune(pages_in(folder), open_identities, now, age_s, size_bytes)
    for page in gone:
        page.path.unlink(missing_ok=True)
        if not any(page.path.parent.iterdir()):
            page.path.parent.rmdir()
    return tuple(page.path for page in gone)
