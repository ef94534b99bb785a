"""Progress on standard error, and only when a person is looking at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from investigator.cli.terminal import shown, stderr

if TYPE_CHECKING:
    from investigator.casefile.ingest import Progress

_PATH_WIDTH = 44


@contextmanager
def reading(quiet: bool) -> Iterator[Progress | None]:
    """A bar per file while inputs are read; None when nobody would see it."""
    console = stderr()
    if quiet or not console.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(20), DownloadColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task("looking for logs", total=None)

        def told(path: str, done_bytes: int, size_bytes: int) -> None:
            name = shown(path).plain
            short = name if len(name) <= _PATH_WIDTH else "…" + name[1 - _PATH_WIDTH :]
            bars.update(task, description=short, completed=done_bytes, total=max(size_bytes, done_bytes))

        yield told


@contextmanager
def working(what: str, quiet: bool) -> Iterator[None]:
    """A spinner beside `what`."""
    console = stderr()
    if quiet or not console.is_terminal:
        yield
        return
    with console.status(what):
        yield
