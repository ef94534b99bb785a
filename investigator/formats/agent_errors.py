"""What an agent's error text says: its class and the numbers in it, by the table of agent_errors.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from investigator.formats.masking import masked
from investigator.yamltext import load as load_yaml

#: An error text is stored and searched up to here; some carry whole request bodies.
ERROR_TEXT_CHARS = 2000

#: What stands before the error of the layer below, where an agent prints both.
_QUOTED = re.compile(r"\brawError[=:]\s*")

#: What happened to a connection, and the classes that leave open which of these it was.
NETWORK_CLASSES = ("connection_refused", "connection_reset", "connection_lost", "timeout", "stream_timeout")
OPEN_CLASSES = ("connection_error", "fetch_failed")

#: Classes that leave open what happened, vaguest last: another text of the same record may say more.
_VAGUE = ("aborted", *OPEN_CLASSES, "bad_request", "other")


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """error_class: a class of agent_errors.yaml or 'other'. The rest: numbers that the text names, else None."""

    error_class: str
    http_status: int | None = None
    asked_tokens: int | None = None
    window_tokens: int | None = None
    limit_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Class:
    name: str
    literals: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...]

    def found_in(self, text: str, lowered: str) -> bool:
        return any(word in lowered for word in self.literals) or any(p.search(text) for p in self.patterns)


@cache
def _table() -> tuple[tuple[_Class, ...], Mapping[str, tuple[re.Pattern[str], ...]]]:
    raw = load_yaml(files(__package__).joinpath("agent_errors.yaml").read_text("utf-8"))
    classes = tuple(
        _Class(
            name,
            tuple(word.lower() for word in spec.get("literals", ())),
            tuple(re.compile(pattern) for pattern in spec.get("patterns", ())),
        )
        for name, spec in raw["classes"].items()
    )
    return classes, {name: tuple(map(re.compile, patterns)) for name, patterns in raw["extract"].items()}


def error_classes() -> tuple[str, ...]:
    """Every class that `classify` can answer."""
    return (*(entry.name for entry in _table()[0]), "other")


def _class_of(text: str) -> str:
    lowered = text.lower()
    return next((entry.name for entry in _table()[0] if entry.found_in(text, lowered)), "other")


@lru_cache(maxsize=4096)
def classify(text: str) -> ErrorFacts:
    """Class and numbers of one error text. `limit_s` in seconds, also where the text prints milliseconds."""
    text = text[:ERROR_TEXT_CHARS]
    # An agent's own word for a failure may be wrong ("timed out" for a cut connection); what it quotes is not.
    quoted = _QUOTED.search(text)
    name = _class_of(text[quoted.end() :]) if quoted else "other"
    if name == "other":
        name = _class_of(text)
    limit_ms = _number("limit_ms", text)
    return ErrorFacts(
        error_class=name,
        http_status=_integer("http_status", text),
        asked_tokens=_integer("asked_tokens", text),
        window_tokens=_integer("window_tokens", text),
        limit_s=limit_ms / 1000 if limit_ms is not None else _number("limit_s", text),
    )


def classify_best(*texts: str | None) -> ErrorFacts:
    """The most telling class among several texts of one error; numbers from whichever text names them first."""
    found = [classify(text) for text in texts if text]
    if not found:
        return ErrorFacts("other")
    best = min(found, key=lambda facts: _VAGUE.index(facts.error_class) + 1 if facts.error_class in _VAGUE else 0)
    return ErrorFacts(
        best.error_class,
        next((f.http_status for f in found if f.http_status is not None), None),
        next((f.asked_tokens for f in found if f.asked_tokens is not None), None),
        next((f.window_tokens for f in found if f.window_tokens is not None), None),
        next((f.limit_s for f in found if f.limit_s is not None), None),
    )


def error_cells(error: ErrorFacts, text: str | None) -> dict[str, object]:
    """The columns that `agent_call` and `agent_error` share about an error; the text masked and cut."""
    return {
        "error_class": error.error_class,
        "error_text": masked(text[:ERROR_TEXT_CHARS]) if text else None,
        "http_status": error.http_status,
        "asked_tokens": error.asked_tokens,
        "window_tokens": error.window_tokens,
    }


def _number(name: str, text: str) -> float | None:
    for pattern in _table()[1][name]:
        if found := pattern.search(text):
            return float(found.group(1))
    return None


def _integer(name: str, text: str) -> int | None:
    value = _number(name, text)
    return None if value is None or value > 2**62 else int(value)
