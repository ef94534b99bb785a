"""Formats described by a table: which field of a JSON record is which column. Ours stand in mappings/*.yaml; a user's
own file (docs/mapping.md) makes a home-made agent readable. agent-logs.md names the fields of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from investigator.formats.base import Parser, Side, SourceInfo
from investigator.formats.dig import dig
from investigator.formats.json_items import AutoParser, document_objects, items_parser
from investigator.formats.jsonl import JsonlParser, Noise, Outcome, Unknown, head_objects
from investigator.formats.mapping_columns import cells_of, record_of
from investigator.formats.mapping_spec import MappingSpec, Rule, load_mapping, load_own_mapping
from investigator.formats.rows import At, Rows

_ENOUGH = 20


@dataclass(slots=True)
class MappingReader:
    """Every rule whose conditions hold adds one fact; a rule with `noise` names what is understood and left out."""

    spec: MappingSpec

    def begin(self, head: Mapping[str, object], at: At, rows: Rows) -> None:
        """The values beside the records say nothing."""

    def finish(self, rows: Rows) -> None:
        """Nothing is remembered."""

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        record = record_of(raw)
        if record is None:
            return Unknown("no JSON object")
        for rule in self.spec.rules:
            if not applies(rule, record):
                continue
            if rule.noise is not None:
                return Noise(rule.noise)
            stamp, cells = cells_of(rule, record, self.spec)
            rows.add(rule.table, at, stamp, **cells)
        return Unknown("record that no rule covers") if self.spec.otherwise is None else Noise(self.spec.otherwise)


def applies(rule: Rule, record: Mapping[str, object]) -> bool:
    """Whether every condition holds: true and false ask whether a value is there, a list names the values, `^text` is
    how the value begins, `~text` stands anywhere in it."""
    return all(_holds(dig(record, path), wanted) for path, wanted in rule.when.items())


def _holds(value: object, wanted: object) -> bool:
    if isinstance(wanted, bool):
        return (value not in (None, "", [], {})) is wanted
    return any(_is(value, one) for one in wanted) if isinstance(wanted, list) else _is(value, wanted)


def _is(value: object, wanted: object) -> bool:
    if isinstance(wanted, str) and wanted[:1] in ("^", "~"):
        begin = wanted[0] == "^"
        return isinstance(value, str) and (value.startswith(wanted[1:]) if begin else wanted[1:] in value)
    return value == wanted


@dataclass(frozen=True, slots=True)
class MappingFormat:
    """A format that is entirely described by its table."""

    spec: MappingSpec

    @property
    def id(self) -> str:
        return self.spec.id

    @property
    def title(self) -> str:
        return self.spec.title

    @property
    def side(self) -> Side:
        return "agent"

    @property
    def versions(self) -> str:
        return self.spec.versions

    def recognise(self, head: bytes, path: str) -> float:
        records = [] if self.spec.shape == "lines" else document_objects(head, self.spec.items, _ENOUGH)
        if not records and self.spec.shape != "document":
            records = head_objects(head, _ENOUGH)
        mine = sum(1 for record in records if any(_has_all(record, paths) for paths in self.spec.recognise))
        return self.spec.confidence * mine / len(records) if records else 0.0

    def parser(self, info: SourceInfo) -> Parser:
        reader = MappingReader(self.spec)
        if self.spec.shape == "lines":
            return JsonlParser(info, reader)
        if self.spec.shape == "document":
            return items_parser(info, reader, self.spec.items)
        return AutoParser(info, reader, self.spec.items)


def _has_all(record: Mapping[str, object], paths: tuple[str, ...]) -> bool:
    """`path`: it is there; `path=text`: it is that text; `path^text`: it begins with it; `!path`: it is not there."""
    for wanted in paths:
        if wanted.startswith("!"):
            if dig(record, wanted[1:]) is not None:
                return False
        elif "=" in wanted or "^" in wanted:
            path, sign, text = wanted.partition("=") if "=" in wanted else wanted.partition("^")
            value = str(dig(record, path))
            if not (value == text if sign == "=" else value.startswith(text)):
                return False
        elif not _there(record, wanted):
            return False
    return True


def _there(record: Mapping[str, object], path: str) -> bool:
    """A key that is there with null counts: many exporters write every field."""
    parent, _, last = path.rpartition(".")
    holder = dig(record, parent) if parent else record
    return path in record or (isinstance(holder, Mapping) and last in holder)


def read_mapping(path: Path, name: str | None = None) -> MappingFormat:
    """The format that a user's own file describes; `name` is how messages call it.

    Raises MappingError for a mistake in it, OSError when it cannot be read.
    """
    return MappingFormat(load_mapping(path.read_text("utf-8", "replace"), name or str(path)))


@cache
def built_in_mapping(mapping_id: str) -> MappingFormat:
    """The mapping of mappings/<id>.yaml."""
    name = f"mappings/{mapping_id}.yaml"
    return MappingFormat(load_own_mapping(files(__package__).joinpath(name).read_text("utf-8"), name))
