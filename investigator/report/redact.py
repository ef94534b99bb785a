"""Masks secrets: keys, tokens, headers, credentials in URLs, e-mail, public addresses, names of users and hosts.

The rules are data (redact.yaml) and run on RE2, so that no input makes them slow. A secret is replaced by a pseudonym
numbered by first appearance ([key-1]); the same secret gets the same pseudonym everywhere in one report, which keeps
reports reproducible. Patterns find what they know: no mask is a promise that nothing else is secret.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import re2

from investigator.report.redact_rules import Rule, UserRule, is_secret, rules

#: Shorter values are too likely to be ordinary words to be looked for everywhere.
_MIN_LITERAL = 10
#: Stands between texts that are searched in one go: no secret goes across it.
_BETWEEN = b'"\x00"'
_LEARNED = ("key", "token", "secret", "credentials", "webhook")


@dataclass(frozen=True, slots=True)
class Redaction:
    """How a report is masked. on=False shows everything, and marks the report.

    key: pseudonyms are made with it instead of numbered, so that reports made with the same key can be linked.
    extra: rules of the user, which come before the built-in ones.
    """

    on: bool = True
    key: bytes | None = None
    extra: tuple[UserRule, ...] = ()


REDACT = Redaction()


class Leak(NamedTuple):
    """Something that looks like a secret in a finished text; the value itself is not repeated."""

    rule: str
    line_no: int
    column: int


class _Table:
    """Rules compiled together: one pass finds where any of them matches, only hits are looked at one by one."""

    def __init__(self, chosen: tuple[Rule, ...]) -> None:
        self._rules = chosen
        self._any = re2.compile("|".join(f"(?:{rule.pattern})" for rule in chosen), _options(captures=False))
        self._set = re2.Set.FullMatchSet()
        for rule in chosen:
            self._set.Add(rule.pattern)
        self._set.Compile()

    def hits(self, data: bytes) -> Iterator[tuple[Rule, int, int]]:
        """(rule, start, end) of every secret, in order; offsets in bytes."""
        at = 0
        while (match := self._any.search(data, at)) is not None:
            start, end = match.span()
            rule, first, last = self._which(data[start:end])
            if _counts(rule, data[start + first : start + last]):
                yield rule, start + first, start + last
            # What stood behind the secret may be what stands before the next one.
            at = start + last

    def _which(self, found: bytes) -> tuple[Rule, int, int]:
        """The rule that matches all of `found`, and where in it the secret is: the first one, as in the alternation."""
        for index in sorted(self._set.Match(found)):
            inner = _alone(self._rules[index].pattern).fullmatch(found)
            if inner is not None and inner.start(1) >= 0:
                return self._rules[index], *inner.span(1)
        raise AssertionError("one of the rules has matched")


@cache
def _mask() -> re.Pattern[bytes]:
    """What we put in a secret's place, or others did: found again, it stays."""
    kinds = "|".join(sorted({"secret", *(rule.kind for rule in rules())}))
    return re.compile(rf"\[?(?:{kinds})-[0-9a-f]{{1,8}}\]?|…+|\*+|<[a-z -]+>".encode())


def _counts(rule: Rule, value: bytes) -> bool:
    return not _mask().fullmatch(value) and is_secret(rule, value.decode("utf-8", "replace"))


@cache
def _alone(pattern: str) -> Any:
    return re2.compile(pattern)


def _options(*, captures: bool) -> Any:
    options = re2.Options()
    options.max_mem = 256 << 20
    options.never_capture = not captures
    return options


@cache
def _table(gate_only: bool) -> _Table:
    return _Table(tuple(rule for rule in rules() if rule.gate or not gate_only))


@dataclass(slots=True)
class Redactor:
    """Masks texts one after the other; pseudonyms are numbered in the order in which secrets appear."""

    redaction: Redaction = REDACT
    _names: dict[bytes, str] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _known: dict[bytes, str] = field(default_factory=dict)
    _literals: Any = None

    def learn(self, texts: Iterable[str]) -> None:
        """Remember the secrets of `texts`, so that `mask` knows them also where nothing tells that they are secrets."""
        if not self.redaction.on:
            return
        for kind, value in self._find(_BETWEEN.join(map(_encoded, texts))):
            if kind in _LEARNED and len(value) >= _MIN_LITERAL and re.search(rb"[0-9]", value):
                self._known.setdefault(value, kind)
                self._literals = None

    def mask(self, text: str) -> str:
        """`text` without its secrets. Masking twice changes nothing."""
        if not self.redaction.on:
            return text
        data = self._mask_known(_encoded(text))
        for rule in self.redaction.extra:
            data = _replaced(data, _user_hits(rule, data), self._name)
        hits = ((rule.kind, start, end) for rule, start, end in _table(False).hits(data))
        return _replaced(data, hits, self._name).decode("utf-8", "surrogatepass")

    @property
    def receipt(self) -> Mapping[str, int]:
        """How many different secrets of each kind were replaced."""
        return dict(sorted(self._counts.items()))

    def _find(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        for user_rule in self.redaction.extra:
            yield from ((kind, data[start:end]) for kind, start, end in _user_hits(user_rule, data))
        yield from ((rule.kind, data[start:end]) for rule, start, end in _table(False).hits(data))

    def _mask_known(self, data: bytes) -> bytes:
        if not self._known:
            return data
        if self._literals is None:
            # The longest first: a secret may be part of another.
            ordered = sorted(self._known, key=lambda value: (-len(value), value))
            self._literals = re.compile(b"|".join(map(re.escape, ordered)))
        return bytes(self._literals.sub(lambda m: self._name(self._known[m[0]], m[0]).encode(), data))

    def _name(self, kind: str, value: bytes) -> str:
        if value not in self._names:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._names[value] = f"[{kind}-{self._mark(kind, value)}]"
        return self._names[value]

    def _mark(self, kind: str, value: bytes) -> str:
        if self.redaction.key is None:
            return str(self._counts[kind])
        return hashlib.blake2b(value, key=self.redaction.key, digest_size=4).hexdigest()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _replaced(data: bytes, hits: Iterator[tuple[str, int, int]], name: Callable[[str, bytes], str]) -> bytes:
    pieces, done = [], 0
    for kind, start, end in hits:
        if start < done:
            continue
        pieces += [data[done:start], name(kind, data[start:end]).encode()]
        done = end
    return b"".join([*pieces, data[done:]])


def _user_hits(rule: UserRule, data: bytes) -> Iterator[tuple[str, int, int]]:
    if rule.keywords:
        lower = data.lower()
        if not any(word.encode() in lower for word in rule.keywords):
            return
    for match in rule.regexp.finditer(data):
        start, end = match.span(rule.group)
        value = data[max(start, 0) : max(end, 0)]
        allowed = any(ok.search(value) or ok.search(match.group()) for ok in rule.allowed)
        if value and not allowed and not _mask().fullmatch(value):
            yield "secret", start, end


def scan(text: str, extra: tuple[UserRule, ...] = ()) -> list[Leak]:
    """What still looks like a secret in a finished report. Empty when the gate may open.

    Of the built-in rules only those sure enough (`gate: true`) are used: a false alarm here would stop a delivery.
    """
    data = _encoded(text)
    found = [(start, rule.name) for rule, start, _ in _table(True).hits(data)]
    found += [(start, rule.name) for rule in extra for _, start, _ in _user_hits(rule, data)]
    return [_leak(data, start, name) for start, name in sorted(found)]


def _leak(data: bytes, start: int, name: str) -> Leak:
    line_start = data.rfind(b"\n", 0, start) + 1
    column = len(data[line_start:start].decode("utf-8", "replace")) + 1
    return Leak(name, data.count(b"\n", 0, start) + 1, column)
