"""Find, read and check the configuration: investigator.toml, a pyproject's `[tool.investigator]`, the user's folder."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from investigator.config.model import Settings
from investigator.config.toml_places import Path as Keys
from investigator.config.toml_places import Places, at_path
from investigator.errors import ConfigProblem
from investigator.tomltext import read_toml

FILE_NAME = "investigator.toml"
#: Where the settings are in a pyproject.
_TOOL: Keys = ("tool", "investigator")


@dataclass(frozen=True, slots=True)
class Config:
    """Settings and the file they come from; None when there is no file and all is as built in."""

    settings: Settings
    path: Path | None = None

    def resolved(self, path: Path) -> Path:
        """A path of the settings: `~` is the home folder, what is relative counts from the file's folder."""
        path = path.expanduser()
        return path if path.is_absolute() or self.path is None else self.path.parent / path


class ConfigProblems(ConfigProblem):
    """Everything that is wrong with a configuration, in the order of its lines."""

    def __init__(self, problems: list[ConfigProblem]) -> None:
        super().__init__("the configuration is wrong")
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


def find_config(folder: Path, user_folder: Path) -> Path | None:
    """The configuration that holds in `folder`: its own, its pyproject's, else the user's; None if there is none."""
    if (own := folder / FILE_NAME).is_file():
        return own
    project = folder / "pyproject.toml"
    if project.is_file() and at_path(read_toml(project)[1], _TOOL) is not None:
        return project
    users = user_folder / "config.toml"
    return users if users.is_file() else None


def load_config(path: Path | None) -> Config:
    """Read and check a configuration. Raises ConfigProblems: line, column and the nearest known name of each fault."""
    if path is None:
        return Config(Settings())
    text, data = read_toml(path)
    under: Keys = _TOOL if path.name == "pyproject.toml" else ()
    table = at_path(data, under) if under else data
    try:
        return Config(Settings.model_validate(table or {}), path)
    except ValidationError as error:
        places = Places(text)
        problems = [_problem(each, under, places, path) for each in error.errors()]
        raise ConfigProblems(sorted(problems, key=lambda p: (p.line or 0, p.column or 0))) from error


def _problem(error: Any, under: Keys, places: Places, path: Path) -> ConfigProblem:
    keys: Keys = tuple(error["loc"])
    name = ".".join(str(key) for key in keys)
    hint = "see `investigator config schema` for what may stand here"
    if error["type"] == "extra_forbidden":
        message = f"unknown key {keys[-1]!r}"
        near = difflib.get_close_matches(str(keys[-1]), _names(keys[:-1]), 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(_names(keys[:-1])) or 'nothing'}"
    else:
        message = f"{name}: {error['msg'].removeprefix('Value error, ')}"
    place = places.at((*under, *keys))
    if place is None:
        return ConfigProblem(message, hint=hint, path=path)
    return ConfigProblem(message, hint, path, place.line, column=place.column, source_line=place.text)


def _names(keys: Keys) -> list[str]:
    """Keys known in the table at `keys`."""
    model: type[BaseModel] | None = Settings
    for key in keys:
        field = model.model_fields.get(str(key)) if model else None
        kind = field.annotation if field else None
        model = kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
    return list(model.model_fields) if model else []
