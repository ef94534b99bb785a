"""JSON with comments, trailing commas, single quotes and bare keys, read as a list of scalars with their places.

For configuration files that people edit: a cut or broken document yields what stands before the damage.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

#: Keys and list indexes from the root to a value.
Path = tuple[str | int, ...]

_TOKEN = re.compile(
    r"""(?P<skip>[\s\ufeff]+|//[^\n]*|/\*.*?\*/)
    |(?P<mark>[{}\[\]:,])
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<word>[^\s{}\[\]:,"'/]+)""",
    re.S | re.X,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\r?\n|.)", re.S)
_PLAIN_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_WORDS: dict[str, object] = {"true": True, "false": False, "null": None}
_MAX_DEPTH = 200


@dataclass(frozen=True, slots=True)
class Scalar:
    """One string, number, boolean or null. `position` is the character where its key (or, in a list, it) begins."""

    path: Path
    value: object
    position: int


@dataclass(slots=True)
class Document:
    """All scalars of a text in order. error: what is wrong and where, if the text is not a whole document."""

    scalars: list[Scalar] = field(default_factory=list)
    error: str | None = None
    error_position: int = 0

    def by_path(self) -> dict[Path, object]:
        """Path → value; of repeated keys the last counts, as for every JSON reader."""
        return {scalar.path: scalar.value for scalar in self.scalars}


@dataclass(slots=True)
class _Level:
    """An object or list that is open. key: the key or index whose value comes next."""

    is_object: bool
    key: str | int | None
    position: int = 0
    colon: bool = False


class _Broken(Exception):
    pass


def scan_json5(text: str) -> Document:
    """Read a document. Never raises: damage is described in the result."""
    document, levels, position, done = Document(), list[_Level](), 0, False
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            return _broken(document, "unreadable character or unfinished string or comment", position)
        if found.lastgroup != "skip":
            if done:
                return _broken(document, "text after the document", position)
            try:
                done = _step(document, levels, found)
            except _Broken as reason:
                return _broken(document, str(reason), position)
        position = found.end()
    return document if done else _broken(document, "unfinished document", position)


def _broken(document: Document, reason: str, position: int) -> Document:
    document.error, document.error_position = reason, position
    return document


def _step(document: Document, levels: list[_Level], token: re.Match[str]) -> bool:
    """Take one token; True when the document is complete."""
    text, top = token.group(), levels[-1] if levels else None
    if token.lastgroup == "mark":
        return _mark(levels, top, text, token.start())
    value = _string(text) if token.lastgroup == "string" else _word(text)
    if top is not None and top.is_object and not top.colon:
        if top.key is not None:
            raise _Broken("a colon is missing")
        top.key, top.position = (value if isinstance(value, str) else text), token.start()
        return False
    if top is not None and top.key is None:
        raise _Broken("a comma is missing")
    if token.lastgroup == "word" and isinstance(value, str):
        raise _Broken("a word that is no value")
    position = top.position if top is not None and top.is_object else token.start()
    document.scalars.append(Scalar(_path(levels), value, position))
    return _value_done(levels)


def _mark(levels: list[_Level], top: _Level | None, mark: str, position: int) -> bool:
    if mark in "{[":
        if top is not None and (top.key is None or (top.is_object and not top.colon)):
            raise _Broken("a bracket where a key or comma is due")
        if len(levels) >= _MAX_DEPTH:
            raise _Broken("nested too deeply")
        levels.append(_Level(mark == "{", None if mark == "{" else 0))
        return False
    if top is None:
        raise _Broken("not an object or list")
    if mark == ":":
        if not top.is_object or top.key is None or top.colon:
            raise _Broken("a colon in the wrong place")
        top.colon = True
    elif mark == ",":
        _next(top)
    else:
        if top.is_object != (mark == "}") or top.colon:
            raise _Broken("a bracket in the wrong place")
        levels.pop()
        return _value_done(levels)
    return False


def _next(top: _Level) -> None:
    """A comma: only after a value, which in an object has cleared the key and in a list set it to its complement."""
    if top.is_object:
        if top.key is not None:
            raise _Broken("a comma in the wrong place")
    elif top.key is None:
        top.key = top.position
    else:
        raise _Broken("a comma in the wrong place")


def _value_done(levels: list[_Level]) -> bool:
    """After a value: an object waits for its next key; a list remembers its next index until the comma comes."""
    if not levels:
        return True
    top = levels[-1]
    if top.is_object:
        top.key, top.colon = None, False
    elif isinstance(top.key, int):
        top.position, top.key = top.key + 1, None
    return False


def _path(levels: list[_Level]) -> Path:
    return tuple(level.key for level in levels if level.key is not None)


def _string(text: str) -> str:
    return _ESCAPE.sub(_escaped, text[1:-1]) if "\\" in text else text[1:-1]


def _escaped(found: re.Match[str]) -> str:
    code = found.group(1)
    if code[0] in "ux" and len(code) > 1:
        return chr(int(code[1:], 16)).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return "" if code.endswith("\n") else _PLAIN_ESCAPES.get(code, code)


def _word(text: str) -> object:
    """true, false, null, a number (also hexadecimal), or the word itself (a bare key)."""
    if text in _WORDS:
        return _WORDS[text]
    try:
        if re.fullmatch(r"[+-]?0[xX][0-9a-fA-F]{1,16}", text):
            return int(text, 16)
        if re.fullmatch(r"[+-]?\d{1,18}", text):
            return int(text)
        if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text):
            return float(text)
    except ValueError:
        pass
    return text
