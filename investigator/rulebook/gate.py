"""The static gate: what a rule's SQL may contain, checked on DuckDB's parse tree before anything runs.

One SELECT; FROM only the declared views and the rule's own CTEs; functions by allow-list; no recursion. Whatever is not
named here is refused, so a new kind of node in a later DuckDB is refused until somebody has looked at it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from investigator.rulebook.functions import aggregate_functions, allowed_functions, clock_words
from investigator.rulebook.sqltree import SqlError, Tree, position, walk

_EXPRESSIONS = frozenset(
    {
        "BETWEEN",
        "CASE",
        "CAST",
        "COLUMN_REF",
        "COMPARISON",
        "CONJUNCTION",
        "CONSTANT",
        "FUNCTION",
        "LAMBDA",
        "OPERATOR",
        "PARAMETER",
        "STAR",
        "SUBQUERY",
        "TYPE",
        "WINDOW",
    }
)
_FROM = frozenset({"BASE_TABLE", "SUBQUERY", "JOIN", "EMPTY", "EXPRESSION_LIST"})
_QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE"})
_TYPES = frozenset({"BIGINT", "INTEGER", "DOUBLE", "BOOLEAN", "VARCHAR", "TIMESTAMP", "INTERVAL", "LIST", "FLOAT"})


def check_statement(statement: Tree, views: Iterable[str]) -> list[SqlError]:
    """Everything that a `match` must not contain; empty when it may run."""
    known = set(views)
    ctes = {entry["key"] for node in walk(statement) for entry in _cte_entries(node)}
    errors = [
        SqlError(f"`{name}` is a view, a WITH must not replace it", None, "choose another name")
        for name in sorted(ctes & known)
    ]
    for node in walk(statement):
        errors += _query_errors(node)
        errors += _from_errors(node, known | ctes, known)
        errors += _expression_errors(node)
    return errors


def check_expression(expression: Tree) -> list[SqlError]:
    """Everything that a step, verdict or change must not contain: also no sub-query, aggregate or window."""
    errors: list[SqlError] = []
    for node in walk(expression):
        errors += _expression_errors(node)
        if node.get("class") in {"SUBQUERY", "WINDOW", "STAR"}:
            errors.append(
                SqlError(f"{str(node['class']).lower()} in an expression", position(node), "put it into `match`")
            )
        elif node.get("class") == "FUNCTION" and node["function_name"] in aggregate_functions():
            errors.append(
                SqlError(
                    f"{node['function_name']}() folds rows, an expression sees one row", position(node), "use `match`"
                )
            )
    return errors


def tables_read(statement: Tree, views: Iterable[str]) -> list[str]:
    """The views that a statement reads, first use first."""
    known = set(views)
    names = [node["table_name"] for node in walk(statement) if _kind(node) == "BASE_TABLE"]
    return list(dict.fromkeys(name for name in names if name in known))


def _cte_entries(node: Tree) -> list[Tree]:
    entries = node.get("cte_map", {}) if isinstance(node.get("cte_map"), dict) else {}
    found: list[Tree] = entries.get("map", [])
    return found


def _kind(node: Tree) -> str:
    """The node's type; some nodes keep other things under that name."""
    kind = node.get("type")
    return kind if isinstance(kind, str) else ""


def _query_errors(node: Tree) -> Iterator[SqlError]:
    kind = _kind(node)
    if kind.endswith("_NODE") and kind not in _QUERIES:
        what = "recursion" if "RECURSIVE" in kind else kind.removesuffix("_NODE").lower()
        yield SqlError(f"{what} is not allowed in a rule", None, "write a plain SELECT")
    if node.get("sample"):
        yield SqlError("a sample differs from run to run", None, "leave out SAMPLE: rules must be repeatable")


def _from_errors(node: Tree, tables: set[str], views: set[str]) -> Iterator[SqlError]:
    source = [node.get("from_table"), node.get("left"), node.get("right")] if _is_from_owner(node) else []
    for table in source:
        if isinstance(table, dict) and _kind(table) not in _FROM | _QUERIES:
            yield SqlError(
                _source_message(table), position(table), f"rules read the views only: {', '.join(sorted(views))}"
            )
    if _kind(node) != "BASE_TABLE":
        return
    name = node["table_name"]
    if node.get("schema_name") or node.get("catalog_name"):
        yield SqlError(f"`{name}` with a schema or catalog", position(node), "name the view alone")
    elif name not in tables:
        yield SqlError(f"no view is called `{name}`", position(node), _nearest(name, tables))


def _is_from_owner(node: Tree) -> bool:
    return _kind(node) in _QUERIES or (_kind(node) == "JOIN" and "join_type" in node)


def _source_message(table: Tree) -> str:
    function = table.get("function")
    if isinstance(function, dict):
        return f"{function.get('function_name')}() as a table is not allowed"
    return f"{str(table.get('type')).lower().replace('_', ' ')} is not allowed in FROM"


def _expression_errors(node: Tree) -> Iterator[SqlError]:
    kind = node.get("class")
    if kind is None:
        return
    if kind not in _EXPRESSIONS:
        yield SqlError(f"{str(kind).lower()} is not allowed in a rule", position(node), "write a plain expression")
    elif kind in {"FUNCTION", "WINDOW"}:
        name = node.get("function_name", "")
        if name not in allowed_functions():
            yield SqlError(
                f"the function `{name}` is not allowed in rules", position(node), _nearest(name, allowed_functions())
            )
        if node.get("schema") or node.get("catalog"):
            yield SqlError(f"`{name}` with a schema or catalog", position(node), "name the function alone")
    elif kind == "COLUMN_REF" and node["column_names"][-1].lower() in clock_words():
        # the parser sees a column here, the binder would make a function of it
        yield SqlError(
            f"{node['column_names'][-1]} differs from run to run", position(node), "rules have no clock and no user"
        )
    elif kind == "TYPE" and node.get("type_name") not in _TYPES:
        yield SqlError(
            f"the type {node.get('type_name')} is not allowed", position(node), f"use {', '.join(sorted(_TYPES))}"
        )
    elif kind == "STAR" and node.get("columns"):
        yield SqlError("COLUMNS(…) is not allowed", position(node), "name the columns")


def _nearest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean `{close[0]}`?" if close else "see docs/rules.md for what is allowed"
