"""Masks secrets: keys, tokens, headers, credentials in URLs, e-mail, user names in paths.

The rules are data (redact.yaml) and run on RE2, so that no input makes them slow. A secret is replaced by a pseudonym
numbered by first appearance ([key-1]); the same secret gets the same pseudonym everywhere in one report, which keeps
reports reproducible. Patterns find what they know: no mask is a promise that nothing else is secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import re2
from ruamel.yaml import YAML

#: Folders beside the users' own: they name nobody.
_NOBODY = frozenset({"Shared", "Public", "Default", "linuxbrew", "user", "USER", "username", "…", "~", "$USER"})


class Rule(NamedTuple):
    """A kind of secret. `gate`: sure enough to hold back a finished file."""

    name: str
    kind: str
    gate: bool
    pattern: str


class Leak(NamedTuple):
    """Something that looks like a secret in a finished text; the value itself is not repeated."""

    rule: str
    line_no: int
    column: int


@cache
def rules() -> tuple[Rule, ...]:
    """The table of redact.yaml, in order: the first that matches at a place wins."""
    text = files("investigator.report").joinpath("redact.yaml").read_text(encoding="utf-8")
    rows = YAML(typ="safe", pure=True).load(text)
    return tuple(Rule(row["name"], row["kind"], row["gate"], row["pattern"]) for row in rows)


@cache
def _compiled(gate_only: bool) -> tuple[Any, tuple[Rule, ...]]:
    # One alternation: each rule has exactly one group, so the last matched group names the rule.
    chosen = tuple(rule for rule in rules() if rule.gate or not gate_only)
    options = re2.Options()
    options.max_mem = 64 << 20
    return re2.compile("|".join(f"(?:{rule.pattern})" for rule in chosen), options), chosen


@dataclass(slots=True)
class Redactor:
    """Masks texts one after the other; pseudonyms are numbered in the order in which secrets appear."""

    _names: dict[str, str] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)

    def mask(self, text: str) -> str:
        """`text` without its secrets. Masking twice changes nothing."""
        pattern, chosen = _compiled(False)
        return str(pattern.sub(lambda match: self._replacement(match, chosen), text))

    @property
    def receipt(self) -> Mapping[str, int]:
        """How many different secrets of each kind were replaced."""
        return dict(sorted(self._numbers.items()))

    def _replacement(self, match: Any, chosen: tuple[Rule, ...]) -> str:
        group = match.lastindex
        whole, secret = match.group(), match.group(group)
        if secret in _NOBODY:
            return str(whole)
        at = match.start(group) - match.start()
        return f"{whole[:at]}{self._name(secret, chosen[group - 1].kind)}{whole[at + len(secret) :]}"

    def _name(self, secret: str, kind: str) -> str:
        if secret not in self._names:
            self._numbers[kind] = self._numbers.get(kind, 0) + 1
            self._names[secret] = f"[{kind}-{self._numbers[kind]}]"
        return self._names[secret]


def scan(text: str) -> list[Leak]:
    """What still looks like a secret in a finished report. Empty when the gate may open.

    Only rules sure enough (`gate: true`) are used: a false alarm here would stop a delivery.
    """
    pattern, chosen = _compiled(True)
    leaks = []
    for match in pattern.finditer(text):
        if match.group(match.lastindex) in _NOBODY:
            continue
        start = match.start(match.lastindex)
        line_start = text.rfind("\n", 0, start) + 1
        leaks.append(Leak(chosen[match.lastindex - 1].name, text.count("\n", 0, start) + 1, start - line_start + 1))
    return leaks
