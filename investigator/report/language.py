"""The language of a report: translations of its fixed strings, and the forms of its numbers.

Texts are looked up by their English form in locale/<language>.po (gettext's format, read as it is: nothing to compile).
What is not there stays English; rules bring their own texts.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "de")
_current: ContextVar[str] = ContextVar("language", default="en")
_SWAPPED = str.maketrans(",.", ".,")
_UNIT = r" ?(?:(?:s|min|h|d|tokens|tok|calls|times|[KMG]i?B)\b|[%×÷]|of \d)"
#: Numbers in a sentence: grouped ones, with a point before a unit, small coefficients; no versions, no models.
_NUMBER = re.compile(
    rf"(?<![\w.,:/-])(?:(?:\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+\.\d+(?={_UNIT}))(?!\w|[.,:]\d)|\d\.\d+(?=e-?\d+ s/))"
)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """While this lasts, `_` and `figures` use one of LANGUAGES."""
    if language not in LANGUAGES:
        raise ValueError(f"no such language: {language}")
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> str:
    """The language in use, as a tag for `lang=`."""
    return _current.get()


def _(text: str) -> str:
    """A fixed string in the language in use."""
    return catalogue(_current.get()).get(text, text)


def figures(number: str) -> str:
    """A number written in English as the language writes it: `1,234.5` becomes `1.234,5`."""
    return number if _current.get() == "en" else number.translate(_SWAPPED)


def figures_in(text: str) -> str:
    """A sentence with its numbers as the language writes them."""
    return text if _current.get() == "en" else _NUMBER.sub(lambda match: figures(match.group()), text)


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Translations by their English text; empty for English."""
    if language == "en":
        return {}
    text = files("investigator.report").joinpath("locale", f"{language}.po").read_text(encoding="utf-8")
    return dict(entries(text))


def entries(po: str) -> Iterator[tuple[str, str]]:
    """(msgid, msgstr) of a .po file but its head; untranslated ones are left out."""
    for block in re.split(r"\n(?=msgid )", f"\n{po}")[1:]:
        before, _found, after = block.partition("\nmsgstr ")
        original, translation = _joined(before.removeprefix("msgid ")), _joined(after)
        if original and translation:
            yield original, translation


def _joined(lines: str) -> str:
    """The strings in quotes, one a line, as one."""
    quoted = (line.strip() for line in lines.splitlines())
    return "".join(ast.literal_eval(line) for line in quoted if line.startswith('"'))
