"""The file of a mapping: loaded, checked, every mistake told with its line. docs/mapping.md describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from investigator import yamltext
from investigator.formats.common import common_names
from investigator.formats.facts import fact_tables

_TOP = ("id", "title", "agent", "versions", "shape", "items", "recognise", "confidence", "otherwise", "records", "zone")
_RULE = ("when", "table", "stamp", "columns", "errors", "noise")
_COLUMN = ("path", "value", "scale", "map", "sum", "as", "before", "after", "since")
_AS = ("time", "chars", "hash", "text")
_TABLES = ("agent_call", "agent_error", "agent_run", "agent_http", "agent_session", "agent_prompt", "agent_config")
_TABLES_MORE = ("agent_estimate", "compaction", "notice", "client_timing")


class MappingError(ValueError):
    """A mistake in a mapping's file, with its place and what to do."""

    def __init__(self, name: str, line: int, text: str) -> None:
        super().__init__(f"{name}:{line}: {text}")
        self.name, self.line, self.text = name, line, text


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """paths: the first that holds a value counts. before, after: durations that are taken off or added (their sum).

    since: path of a time; the value is the seconds from then to the time at `paths`.
    """

    paths: tuple[str, ...]
    value: object = None
    scale: float = 1.0
    map: Mapping[str, object] | None = None
    sum: bool = False
    kind: str | None = None
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    since: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of record: the conditions, and the fact that it becomes (or the name of the noise)."""

    when: Mapping[str, object]
    table: str
    stamp: tuple[str, ...]
    columns: Mapping[str, ColumnSpec]
    errors: tuple[str, ...]
    noise: str | None


@dataclass(frozen=True, slots=True)
class MappingSpec:
    """A whole mapping. zone: 'utc' when times without a zone are UTC, else None (local, not known)."""

    id: str
    title: str
    agent: str | None
    versions: str
    shape: str
    items: str | None
    recognise: tuple[tuple[str, ...], ...]
    confidence: float
    otherwise: str | None
    zone: str | None
    rules: tuple[Rule, ...]


def load_own_mapping(text: str, name: str) -> MappingSpec:
    """A mapping of the package, whose mistakes are ours: read fast, without the lines that messages to users name."""
    return _Loader(name).mapping(yamltext.load(text))


def load_mapping(text: str, name: str) -> MappingSpec:
    """The mapping in `text`; `name` is the file's name for messages. Raises MappingError."""
    try:
        raw = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise MappingError(name, line, f"not YAML: {error.problem or 'cannot be read'}") from error
    except YAMLError as error:
        raise MappingError(name, 1, "not YAML: cannot be read") from error
    return _Loader(name).mapping(raw)


@dataclass(frozen=True, slots=True)
class _Loader:
    name: str

    def mapping(self, raw: Any) -> MappingSpec:
        self._keys(raw, _TOP, ("id", "recognise", "records"))
        shape = raw.get("shape", "lines")
        if shape not in ("lines", "document", "auto"):
            raise self._error(raw, "shape", f"shape is lines, document or auto, not {shape!r}")
        if raw.get("zone") not in (None, "utc"):
            raise self._error(raw, "zone", "zone is utc, or left out when times are local")
        confidence = raw.get("confidence", 0.9)
        if not isinstance(confidence, int | float) or not 0 < confidence <= 1:
            raise self._error(raw, "confidence", "confidence is a number above 0 and at most 1")
        return MappingSpec(
            id=str(raw["id"]),
            title=str(raw.get("title", raw["id"])),
            agent=str(raw["agent"]) if "agent" in raw else None,
            versions=str(raw.get("versions", "unknown")),
            shape=shape,
            items=raw.get("items"),
            recognise=tuple(_texts(entry) for entry in self._list(raw, "recognise")),
            confidence=float(confidence),
            otherwise=raw.get("otherwise"),
            zone=raw.get("zone"),
            rules=tuple(self._rule(entry) for entry in self._list(raw, "records")),
        )

    def _rule(self, raw: Any) -> Rule:
        self._keys(raw, _RULE, ())
        when = {str(path): _plain(value) for path, value in dict(raw.get("when", {})).items()}
        if "noise" in raw:
            return Rule(when, "", (), {}, (), str(raw["noise"]))
        self._keys(raw, _RULE, ("table", "columns"))
        table = raw["table"]
        if table not in (*_TABLES, *_TABLES_MORE):
            raise self._error(
                raw, "table", f"no table {table!r}{_near(str(table), _TABLES)}; known: {', '.join(_TABLES)}"
            )
        known = [c for c in fact_tables()[table].polars_schema() if c not in common_names()]
        for column in raw["columns"]:
            if column not in known:
                raise self._error(
                    raw["columns"], column, f"table {table} has no column {column!r}{_near(column, known)}"
                )
        columns = {name: self._column(raw["columns"], name) for name in raw["columns"]}
        return Rule(when, table, _texts(raw.get("stamp", [])), columns, _texts(raw.get("errors", [])), None)

    def _column(self, holder: Any, name: str) -> ColumnSpec:
        raw = holder[name]
        if isinstance(raw, str | list):
            return ColumnSpec(_texts(raw))
        self._keys(raw, _COLUMN, (), holder, name)
        if raw.get("as") not in (None, *_AS):
            raise self._error(raw, "as", f"as is one of {', '.join(_AS)}")
        return ColumnSpec(
            paths=_texts(raw.get("path", [])),
            value=_plain(raw.get("value")),
            scale=float(raw.get("scale", 1.0)),
            map={str(key): _plain(value) for key, value in raw["map"].items()} if "map" in raw else None,
            sum=bool(raw.get("sum", False)),
            kind=raw.get("as"),
            before=_texts(raw.get("before", [])),
            after=_texts(raw.get("after", [])),
            since=raw.get("since"),
        )

    def _keys(
        self, raw: Any, known: tuple[str, ...], needed: tuple[str, ...], holder: Any = None, name: str = ""
    ) -> None:
        if not isinstance(raw, dict):
            line = _line(holder, name) if holder is not None else 1
            raise MappingError(self.name, line, f"keys are wanted here: {', '.join(known)}")
        for key in raw:
            if key not in known:
                raise self._error(raw, key, f"unknown key {key!r}{_near(str(key), known)}")
        if missing := [key for key in needed if key not in raw]:
            raise MappingError(self.name, _line(raw, None), f"{missing[0]!r} is missing")

    def _list(self, raw: Any, key: str) -> list[Any]:
        if not isinstance(raw[key], list) or not raw[key]:
            raise self._error(raw, key, f"{key} is a list with at least one entry")
        return list(raw[key])

    def _error(self, raw: Any, key: object, text: str) -> MappingError:
        return MappingError(self.name, _line(raw, key), text)


def _line(raw: Any, key: object) -> int:
    """Line of a key, from 1, as the YAML reader kept it."""
    try:
        return int(raw.lc.line if key is None else raw.lc.key(key)[0]) + 1
    except (AttributeError, KeyError, TypeError):
        return 1


def _texts(raw: Any) -> tuple[str, ...]:
    return (str(raw),) if isinstance(raw, str | int | float) else tuple(str(entry) for entry in raw)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return str(value) if isinstance(value, str) else value


def _near(word: str, known: tuple[str, ...] | list[str]) -> str:
    close = get_close_matches(word, known, 1)
    return f" (did you mean {close[0]!r}?)" if close else ""
