"""What a rule's `match` means for worlds: whether each candidate rests on one row, and whether it speaks there at all.

Read from the parse tree; when in doubt the answer is no, which costs time and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator

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
    return _is_silent(statement["node"], frozenset())


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


def _is_silent(node: Tree, silent: frozenset[str]) -> bool:
    for entry in _ctes(node):
        if _is_silent(entry["value"]["query_node"], silent):
            silent |= {entry["key"]}
    if node["type"] == "SET_OPERATION_NODE":
        return node.get("setop_type") == "UNION" and all(_is_silent(child, silent) for child in node["children"])
    if node["type"] != "SELECT_NODE":
        return False
    if not node["group_expressions"] and _makes_a_row_of_nothing(node["select_list"]):
        return False
    return _refuses_replay(node["where_clause"]) or _reads_silence(node["from_table"], silent)


def _makes_a_row_of_nothing(part: object) -> bool:
    """Whether it aggregates: what a sub-query inside of it aggregates is its own."""
    if isinstance(part, list):
        return any(map(_makes_a_row_of_nothing, part))
    if not isinstance(part, dict) or part.get("class") == "SUBQUERY":
        return False
    return _aggregates(part) or any(map(_makes_a_row_of_nothing, part.values()))


def _reads_silence(table: Tree, silent: frozenset[str]) -> bool:
    if table["type"] == "JOIN":
        left = _reads_silence(table["left"], silent)
        inner = table["join_type"] == "INNER"
        return (left and table["join_type"] in {"LEFT", "INNER"}) or (inner and _reads_silence(table["right"], silent))
    if table["type"] == "SUBQUERY":
        return _is_silent(table["subquery"]["node"], silent)
    return table["type"] == "BASE_TABLE" and table["table_name"] in silent


def _refuses_replay(condition: Tree | None) -> bool:
    """`NOT $replay` alone, or as one of several terms that must all hold."""
    if condition is None:
        return False
    if condition["type"] == "CONJUNCTION_AND":
        return any(map(_refuses_replay, condition["children"]))
    negated = condition["children"][0] if condition["type"] == "OPERATOR_NOT" else {}
    return negated.get("class") == "PARAMETER" and negated.get("identifier") == REPLAY
