"""What the text of a rule's `match` tells: whether each candidate rests on one row, whether it speaks in worlds at all,
and which views must have rows for it to have any.

Read from the parse tree; when in doubt the answer is no, which costs time and nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import combinations

from investigator.rulebook.compile import REPLAY
from investigator.rulebook.functions import aggregate_functions
from investigator.rulebook.sqltree import Tree, walk


def is_row_local(statement: Tree, view: str) -> bool:
    """Whether each row of the result rests on one row of `view`, joined with nothing but constants (`VALUES`).

    No sub-query, grouping, window, order or limit.
    """
    node = statement["node"]
    if node["type"] != "SELECT_NODE" or _groups(node):
        return False
    constants = {entry["key"] for entry in _ctes(node) if _is_constant(entry["value"]["query_node"])}
    tables = list(_tables(node["from_table"]))
    alone = len(constants) == len(_ctes(node)) and tables[0] == view and constants.issuperset(tables[1:])
    return alone and not any(inner.get("class") in {"WINDOW", "SUBQUERY"} or _aggregates(inner) for inner in walk(node))


def is_silent_in_worlds(statement: Tree) -> bool:
    """Whether the result is empty in every world: its rows, or those it is made of, are kept only `NOT $replay`."""
    return _is_silent(statement["node"], frozenset(), replay=True)


def empty_without(statement: Tree, views: Collection[str]) -> tuple[tuple[str, ...], ...]:
    """The smallest groups of views that leave the result without a row when all of a group are empty."""
    found: list[tuple[str, ...]] = []
    for size in range(1, len(views) + 1):
        for group in combinations(sorted(views), size):
            known = any(set(smaller) <= set(group) for smaller in found)
            if not known and _is_silent(statement["node"], frozenset(group), replay=False):
                found.append(group)
    return tuple(found)


def _groups(node: Tree) -> bool:
    return bool(node["group_expressions"] or node["having"] or node["qualify"] or node["modifiers"])


def _ctes(node: Tree) -> list[Tree]:
    entries: list[Tree] = node.get("cte_map", {}).get("map", [])
    return entries


def _aggregates(node: Tree) -> bool:
    return node.get("class") == "FUNCTION" and node["function_name"] in aggregate_functions()


def _is_constant(node: Tree) -> bool:
    if node["type"] != "SELECT_NODE" or node["from_table"]["type"] not in {"EXPRESSION_LIST", "EMPTY"}:
        return False
    return not any(inner.get("class") == "SUBQUERY" for inner in walk(node))


def _tables(table: Tree) -> Iterator[str]:
    """Names of what is joined, left to right; an empty name for anything that is no plain table of such a join."""
    if table["type"] == "JOIN" and table["join_type"] in {"LEFT", "INNER"}:
        yield from _tables(table["left"])
        yield from _tables(table["right"])
    else:
        yield table["table_name"] if table["type"] == "BASE_TABLE" else ""


def _is_silent(node: Tree, silent: frozenset[str], *, replay: bool) -> bool:
    """Whether it has no row when the tables `silent` have none and, with `replay`, `$replay` is true."""
    for entry in _ctes(node):
        if _is_silent(entry["value"]["query_node"], silent, replay=replay):
            silent |= {entry["key"]}
    if node["type"] == "SET_OPERATION_NODE":
        parts = node["children"] if node.get("setop_type") == "UNION" else []
        return bool(parts) and all(_is_silent(part, silent, replay=replay) for part in parts)
    if node["type"] != "SELECT_NODE" or _counts_nothing(node):
        return False
    refused = replay and _refuses_replay(node["where_clause"])
    return refused or _reads_silence(node["from_table"], silent, replay=replay)


def _counts_nothing(node: Tree) -> bool:
    """Whether it makes a row of no rows: aggregates over all of them, alone or as one of several groupings."""
    if node["group_expressions"]:
        return len(node["group_sets"]) != 1
    places = ("select_list", "having", "qualify", "modifiers")
    return bool(node["having"]) or any(_makes_a_row_of_nothing(node[place]) for place in places)


def _makes_a_row_of_nothing(part: object) -> bool:
    """Whether it aggregates: what a sub-query inside of it aggregates is its own."""
    if isinstance(part, list):
        return any(map(_makes_a_row_of_nothing, part))
    if not isinstance(part, dict) or part.get("class") == "SUBQUERY":
        return False
    return _aggregates(part) or any(map(_makes_a_row_of_nothing, part.values()))


def _reads_silence(table: Tree, silent: frozenset[str], *, replay: bool) -> bool:
    if table["type"] == "JOIN" and table["ref_type"] != "POSITIONAL":
        left = _reads_silence(table["left"], silent, replay=replay)
        inner = table["join_type"] == "INNER"
        right = inner and _reads_silence(table["right"], silent, replay=replay)
        return right or (left and table["join_type"] in {"LEFT", "INNER"})
    if table["type"] == "SUBQUERY":
        return _is_silent(table["subquery"]["node"], silent, replay=replay)
    return table["type"] == "BASE_TABLE" and table["table_name"] in silent


def _refuses_replay(condition: Tree | None) -> bool:
    """`NOT $replay` alone, or as one of several terms that must all hold."""
    if condition is None:
        return False
    if condition["type"] == "CONJUNCTION_AND":
        return any(map(_refuses_replay, condition["children"]))
    negated = condition["children"][0] if condition["type"] == "OPERATOR_NOT" else {}
    return negated.get("class") == "PARAMETER" and negated.get("identifier") == REPLAY
