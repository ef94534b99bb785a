"""Configuration in TOML and YAML as a list of scalars with their places, the shape that json5.py gives JSON.

Only what a settings table can name is read: keys with plain values, in tables and lists. What cannot be understood ends
the reading there, as a cut document does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from investigator.formats.json5 import Document, Path, Scalar

_SECTION = re.compile(r"\s*\[([^\[\]]+)\]\s*(?:#.*)?$")
_TABLES = re.compile(r"\s*\[\[([^\[\]]+)\]\]\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=\s*(.*)$""")
_PART = re.compile(r"""[\w-]+|"([^"]*)"|'([^']*)'""")
_NUMBER = re.compile(r"[+-]?\d[\d_]*(\.\d+)?$")
_QUOTED = re.compile(r"""("(?:[^"\\]|\\.)*"|'[^']*')\s*(?:#.*)?$""")
_MAX_DEPTH = 30
_MAX_NODES = 50_000


def scan_toml(text: str) -> Document:
    """Scalars of a TOML text. Values over several lines and lists are left out."""
    document, position = Document(), 0
    prefix: Path = ()
    number: dict[Path, int] = {}
    for line in text.split("\n"):
        if found := _TABLES.match(line):
            name = _parts(found.group(1))
            number[name] = number.get(name, -1) + 1
            prefix = (*name, number[name])
        elif found := _SECTION.match(line):
            prefix = _parts(found.group(1))
        elif found := _KEY.match(line):
            value = _toml_value(found.group(2).strip())
            if value is not None:
                document.scalars.append(Scalar((*prefix, *_parts(found.group(1))), value, position))
        position += len(line) + 1
    return document


def _parts(text: str) -> Path:
    return tuple(found.group(1) or found.group(2) or found.group(0) for found in _PART.finditer(text))


def _toml_value(text: str) -> object:
    if quoted := _QUOTED.match(text):
        return quoted.group(1)[1:-1]
    plain = text.split("#", 1)[0].strip()
    if plain in ("true", "false"):
        return plain == "true"
    if _NUMBER.match(plain) and len(plain) < 25:
        digits = plain.replace("_", "")
        return float(digits) if "." in digits else int(digits)
    return None


def scan_yaml(text: str) -> Document:
    """Scalars of a YAML text's first document."""
    document = Document()
    try:
        root = YAML(typ="safe", pure=True).compose(text)
        document.scalars.extend(_walk(root, (), 0, [_MAX_NODES]))
    except MarkedYAMLError as error:
        document.error = "not YAML"
        document.error_position = error.problem_mark.index if error.problem_mark else 0
    except (YAMLError, RecursionError, ValueError):
        document.error = "not YAML"
    return document


def _walk(node: Node | None, path: Path, position: int, left: list[int]) -> Iterator[Scalar]:
    """Scalars below a node; `position` is where its key begins. Anchors may repeat nodes, but not without end."""
    left[0] -= 1
    if left[0] < 0 or len(path) > _MAX_DEPTH:
        return
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode):
                yield from _walk(value, (*path, key.value), key.start_mark.index, left)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield from _walk(value, (*path, index), value.start_mark.index, left)
    elif isinstance(node, ScalarNode):
        yield Scalar(path, _yaml_value(node), position)


def _yaml_value(node: ScalarNode) -> object:
    text: str = node.value
    if node.style in ("'", '"'):
        return text
    if text in ("true", "false"):
        return text == "true"
    if text in ("", "~", "null"):
        return None
    return (float(text) if "." in text else int(text)) if re.fullmatch(r"[+-]?\d{1,17}(\.\d{1,9})?", text) else text
