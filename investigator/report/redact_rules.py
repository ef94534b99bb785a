"""What counts as a secret: the table of redact.yaml, rules that users bring, and checks that no pattern can express."""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import re2

from investigator.errors import UsageProblem
from investigator.yamltext import load as load_yaml

#: Where a word may begin: at a word's edge, or behind an escape of JSON, a URL or a terminal.
START = r"(?:\b|\\[nrtbf]|\\?\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2}|\[[0-9;]*m)"


class Rule(NamedTuple):
    """A kind of secret. `gate`: sure enough to hold back a finished file. `check` names a test of the value."""

    name: str
    kind: str
    gate: bool
    pattern: str
    check: str = ""


@cache
def rules() -> tuple[Rule, ...]:
    """The table of redact.yaml, in order: the first that matches at a place wins."""
    rows = _data("redact.yaml")
    return tuple(
        Rule(row["name"], row["kind"], row["gate"], row["pattern"].replace("{START}", START), row.get("check", ""))
        for row in rows
    )


@cache
def _words() -> Mapping[str, frozenset[str]]:
    return {name: frozenset(words) for name, words in _data("redact_words.yaml").items()}


def _data(name: str) -> Any:
    text = files("investigator.report").joinpath(name).read_text(encoding="utf-8")
    return load_yaml(text)


def is_secret(rule: Rule, value: str) -> bool:
    """Whether a value that the rule's pattern found is one: the test that the rule names, if any."""
    return CHECKS[rule.check](value) if rule.check else True


def _mixed(value: str) -> bool:
    """Keys hold digits and letters; names of things with the same prefix mostly do not."""
    tail = value[4:]
    return any(c.isdigit() for c in tail) and any(c.isalpha() for c in tail)


@lru_cache(4096)
def _public_ip(value: str) -> bool:
    """Only addresses of the public internet: private and loopback ones say what kind of network it is, and no more."""
    try:
        return ipaddress.ip_address(value).is_global
    except ValueError:
        return False


def _mac(value: str) -> bool:
    """Not the broadcast or null address, and no date written with hyphens."""
    digits = value.replace("-", ":").lower().split(":")
    return len(set(digits)) > 1 and (":" in value or any(c.isalpha() for c in value))


def _email(value: str) -> bool:
    """Not a version (`name@2026.2.beta`), nor a file (`icon@2x.png`), nor everybody's account (`git@github.com`)."""
    if value.startswith("git@"):
        return False
    labels = re.split(r"@|%40", value)[-1].split(".")
    return labels[-1].lower() not in _words()["ending"] and not labels[-2].isdigit()


CHECKS: Mapping[str, Callable[[str], bool]] = {
    "mixed": _mixed,
    "public_ip": _public_ip,
    "mac": _mac,
    "email": _email,
    "header": lambda value: value.lower() not in _words()["header"],
    "person": lambda value: value.lower() not in _words()["person"],
    "machine": lambda value: value.lower() not in _words()["machine"] and not value.isdigit(),
}


class UserRule(NamedTuple):
    """A rule of a gitleaks file. `group`: the part to replace, 0 for all. `keywords`: one of them is in the text."""

    name: str
    regexp: Any
    group: int
    keywords: tuple[str, ...]
    allowed: tuple[Any, ...]


def gitleaks(path: Path) -> tuple[UserRule, ...]:
    """Rules of a gitleaks TOML file: id, regex, secretGroup, keywords, allowlists' regexes (Go's syntax is RE2's).

    Entropy is left out on purpose: it only makes a rule match less. Raises UsageProblem that names file and rule.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageProblem(
            f"the redaction rules cannot be read: {error}", hint="give a gitleaks TOML file", path=path
        ) from error
    everywhere = _allowed(path, "allowlist", _lists(table))
    rows = table.get("rules", [])
    return tuple(_user_rule(path, row, everywhere) for row in rows if "regex" in row)


def _user_rule(path: Path, row: Mapping[str, Any], everywhere: Sequence[Any]) -> UserRule:
    name = str(row.get("id", "rule"))
    regexp = _compile(path, name, str(row["regex"]))
    group = int(row.get("secretGroup", 0)) or min(regexp.groups, 1)
    if group > regexp.groups:
        raise UsageProblem(f"rule {name}: there is no group {group}", hint="correct secretGroup", path=path)
    keywords = tuple(str(word).lower() for word in row.get("keywords", ()))
    return UserRule(name, regexp, group, keywords, (*everywhere, *_allowed(path, name, _lists(row))))


def _lists(table: Mapping[str, Any]) -> list[Any]:
    return [*table.get("allowlists", []), *([table["allowlist"]] if "allowlist" in table else [])]


def _allowed(path: Path, name: str, lists: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(_compile(path, name, str(text)) for entry in lists for text in entry.get("regexes", ()))


def _compile(path: Path, name: str, pattern: str) -> Any:
    try:
        return re2.compile(pattern)
    except re2.error as error:
        raise UsageProblem(f"rule {name}: {error}", hint="write the pattern in RE2's syntax", path=path) from error
