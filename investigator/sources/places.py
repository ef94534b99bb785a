"""Where programs keep their logs on this system, for a user who names no path. The places are data: places.yaml."""

from __future__ import annotations

import glob
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any, Literal

from investigator.yamltext import load as load_yaml

System = Literal["linux", "macos", "windows"]

#: A name in braces, perhaps with what counts when the variable is not set; the innermost comes first.
_FIELD = re.compile(r"\{(\w+)(?::([^{}]*))?\}")
_SYSTEMS: Mapping[str, System] = {"darwin": "macos", "win32": "windows", "cygwin": "windows"}
#: User folders of VS Code and the editors made from it, below the folder where a system keeps settings.
_EDITORS = ("Code", "Code - Insiders", "VSCodium", "Cursor", "Windsurf")


@dataclass(frozen=True, slots=True)
class Around:
    """What the search depends on. `root` is '/' but in tests."""

    system: System
    home: Path
    here: Path
    env: Mapping[str, str]
    root: Path = Path("/")

    @classmethod
    def of_this_process(cls, platform: str) -> Around:
        """The surroundings of this process; `platform` as in `sys.platform`."""
        return cls(_SYSTEMS.get(platform, "linux"), Path.home(), Path.cwd(), dict(os.environ))


@dataclass(frozen=True, slots=True)
class Place:
    """What lies at these patterns, and where that is documented."""

    what: str
    kind: str
    patterns: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Found:
    """A place that holds something. newest_s: Unix time of its youngest file's last change."""

    what: str
    kind: str
    paths: tuple[Path, ...]
    files: int
    size_bytes: int
    newest_s: float


def known_places(around: Around) -> tuple[Place, ...]:
    """The places of this system with their patterns filled in; one whose variable is not set is left out."""
    return tuple(
        Place(raw["what"], raw["kind"], patterns, raw["source"])
        for raw in _raw_places()
        if around.system in raw.get("on", ("linux", "macos", "windows"))
        and (patterns := tuple(dict.fromkeys(p for pattern in raw["paths"] for p in _filled(pattern, around))))
    )


def find(places: Sequence[Place]) -> tuple[Found, ...]:
    """Those places that hold files, in the order given. What cannot be looked into counts as empty."""
    taken: set[Path] = set()
    found = []
    for place in places:
        paths = [path for path in _matches(place) if path not in taken]
        taken.update(paths)
        stats = [stat for path in paths for stat in _stats(path)]
        if stats:
            newest_s = max(stat.st_mtime for stat in stats)
            size_bytes = sum(stat.st_size for stat in stats)
            found.append(Found(place.what, place.kind, tuple(paths), len(stats), size_bytes, newest_s))
    return tuple(found)


@cache
def _raw_places() -> tuple[dict[str, Any], ...]:
    text = files(__package__).joinpath("places.yaml").read_text("utf-8")
    return tuple(load_yaml(text)["places"])


def _filled(pattern: str, around: Around) -> Iterator[str]:
    """Every form of the pattern: `{code}` stands for several folders, a missing variable for none."""
    while field := _FIELD.search(pattern):
        values = _values(field[1], around) or ((field[2],) if field[2] is not None else ())
        if len(values) != 1:
            heads = (pattern[: field.start()] + value + pattern[field.end() :] for value in values)
            for head in heads:
                yield from _filled(head, around)
            return
        pattern = pattern[: field.start()] + values[0] + pattern[field.end() :]
    yield pattern


def _values(name: str, around: Around) -> tuple[str, ...]:
    home, env = around.home, around.env
    match name:
        case "home":
            return (_literal(home),)
        case "here":
            return (_literal(around.here),)
        case "etc":
            return (_literal(around.root / "etc"),)
        case "temp":
            return (_literal(Path(env.get("TMPDIR") or env.get("TEMP") or tempfile.gettempdir())),)
        case "config":
            return (_literal(Path(env.get("XDG_CONFIG_HOME") or home / ".config")),)
        case "data":
            return (_literal(Path(env.get("XDG_DATA_HOME") or home / ".local" / "share")),)
        case "state":
            return (_literal(Path(env.get("XDG_STATE_HOME") or home / ".local" / "state")),)
        case "code":
            return tuple(_literal(folder) for folder in _editor_folders(around))
    return (_literal(Path(env[name]).expanduser()),) if env.get(name) else ()


def _literal(path: Path) -> str:
    # A bracket in a user's name must not act as a pattern. Braces cannot be told from fields, and are very rare.
    return glob.escape(str(path))


def _editor_folders(around: Around) -> list[Path]:
    if around.system == "macos":
        above = [around.home / "Library" / "Application Support"]
    elif around.system == "windows":
        above = [Path(around.env.get("APPDATA") or around.home / "AppData" / "Roaming")]
    else:
        above = [Path(around.env.get("XDG_CONFIG_HOME") or around.home / ".config")]
    servers = [around.home / name / "data" / "User" for name in (".vscode-server", ".cursor-server")]
    return [folder / name / "User" for folder, name in product(above, _EDITORS)] + servers


def _matches(place: Place) -> Iterator[Path]:
    for pattern in place.patterns:
        for match in sorted(glob.glob(pattern, include_hidden=True)):
            yield Path(match)


def _stats(path: Path) -> Iterator[os.stat_result]:
    if path.is_file():
        yield path.stat()
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                yield os.stat(os.path.join(folder, name))
            except OSError:
                continue
