"""Patterns as data: what a line starts with, and what it then says. Read from the *.yaml files beside the formats."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal, cast

from investigator.yamltext import load as load_yaml

Where = Literal["slog", "cpp", "server", "text", "raw"]
Match = Literal["prefix", "exact", "contains"]

#: A regex with this in it captures columns.
HAS_GROUPS = re.compile(r"\(\?P?<\w+>")

#: Shortest literal that may declare a line to be noise.
NOISE_LITERAL = 8


@dataclass(frozen=True, slots=True, eq=False)
class FactSpec:
    """How one fact is made of a matched line. Each is itself only, so that what is worked out of it can be kept.

    table: fact table. regex: named groups are columns. fields: column → key of a `key=value`. find: column → regex with
    one group, searched on its own. set: constants. units: column → unit of a bare number. maps: column → printed →
    stored. defaults: column → value where the line says nothing of it. rows: name of a splitter that makes several
    facts of one line.
    """

    table: str
    regex: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    find: Mapping[str, str] = field(default_factory=dict)
    set: Mapping[str, object] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    defaults: Mapping[str, object] = field(default_factory=dict)
    rows: str | None = None


@dataclass(frozen=True, slots=True)
class Pattern:
    """One kind of line.

    where: which part of a line the literal stands in: `slog` the message of an Ollama line, `cpp` the message of a C++
    runner's line, `server` the text of a `slot` or `srv` line, `text` the same or what follows a function name, `raw`
    the whole line. facts: empty for noise and foreign.
    """

    name: str
    where: Where
    literal: str
    match: Match
    versions: str
    regex: str | None = None
    facts: tuple[FactSpec, ...] = ()
    noise: str | None = None
    foreign: bool = False


_SPEC_KEYS = ("regex", "fields", "find", "set", "units", "maps", "defaults", "rows")


def _spec(raw: Mapping[str, object]) -> FactSpec:
    given = {key: raw[key] for key in _SPEC_KEYS if key in raw}
    return FactSpec(cast(str, raw["fact"]), **given)  # type: ignore[arg-type]


def _fact_pattern(raw: Mapping[str, object]) -> Iterable[Pattern]:
    known = {"name", "where", "literal", "match", "versions", "fact", "also", "contains", *_SPEC_KEYS}
    if unknown := set(raw) - known:
        raise ValueError(f"pattern {raw.get('name')}: unknown key {', '.join(sorted(unknown))}")
    specs = (_spec(raw), *(_spec(more) for more in cast(list[Mapping[str, object]], raw.get("also", []))))
    literals = raw["literal"] if isinstance(raw["literal"], list) else [raw["literal"]]
    for literal in literals:
        yield Pattern(
            name=cast(str, raw["name"]),
            where=cast(Where, raw.get("where", "slog")),
            literal=str(literal),
            match=cast(Match, raw.get("match", "prefix")),
            versions=str(raw["versions"]),
            regex=cast("str | None", raw.get("regex")),
            facts=specs,
        )


def _quiet_patterns(raw: Mapping[str, object], foreign: bool) -> Iterable[Pattern]:
    kinds: tuple[Match, ...] = ("prefix", "contains")
    for match in kinds:
        for literal in cast(list[str], raw.get("literals" if match == "prefix" else "contains", [])):
            if not foreign and len(literal) < NOISE_LITERAL:
                raise ValueError(f"noise {raw['name']}: literal {literal!r} is shorter than {NOISE_LITERAL} characters")
            yield Pattern(
                name=cast(str, raw["name"]),
                where=cast(Where, raw.get("where", "slog")),
                literal=literal,
                match=match,
                versions=str(raw["versions"]),
                regex=cast("str | None", raw.get("regex")),
                noise=None if foreign else cast(str, raw["name"]),
                foreign=foreign,
            )


@cache
def load_patterns(*file_names: str) -> tuple[Pattern, ...]:
    """Patterns of these files in order: facts first, then noise, then lines of other programs."""
    facts: list[Pattern] = []
    noise: list[Pattern] = []
    foreign: list[Pattern] = []
    for name in file_names:
        text = files(__package__).joinpath(name).read_text(encoding="utf-8")
        # Numbers in logs are ASCII, and expressions without all digits of Unicode are made in half the time.
        raw = load_yaml(text.replace(r"\d", "[0-9]"))
        facts += (pattern for entry in raw.get("facts") or () for pattern in _fact_pattern(entry))
        noise += (pattern for entry in raw.get("noise") or () for pattern in _quiet_patterns(entry, False))
        foreign += (pattern for entry in raw.get("foreign") or () for pattern in _quiet_patterns(entry, True))
    return (*facts, *noise, *foreign)
