"""YAML 1.2, read by libyaml where it can and by ruamel where it cannot.

ruamel is right and slow, libyaml (PyYAML's C part) is twenty times faster and knows YAML 1.1 only. So libyaml cuts the
text into nodes and ruamel's own table of YAML 1.2 says what a plain scalar is. Whatever libyaml refuses is read again
by ruamel: its verdict and its message count, with and without the C part.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Protocol

from ruamel.yaml import YAML
from ruamel.yaml.resolver import implicit_resolvers
from yaml import YAMLError as FastError


class Mark(Protocol):
    """0-based place in the text."""

    line: int
    column: int


class Node(Protocol):
    """What both readers call a node. `id`: mapping, sequence or scalar."""

    id: str
    tag: Any
    value: Any
    start_mark: Mark


def compose(text: str) -> Node | None:
    """The root node of the one document, None when it is empty.

    Raises ruamel's YAMLError; RecursionError for thousands of nested brackets.
    """
    fast = _fast_reader()
    if fast is not None:
        reader = fast(text)
        try:
            node: Node | None = reader.get_single_node()
            return node
        except (FastError, ValueError) as error:
            # anything else ruamel says better, or reads after all; it would walk down there for minutes
            if "maximum nesting depth" in str(error):
                raise RecursionError("nested too deeply") from error
        finally:
            reader.dispose()
    found: Node | None = YAML(typ="safe", pure=True).compose(text)
    return found


@cache
def _fast_reader() -> Any:
    """The class that gives libyaml's nodes with the scalars of YAML 1.2; None when PyYAML was built without libyaml."""
    try:
        from yaml._yaml import CParser
    except ImportError:
        return None
    from yaml.resolver import BaseResolver

    class Reader(CParser, BaseResolver):
        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)
            BaseResolver.__init__(self)

    for versions, tag, pattern, first in implicit_resolvers:
        if (1, 2) in versions:
            Reader.add_implicit_resolver(tag, pattern, first)
    return Reader


def load(text: str) -> Any:
    """Plain data of the package's own files: mappings, lists, texts, numbers, switches, None."""
    root = compose(text)
    return None if root is None else _build(root, {})


def scalar(node: Node) -> Any:
    """The value of a scalar node; quoted and block scalars are texts."""
    convert = _SCALARS.get(str(node.tag).rsplit(":", 1)[-1])
    plain = not getattr(node, "style", None)
    return convert(node.value) if convert is not None and plain else str(node.value)


def _build(node: Node, known: dict[int, Any]) -> Any:
    """An alias is the same node again, and the same value."""
    if id(node) not in known:
        known[id(node)] = _value(node, known)
    return known[id(node)]


def _value(node: Node, known: dict[int, Any]) -> Any:
    if node.id == "mapping":
        return _merged(node, known) | dict(_items(node, known))
    return [_build(child, known) for child in node.value] if node.id == "sequence" else scalar(node)


def _items(node: Node, known: dict[int, Any]) -> Iterator[tuple[Any, Any]]:
    for key, value in node.value:
        if not _merges(key):
            yield _build(key, known), _build(value, known)


def _merged(node: Node, known: dict[int, Any]) -> dict[Any, Any]:
    """What `<<` brings in from another mapping, or from several of which the first counts."""
    values = [value for key, value in node.value if _merges(key)]
    parts = [part for value in values for part in (value.value if value.id == "sequence" else [value])]
    merged: dict[Any, Any] = {}
    for part in parts:
        merged = _build(part, known) | merged
    return merged


def _merges(key: Node) -> bool:
    return key.id == "scalar" and key.value == "<<" and not getattr(key, "style", None)


def _number(text: str) -> float:
    lowered = text.lower().lstrip("+-")
    if lowered in {".inf", ".nan"}:
        return math.nan if lowered == ".nan" else math.copysign(math.inf, -1 if text.startswith("-") else 1)
    return float(text.replace("_", ""))


def _integer(text: str) -> int:
    return int(text.replace("_", ""), 0) if not text.lstrip("+-").startswith("0") else int(text, _base(text))


def _base(text: str) -> int:
    marker = text.lstrip("+-")[:2].lower()
    return {"0x": 16, "0o": 8}.get(marker, 10)


_SCALARS: Mapping[str, Any] = {
    "int": _integer,
    "float": _number,
    "bool": lambda text: text.lower() == "true",
    "null": lambda text: None,
}
