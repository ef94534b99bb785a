"""The formats that a user describes himself: mapping files named on the command line and in his settings folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from investigator.errors import ConfigProblem

if TYPE_CHECKING:
    from investigator.formats.mapping import MappingFormat

_HINT = "docs/mapping.md describes these files; investigator/formats/mappings has examples"


def settings_folder() -> Path:
    """Where mappings of this user are looked for: `mappings` in the program's settings folder."""
    return Path(click.get_app_dir("investigator")) / "mappings"


def user_formats(named: Sequence[Path]) -> tuple[MappingFormat, ...]:
    """The formats of the mappings `named` and of those in the settings folder; the named ones come first.

    Raises ConfigProblem with file and line for a mistake in one, or when one cannot be read.
    """
    kept = sorted(settings_folder().glob("*.yaml")) if settings_folder().is_dir() else []
    paths = [*named, *kept]
    return tuple(_format(path) for path in paths) if paths else ()


def _format(path: Path) -> MappingFormat:
    from investigator.formats.mapping import read_mapping
    from investigator.formats.mapping_spec import MappingError

    try:
        return read_mapping(path)
    except MappingError as error:
        raise ConfigProblem(error.text, _HINT, path, error.line) from error
    except OSError as error:
        raise ConfigProblem(f"cannot be read: {error.strerror}", _HINT, path) from error
