"""The cases behind rule tests of kind `log`: each fixture's logs read once."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from investigator.cli.bundled import log_paths
from investigator.errors import InvestigatorError
from investigator.resources import fixture_dir

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class FixtureLogs:
    """Opens cases on demand and closes them at the end."""

    def __init__(self) -> None:
        self._open: dict[str, DuckDBPyConnection] = {}
        self._stack = ExitStack()

    def __enter__(self) -> FixtureLogs:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def connection(self, name: str) -> DuckDBPyConnection:
        """A connection with the views of the fixture `name` (`founding-incident`, `healthy-day`, …)."""
        if name not in self._open:
            self._open[name] = self._read(_folder(name))
        return self._open[name]

    def _read(self, folder: Path) -> DuckDBPyConnection:
        from investigator.casefile.case import Case
        from investigator.pipeline import ingest, prepare

        case = self._stack.enter_context(Case(None))
        ingest(log_paths(folder), case)
        prepare(case)
        return case.connection


def _folder(name: str) -> Path:
    """An incident, or one of the short logs."""
    try:
        return fixture_dir(name)
    except InvestigatorError:
        return fixture_dir(f"logs/{name}")
