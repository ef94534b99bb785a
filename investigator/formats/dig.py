"""Values deep inside decoded JSON, by dotted path; what is not there, or of another type, is None."""

from __future__ import annotations

from collections.abc import Mapping

#: Everything that a decoded JSON value can be.
Json = object


def dig(value: Json, path: str) -> Json:
    """The value at `path` (`a.b.0.c`; a number takes a list's element, a key that holds dots is tried whole first)."""
    if isinstance(value, Mapping) and path in value:
        return value[path]
    parts = path.split(".")
    for level, part in enumerate(parts):
        if isinstance(value, Mapping):
            if part not in value:
                return value.get(".".join(parts[level:])) if level else None
            value = value[part]
        elif isinstance(value, list) and part.lstrip("-").isdigit() and len(part) < 6:
            index = int(part)
            value = value[index] if -len(value) <= index < len(value) else None
        else:
            return None
    return value


def text_at(value: Json, *paths: str) -> str | None:
    """The first non-empty text at one of the paths."""
    return next((found for path in paths if isinstance(found := dig(value, path), str) and found), None)


def number_at(value: Json, *paths: str) -> float | int | None:
    """The first number at one of the paths; digits in a text count, booleans do not."""
    for path in paths:
        found = dig(value, path)
        if isinstance(found, str):
            found = _number(found)
        if isinstance(found, int | float) and not isinstance(found, bool):
            return found
    return None


def _number(text: str) -> float | int | None:
    if len(text) > 30:
        return None
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        return None


def object_at(value: Json, path: str) -> Mapping[str, Json]:
    """The object at the path, empty if there is none."""
    found = dig(value, path)
    return found if isinstance(found, dict) else {}


def list_at(value: Json, path: str) -> list[Json]:
    """The list at the path, empty if there is none."""
    found = dig(value, path)
    return found if isinstance(found, list) else []


def sum_at(value: Json, *paths: str) -> float | int | None:
    """The sum of the numbers at the paths; None when none of them is there, or all are 0."""
    found = [number for path in paths if (number := number_at(value, path)) is not None]
    return sum(found) or None


def text_of(content: Json) -> str:
    """The text of a message's content: a text, or a list of parts with `text` (or `content`)."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = [part if isinstance(part, str) else text_at(part, "text", "content") for part in content]
    return "".join(text for text in texts if text)
