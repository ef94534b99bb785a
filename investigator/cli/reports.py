"""`reports prune`: remove the scan's pages that are too old or too many."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from investigator.cli import options
from investigator.cli.config import config_option, configured

if TYPE_CHECKING:
    from investigator.config import Config


@click.group("reports", epilog=options.examples("investigator reports prune"))
def command() -> None:
    """Look after the pages that `scan` wrote."""


@command.command("prune", epilog=options.examples("investigator reports prune --config nightly.toml"))
@config_option
@options.debug_option
def prune_command(config_path: Path | None) -> None:
    """Remove pages that are too old or too many.

    What the configuration allows stays (`scan.keep`).

    Pages of open incidents are never removed.
    """
    gone = prune_reports(configured(config_path), datetime.now(UTC))
    click.echo(f"removed {len(gone):,} pages")


def prune_reports(config: Config, now: datetime) -> tuple[Path, ...]:
    """Prune as the configuration says; without a case there is nothing that was written."""
    from investigator.casefile.case import Case
    from investigator.scan.book import Book
    from investigator.scan.pages import prune

    scan = config.settings.scan
    path = config.resolved(scan.case)
    if not path.is_file():
        return ()
    with Case(path) as case:
        open_ = frozenset(Book(case).open_incidents())
    return prune(config.resolved(scan.reports), open_, now, scan.keep.age, scan.keep.size)
