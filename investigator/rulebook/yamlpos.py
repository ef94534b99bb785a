"""YAML 1.2 as plain data, with the position of every key and value, and every duplicate key found at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """1-based. `block` is `|` or `>` for a block scalar: its text starts on the next line, indented."""

    line: int
    column: int
    block: str = ""


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something wrong with the YAML itself."""

    message: str
    at: Position
    hint: str


@dataclass(slots=True)
class Document:
    """`data` is None when the text is no YAML. `keys` and `values` give positions by path."""

    data: Any = None
    keys: dict[Path, Position] = field(default_factory=dict)
    values: dict[Path, Position] = field(default_factory=dict)
    complaints: list[Complaint] = field(default_factory=list)

    def at(self, path: Path) -> Position:
        """Position of a value, or of the nearest thing that encloses it."""
        for end in range(len(path), -1, -1):
            found = self.values.get(path[:end])
            if found is not None:
                return found
        return Position(1, 1)

    def key_at(self, path: Path) -> Position:
        return self.keys.get(path) or self.at(path)


def read_yaml(text: str) -> Document:
    """Read one document. Never raises: what is wrong becomes a complaint."""
    document = Document()
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
        document.complaints.append(Complaint(f"YAML: {error.problem or error.context}", at, "mend the YAML here"))
        return document
    except YAMLError as error:
        document.complaints.append(Complaint(f"YAML: {error}".splitlines()[0], Position(1, 1), "mend the YAML"))
        return document
    if root is None:
        document.complaints.append(Complaint("the file is empty", Position(1, 1), "see docs/rules.md for a first rule"))
        return document
    document.data = _Builder(document).build(root, ())
    return document


class _Builder:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._seen: set[int] = set()

    def build(self, node: Node, path: Path) -> Any:
        at = _start(node)
        self._document.values[path] = at
        # An alias is the same node again; nested aliases would grow without bound.
        if id(node) in self._seen:
            self._complain("an alias (*name)", at, "write the value out")
            return None
        self._seen.add(id(node))
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.build(child, (*path, number)) for number, child in enumerate(node.value)]
        return self._scalar(node) if isinstance(node, ScalarNode) else None

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            at = _start(key_node)
            if not isinstance(key_node, ScalarNode):
                self._complain("a key must be text", at, "write key: value")
                continue
            key = str(key_node.value)
            if key in result:
                first = self._document.keys[(*path, key)].line
                self._complain(
                    f"the key `{key}` stands here a second time", at, f"the first is in line {first}; keep one"
                )
                continue
            self._document.keys[(*path, key)] = at
            result[key] = self.build(value_node, (*path, key))
        return result

    def _scalar(self, node: ScalarNode) -> Any:
        kind = str(node.tag).rsplit(":", 1)[-1]
        convert = _SCALARS.get(kind)
        if convert is not None and node.style is None:
            return convert(node.value)
        return str(node.value)

    def _complain(self, message: str, at: Position, hint: str) -> None:
        self._document.complaints.append(Complaint(message, at, hint))


def _start(node: Node) -> Position:
    mark = node.start_mark
    style = getattr(node, "style", None)
    return Position(mark.line + 1, mark.column + 1, style if style in {"|", ">"} else "")


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
