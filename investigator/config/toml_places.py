"""Where the keys of a TOML text stand: `tomllib` gives values without places, and an error needs one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

_TABLE = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^(\s*)((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
_LONG = re.compile(r'"""|\'\'\'')


@dataclass(frozen=True, slots=True)
class Place:
    """1-based line and column, and the line's text."""

    line: int
    column: int
    text: str


class Places:
    """Place of every key and table head of a TOML text, by its path; list items of `[[name]]` are numbered."""

    def __init__(self, text: str) -> None:
        self._found: dict[Path, Place] = {}
        self._counts: dict[Path, int] = {}
        self._read(text)

    def at(self, path: Path) -> Place | None:
        """Place of the key, or of the nearest table that encloses it; None at the root."""
        for end in range(len(path), 0, -1):
            if (place := self._found.get(path[:end])) is not None:
                return place
        return None

    def _read(self, text: str) -> None:
        table: Path = ()
        inside = ""
        for number, line in enumerate(text.splitlines(), 1):
            marks = _LONG.findall(line)
            if inside:
                inside = "" if inside in marks else inside
                continue
            if head := _TABLE.match(line):
                table = self._table(head[1], _parts(head[2]))
                self._found.setdefault(table, Place(number, head.start(2) + 1, line))
            elif key := _KEY.match(line):
                self._keys(table, _parts(key[2]), Place(number, key.start(2) + 1, line))
            # A text of several lines may look like keys.
            if len(marks) == 1:
                inside = marks[0]

    def _table(self, brackets: str, parts: Path) -> Path:
        path = self._numbered(parts[:-1])
        if brackets == "[[":
            number = self._counts.get((*path, parts[-1]), 0)
            self._counts[(*path, parts[-1])] = number + 1
            return (*path, parts[-1], number)
        return (*path, parts[-1])

    def _numbered(self, parts: Path) -> Path:
        """A path through lists of tables goes to their last item."""
        path: Path = ()
        for part in parts:
            path = (*path, part)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
        return path

    def _keys(self, table: Path, parts: Path, place: Place) -> None:
        for end in range(1, len(parts) + 1):
            self._found.setdefault((*table, *parts[:end]), place)


def _parts(text: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(text))


def at_path(data: Mapping[str, object], path: Path) -> object:
    """The value at a path of parsed TOML; None if there is none."""
    value: object = data
    for part in path:
        if isinstance(value, Mapping) and isinstance(part, str):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value
