"""Small mistakes made on purpose in a rule's logic: would its tests notice?

Only where they can matter: predicates of `match` and the order of its windows, steps, verdict, parameters, `keep`. What
acts in worlds alone (beside `$replay`) is left out, as row tests look at what happened.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from investigator.rulebook.check import inside
from investigator.rulebook.compile import REPLAY, Compiled, Expression
from investigator.rulebook.sqltree import SqlReader, Tree, columns, guard_divisions, parameters, position, walk
from investigator.rulebook.yamlpos import Path

_COMPARE = {
    "COMPARE_GREATERTHAN": ("COMPARE_GREATERTHANOREQUALTO", "COMPARE_LESSTHAN"),
    "COMPARE_GREATERTHANOREQUALTO": ("COMPARE_GREATERTHAN", "COMPARE_LESSTHANOREQUALTO"),
    "COMPARE_LESSTHAN": ("COMPARE_LESSTHANOREQUALTO", "COMPARE_GREATERTHAN"),
    "COMPARE_LESSTHANOREQUALTO": ("COMPARE_LESSTHAN", "COMPARE_GREATERTHANOREQUALTO"),
    "COMPARE_EQUAL": ("COMPARE_NOTEQUAL",),
    "COMPARE_NOTEQUAL": ("COMPARE_EQUAL",),
    "COMPARE_IN": ("COMPARE_NOT_IN",),
    "COMPARE_NOT_IN": ("COMPARE_IN",),
    "OPERATOR_IS_NULL": ("OPERATOR_IS_NOT_NULL",),
    "OPERATOR_IS_NOT_NULL": ("OPERATOR_IS_NULL",),
}
_FUNCTIONS = {
    "+": "-",
    "-": "+",
    "*": "/",
    "/": "*",
    "~~": "!~~",
    "!~~": "~~",
    "greatest": "least",
    "least": "greatest",
}
_ORDER_FUNCTIONS = {"min": "max", "max": "min", "arg_min": "arg_max", "arg_max": "arg_min", "min_by": "max_by",
                    "max_by": "min_by", "bool_and": "bool_or", "bool_or": "bool_and"}  # fmt: skip
_WINDOWS = {"WINDOW_LAG": ("WINDOW_LEAD", "lead"), "WINDOW_LEAD": ("WINDOW_LAG", "lag"),
            "WINDOW_FIRST_VALUE": ("WINDOW_LAST_VALUE", "last_value")}  # fmt: skip
_PREDICATES = ("where_clause", "having", "qualify", "filter", "condition")
_KEEP = {"first": "last", "last": "first", "max": "min", "min": "max"}
_Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: `path` and `offset` say where in the file, `text` what became of what."""

    path: Path
    offset: int | None
    text: str
    compiled: Compiled


def mutants(compiled: Compiled, reader: SqlReader) -> Iterator[Mutant]:
    """All mutants of one rule, in the order of its file."""
    yield from _of_params(compiled)
    yield from _of_match(compiled, reader)
    for number, step in enumerate(compiled.rule.steps):
        for tree, offset, text in _of_tree(compiled.steps[step.name].tree, reader):
            steps = {**compiled.steps, step.name: _expression(tree, reader)}
            yield Mutant(("steps", number, "expr"), offset, text, replace(compiled, steps=steps))
    for tree, offset, text in _of_tree(compiled.verdict.tree, reader):
        yield Mutant(("verdict",), offset, text, replace(compiled, verdict=_expression(tree, reader)))
    yield from _of_keep(compiled)


def _of_params(compiled: Compiled) -> Iterator[Mutant]:
    for name, param in compiled.rule.params.items():
        value = param.default
        changed: list[bool | float] = []
        if isinstance(value, bool):
            changed = [not value]
        elif isinstance(value, int | float):
            both = (_nudged(value, 1.1), _nudged(value, 0.9))
            changed = [each for each in both if inside(each, param.min, param.max)]
        for other in changed:
            text = f"${name}: {value} → {other}"
            yield Mutant(
                ("params", name, "default"), None, text, replace(compiled, params={**compiled.params, name: other})
            )


def _of_keep(compiled: Compiled) -> Iterator[Mutant]:
    merge = compiled.rule.merge
    if merge is None:
        return
    word, bracket, rest = merge.keep.partition("(")
    keep = f"{_KEEP[word]}{bracket}{rest}"
    rule = compiled.rule.model_copy(update={"merge": merge.model_copy(update={"keep": keep})})
    yield Mutant(("merge", "keep"), None, f"{merge.keep} → {keep}", replace(compiled, rule=rule))


def _of_match(compiled: Compiled, reader: SqlReader) -> Iterator[Mutant]:
    tree = reader.statement(compiled.rule.match)
    for place, node in _places(tree):
        found = [] if _replay_only(tree, place) else _changes(node, _in_predicate(place))
        for new in found:
            changed = _replaced(tree, place, new)
            guard_divisions(changed)
            text = _text(node, new, reader)
            yield Mutant(("match",), _offset(node), text, replace(compiled, match_sql=reader.print_statement(changed)))


def _of_tree(tree: Tree, reader: SqlReader) -> Iterator[tuple[Tree, int | None, str]]:
    for place, node in _places(tree):
        if _replay_only(tree, place):
            continue
        for new in _changes(node, True):
            yield _replaced(tree, place, new), _offset(node), _text(node, new, reader)


def _changes(node: Tree, predicate: bool) -> Iterator[Tree]:
    """What one node may become; outside of predicates only the order of windows and aggregates."""
    kind = str(node.get("type"))
    if kind in _WINDOWS and node.get("class") == "WINDOW":
        yield _renamed(node | {"type": _WINDOWS[kind][0]}, _WINDOWS[kind][1])
    elif node.get("function_name") in _ORDER_FUNCTIONS and "arguments" in node:
        yield _renamed(node, _ORDER_FUNCTIONS[node["function_name"]])
    elif kind in {"ASCENDING", "DESCENDING", "ORDER_DEFAULT"} and "expression" in node:
        yield node | {"type": "ASCENDING" if kind == "DESCENDING" else "DESCENDING"}
    elif predicate:
        yield from _logic(node, kind)


def _logic(node: Tree, kind: str) -> Iterator[Tree]:
    for other in _COMPARE.get(kind, ()):
        yield node | {"type": other}
    if node.get("class") == "CONJUNCTION":
        yield from _without_a_term(node)
    elif kind == "OPERATOR_NOT":
        yield node["children"][0]
    elif node.get("class") == "FUNCTION" and node.get("function_name") in _FUNCTIONS and len(node["arguments"]) == 2:
        yield _renamed(node, _FUNCTIONS[node["function_name"]])
    elif node.get("class") == "CONSTANT":
        yield from _constants(node)


def _without_a_term(node: Tree) -> Iterator[Tree]:
    for number, child in enumerate(node["children"]):
        if not _names_replay(child):
            rest = [each for other, each in enumerate(node["children"]) if other != number]
            yield rest[0] if len(rest) == 1 else node | {"children": rest}
    yield node | {"type": "CONJUNCTION_OR" if node["type"] == "CONJUNCTION_AND" else "CONJUNCTION_AND"}


def _constants(node: Tree) -> Iterator[Tree]:
    literal = node["literal"]
    if literal["kind"] == "BOOLEAN":
        yield _literal(node, "false" if literal["text"] == "true" else "true")
    elif literal["kind"] in {"INTEGER", "NUMERIC"}:
        value = float(literal["text"]) if literal["kind"] == "NUMERIC" else int(literal["text"])
        for factor in (1.1, 0.9):
            yield _literal(node, str(_nudged(value, factor)))


def _nudged(value: float, factor: float) -> float:
    """Ten per cent more or less; a whole number moves by one at least."""
    if isinstance(value, int) or float(value).is_integer():
        moved = round(value * factor)
        return moved if moved != value else int(value) + (1 if factor > 1 else -1)
    return float(f"{value * factor:.12g}")


def _literal(node: Tree, text: str) -> Tree:
    return node | {"literal": node["literal"] | {"text": text}}


def _renamed(node: Tree, name: str) -> Tree:
    return node | {"function_name": name, "qualified_name": {"path": [name]}}


def _replay_only(tree: Tree, place: _Place) -> bool:
    """Whether a node takes part in worlds alone: `$replay` itself, or a term of an AND with it."""
    node: Any = tree
    for part in place:
        if isinstance(node, dict) and node.get("type") == "CONJUNCTION_AND" and any(map(_is_replay, node["children"])):
            return True
        node = node[part]
    if isinstance(node, dict) and node.get("type") == "OPERATOR_NOT" and _is_replay(node["children"][0]):
        return True
    return _is_replay(node) or (
        isinstance(node, dict) and node.get("type") == "CONJUNCTION_AND" and any(map(_is_replay, node["children"]))
    )


def _is_replay(node: Tree) -> bool:
    return node.get("class") == "PARAMETER" and node.get("identifier") == REPLAY


def _names_replay(node: Tree) -> bool:
    return any(_is_replay(each) for each in walk(node))


def _in_predicate(place: _Place) -> bool:
    return any(part in _PREDICATES for part in place)


def _places(node: Any, place: _Place = ()) -> Iterator[tuple[_Place, Tree]]:
    if isinstance(node, dict):
        yield place, node
        for key, child in node.items():
            yield from _places(child, (*place, key))
    elif isinstance(node, list):
        for number, child in enumerate(node):
            yield from _places(child, (*place, number))


def _replaced(tree: Tree, place: _Place, new: Tree) -> Tree:
    if not place:
        return dict(json.loads(json.dumps(new)))
    copied: Tree = json.loads(json.dumps(tree))
    node: Any = copied
    for part in place[:-1]:
        node = node[part]
    node[place[-1]] = json.loads(json.dumps(new))
    return copied


def _expression(tree: Tree, reader: SqlReader) -> Expression:
    guarded = json.loads(json.dumps(tree))
    guard_divisions(guarded)
    return Expression(tree, reader.print_expression(guarded), tuple(columns(tree)), tuple(parameters(tree)))


def _text(node: Tree, new: Tree, reader: SqlReader) -> str:
    if node.get("class") == "CONJUNCTION":
        left = [child for child in node["children"] if child is not new and child not in new.get("children", [])]
        if len(left) == 1:
            return f"without {_told(left[0], reader)}"
        if not left:
            return f"{node['type'][12:]} → {new['type'][12:]} in {_told(node, reader)}"
    return f"{_told(node, reader)} → {_told(new, reader)}"


def _told(node: Tree, reader: SqlReader) -> str:
    if "expression" in node and "class" not in node:
        return f"{reader.print_expression(node['expression'])} {str(node['type']).lower()}"
    return " ".join(reader.print_expression(node).split())


def _offset(node: Tree) -> int | None:
    """Where the node's text begins: DuckDB gives an operator's place, its operands may stand before it."""
    known = [at for each in walk(node) if (at := position(each)) is not None]
    return min(known, default=None)
