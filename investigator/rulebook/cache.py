"""Checked rules, kept from one run to the next: checking takes most of a second, and rules seldom change.

One file per pack and way of loading, made of plain data (nothing in it is code). An entry counts only for the very
bytes of its rule file, this version of the rule language and this DuckDB. A cache that is missing, damaged or of
another version costs time, never a wrong result.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import msgspec
from pydantic import ValidationError

from investigator import __version__
from investigator.rulebook.compile import Compiled, Expression
from investigator.rulebook.lineage import Origin
from investigator.rulebook.model import Rule


class _Stored(msgspec.Struct, array_like=True):
    """What checking adds to the data of a rule file; the fields of Compiled."""

    data: Any
    match_sql: str
    match_parameters: tuple[str, ...]
    views: tuple[str, ...]
    lineage: dict[str, Origin]
    types: dict[str, str]
    steps: dict[str, Expression]
    verdict: Expression
    changes: dict[str, dict[str, Expression]]
    conditions: dict[str, Expression]
    row_local: bool
    silent_in_worlds: bool
    empty_without: tuple[tuple[str, ...], ...]


class _Book(msgspec.Struct):
    language: str
    rules: dict[str, msgspec.Raw]


@dataclass(slots=True)
class RuleCache:
    """The checked rules of one pack. `folder` None keeps nothing."""

    folder: Path | None
    name: str
    _kept: dict[str, msgspec.Raw] = field(default_factory=dict)
    _used: dict[str, msgspec.Raw] = field(default_factory=dict)
    _new: bool = False

    @classmethod
    def open(cls, folder: Path | None, pack: Path, with_tests: bool) -> RuleCache:
        """The cache of the pack at a path; empty when there is none that can be used."""
        if folder is None:
            return cls(None, "")
        place = f"{pack.resolve()}\0{with_tests}".encode()
        found = cls(folder, f"rules-{hashlib.sha256(place).hexdigest()[:16]}.msgpack")
        try:
            book = msgspec.msgpack.decode((folder / found.name).read_bytes(), type=_Book)
        except (OSError, msgspec.MsgspecError):
            return found
        if book.language == language():
            found._kept = book.rules
        return found

    def get(self, key: str, path: str, pack: str) -> Compiled | None:
        """The rule that was made of the file with this key."""
        raw = self._kept.get(key)
        if raw is None:
            return None
        try:
            stored = msgspec.msgpack.decode(raw, type=_Stored)
            rule = Rule.model_validate(stored.data)
        except (msgspec.MsgspecError, ValidationError):
            return None
        self._used[key] = raw
        params = {name: param.default for name, param in rule.params.items()}
        return Compiled(
            rule, path, pack, stored.match_sql, stored.match_parameters, stored.views, stored.lineage, stored.types,
            stored.steps, stored.verdict, stored.changes, stored.conditions, params, stored.row_local,
            stored.silent_in_worlds, stored.empty_without,
        )  # fmt: skip

    def put(self, key: str, data: Any, compiled: Compiled) -> None:
        """Keep a rule that has no problem; `data` is the content of its file."""
        if self.folder is None:
            return
        stored = _Stored(
            data, compiled.match_sql, compiled.match_parameters, compiled.views, dict(compiled.lineage),
            dict(compiled.types), dict(compiled.steps), compiled.verdict,
            {name: dict(changes) for name, changes in compiled.changes.items()}, dict(compiled.conditions),
            compiled.row_local, compiled.silent_in_worlds, compiled.empty_without,
        )  # fmt: skip
        self._used[key] = msgspec.Raw(msgspec.msgpack.encode(stored))
        self._new = True

    def save(self) -> None:
        """Write what was used, if something is new. A folder that cannot be written to is left alone."""
        if self.folder is None or not self._new:
            return
        content = msgspec.msgpack.encode(_Book(language(), self._used))
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, written = tempfile.mkstemp(dir=self.folder, prefix=self.name)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(written, self.folder / self.name)
        except OSError:
            return


def key_of(stem: str, text: str) -> str:
    """What a rule's result depends on beside the language: its file's name and text."""
    return hashlib.sha256(f"{stem}\0{text}".encode()).hexdigest()


@cache
def language() -> str:
    """Stands for the version of the rule language: the program, DuckDB, and the files that say what a rule means."""
    digest = hashlib.sha256(f"{__version__}\0{duckdb.__version__}".encode())
    package = files("investigator")
    for part in ("rulebook", "casefile"):
        for file in sorted(package.joinpath(part).iterdir(), key=lambda each: each.name):
            if file.name.endswith((".py", ".sql", ".yaml")) and isinstance(file, Path):
                about = file.stat()
                digest.update(f"{part}/{file.name}\0{about.st_size}\0{about.st_mtime_ns}\0".encode())
    return digest.hexdigest()
