"""What `fit`, `what-if`, `machines` and `models` share: their options, the catalogue, a case for reading."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from investigator.errors import CaseProblem

if TYPE_CHECKING:
    from investigator.casefile.case import Case
    from investigator.planning import Catalogue

machine_option = click.option(
    "--machine", metavar="NAME", help="A machine of the catalogue (see `investigator machines`)."
)
memory_option = click.option(
    "--memory", "memory_gib", type=click.FloatRange(min=0, min_open=True), metavar="GIB",
    help="Its memory, of each card. Default: the largest it is sold with.",
)  # fmt: skip
config_option = click.option(
    "--config", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="TOML with own [[machines]], [[models]], [[cloud_models]] and [private]. Default: investigator.toml, or "
    "[tool.investigator] of pyproject.toml, or the settings folder's config.toml.",
)  # fmt: skip


@contextmanager
def open_analysed(path: Path) -> Iterator[Case]:
    """A case for reading, with its views. Raises CaseProblem when nothing in it was analysed yet."""
    from investigator.casefile.case import Case
    from investigator.cli import steps
    from investigator.views import create_views

    with Case(steps.existing(path), read_only=True) as case:
        create_views(case.connection)
        if not case.connection.execute("SELECT 1 FROM attempts LIMIT 1").fetchall():
            raise CaseProblem("no call is known in this case", hint="run `investigator analyze` on it first", path=path)
        yield case


def catalogue(config: Path | None) -> Catalogue:
    """The catalogue with the user's own entries: of `config`, else of the configuration that holds here, if any."""
    from platformdirs import user_config_path

    from investigator.config import find_config
    from investigator.planning import load_catalogue

    return load_catalogue(config or find_config(Path.cwd(), user_config_path("investigator")))
