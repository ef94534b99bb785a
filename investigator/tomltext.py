"""TOML as values, with an error that points at the line when a file is none."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from investigator.errors import ConfigProblem


def read_toml(path: Path) -> tuple[str, dict[str, Any]]:
    """Text and values of a TOML file. Raises ConfigProblem that points at what is no TOML."""
    try:
        text = path.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except OSError as error:
        raise ConfigProblem(f"cannot be read: {error.strerror}", hint="check the path", path=path) from error
    except UnicodeDecodeError as error:
        raise ConfigProblem("not UTF-8", hint="save the file as UTF-8", path=path) from error
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+), column (\d+)", str(error))
        line = int(place[1]) if place else None
        raise ConfigProblem(
            f"not TOML: {str(error).split(' (at')[0]}",
            hint="correct the line",
            path=path,
            line=line,
            column=int(place[2]) if place else None,
            source_line=text.splitlines()[line - 1] if line and line <= len(text.splitlines()) else None,
        ) from error
