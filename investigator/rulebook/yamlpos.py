"""YAML 1.2 as plain data, with the position of every key and value, and every duplicate key found at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ruamel.yaml.error import MarkedYAMLError, YAMLError

from investigator.yamltext import Node, compose, scalar

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
        root = compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
        document.complaints.append(Complaint(f"YAML: {error.problem or error.context}", at, "mend the YAML here"))
        return document
    except YAMLError as error:
        document.complaints.append(Complaint(f"YAML: {error}".splitlines()[0], Position(1, 1), "mend the YAML"))
        return document
    except RecursionError:
        document.complaints.append(Complaint("YAML: nested too deeply", Position(1, 1), "write it flat"))
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
        if node.id == "mapping":
            return self._mapping(node, path)
        if node.id == "sequence":
            return [self.build(child, (*path, number)) for number, child in enumerate(node.value)]
        return scalar(node)

    def _mapping(self, node: Node, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            at = _start(key_node)
            if key_node.id != "scalar":
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

    def _complain(self, message: str, at: Position, hint: str) -> None:
        self._document.complaints.append(Complaint(message, at, hint))


def _start(node: Node) -> Position:
    mark = node.start_mark
    style = getattr(node, "style", None)  # mappings and sequences have none
    return Position(mark.line + 1, mark.column + 1, style if style in {"|", ">"} else "")
