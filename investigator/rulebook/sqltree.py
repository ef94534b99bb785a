"""DuckDB's own parse tree of a rule's SQL: read, walk, change, print. Nothing here executes the SQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

import duckdb

Tree: TypeAlias = dict[str, Any]

MAX_SQL_CHARS = 50_000
_DIVISIONS = frozenset({"/", "//", "%"})
_NO_POSITION = 2**63


class SqlError(Exception):
    """What is wrong with a piece of SQL; `offset` counts characters from its start (None: unknown)."""

    def __init__(self, message: str, offset: int | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.hint = hint


class SqlReader:
    """Parses and prints SQL with DuckDB's parser on a private empty connection."""

    def __init__(self) -> None:
        self._con = duckdb.connect(":memory:", config={"enable_external_access": "false"})
        self._answers: dict[tuple[str, str], str] = {}

    def close(self) -> None:
        self._con.close()

    def statement(self, sql: str) -> Tree:
        """The one statement of `sql`. Raises SqlError for bad syntax, several statements, or anything but a SELECT."""
        if len(sql) > MAX_SQL_CHARS:
            raise SqlError(f"SQL of {len(sql):,} characters", hint=f"at most {MAX_SQL_CHARS:,} are allowed")
        answer: Tree = json.loads(self._one("SELECT json_serialize_sql(?)", sql))
        if answer["error"]:
            raise _syntax_error(sql, answer)
        statements = answer["statements"]
        if len(statements) != 1:
            raise SqlError(f"{len(statements)} statements", hint="write exactly one SELECT")
        statement: Tree = statements[0]
        return statement

    def expression(self, sql: str) -> Tree:
        """The one expression of `sql`. Raises SqlError when it is none or several, or brings its own FROM."""
        prefix = "SELECT "
        try:
            node = self.statement(prefix + sql)["node"]
        except SqlError as error:
            raise SqlError(error.message, shifted(error.offset, -len(prefix)), error.hint) from None
        expressions = node.get("select_list", [])
        if node["type"] != "SELECT_NODE" or len(expressions) != 1 or node["from_table"]["type"] != "EMPTY":
            raise SqlError("not one expression", 0, "write one DuckDB expression over the columns and earlier steps")
        if node["where_clause"] or node["group_expressions"] or node["having"] or node["qualify"] or node["modifiers"]:
            raise SqlError("an expression ends before WHERE, GROUP BY, ORDER BY …", 0, "write one expression")
        expression: Tree = expressions[0]
        _shift_positions(expression, -len(prefix))
        return expression

    def print_expression(self, tree: Tree) -> str:
        """SQL text of an expression tree."""
        shell: Tree = json.loads(self._one("SELECT json_serialize_sql(?)", "SELECT 1"))
        shell["statements"][0]["node"]["select_list"] = [tree | {"alias": ""}]
        shell["statements"][0]["named_param_map"] = [
            {"key": name, "value": number} for number, name in enumerate(parameters(tree), 1)
        ]
        text = self._one("SELECT json_deserialize_sql(?::JSON)", json.dumps(shell))
        return text.removeprefix("SELECT ")

    def print_statement(self, tree: Tree) -> str:
        """SQL text of a statement tree."""
        return self._one("SELECT json_deserialize_sql(?::JSON)", json.dumps({"error": False, "statements": [tree]}))

    def _one(self, sql: str, argument: str) -> str:
        # an expression is read twice, once to be changed; a rule set repeats many
        known = self._answers.get((sql, argument))
        if known is None:
            row = self._con.execute(sql, [argument]).fetchone()
            assert row is not None
            known = self._answers[sql, argument] = str(row[0])
        return known


def walk(tree: object) -> Iterator[Tree]:
    """All dictionaries of a tree, outer before inner, in the order of the text."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            yield node
            stack.extend(reversed(list(node.values())))
        elif isinstance(node, list):
            stack.extend(reversed(node))


def position(node: Tree) -> int | None:
    """Offset of a node's first character; None when the parser did not say."""
    value = node.get("query_location")
    return value if isinstance(value, int) and -_NO_POSITION < value < _NO_POSITION else None


def columns(tree: object) -> list[str]:
    """Names of the columns an expression reads, first use first; lambda parameters are not columns."""
    bound = {node["lhs"]["column_names"][-1] for node in walk(tree) if node.get("class") == "LAMBDA" and "lhs" in node}
    names = [node["column_names"][-1] for node in walk(tree) if node.get("class") == "COLUMN_REF"]
    return list(dict.fromkeys(name for name in names if name not in bound))


def strict_columns(tree: Tree) -> list[str]:
    """Columns whose being unknown makes the expression unknown: those outside of COALESCE, CASE and IS NULL."""
    loose = {"OPERATOR_COALESCE", "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "CASE_EXPR"}
    if tree.get("type") in loose or tree.get("function_name") in {"coalesce", "ifnull", "greatest", "least"}:
        return []
    if tree.get("class") == "COLUMN_REF":
        return [tree["column_names"][-1]]
    children = [child for value in tree.values() for child in (value if isinstance(value, list) else [value])]
    names = [name for child in children if isinstance(child, dict) for name in strict_columns(child)]
    return list(dict.fromkeys(names))


def parameters(tree: object) -> list[str]:
    """Names of the `$parameters`, first use first."""
    return list(dict.fromkeys(node["identifier"] for node in walk(tree) if node.get("class") == "PARAMETER"))


def guard_divisions(tree: object) -> None:
    """Make every division, in place, NULL for a zero divisor: DuckDB answers infinity or raises instead."""
    for node in list(walk(tree)):
        if node.get("class") != "FUNCTION" or node.get("function_name") not in _DIVISIONS:
            continue
        arguments = node["arguments"]
        if len(arguments) == 2:
            arguments[1]["expression"] = _nullif_zero(arguments[1]["expression"])


def _nullif_zero(divisor: Tree) -> Tree:
    zero = {
        "class": "CONSTANT",
        "type": "VALUE_CONSTANT",
        "alias": "",
        "query_location": 2**64 - 1,
        "query_location_length": 0,
        "literal": {"kind": "INTEGER", "text": "0"},
    }
    return _function_like("nullif", divisor, zero)


def _function_like(name: str, *arguments: Tree) -> Tree:
    return {
        "class": "FUNCTION",
        "type": "FUNCTION",
        "alias": "",
        "query_location": 2**64 - 1,
        "query_location_length": 0,
        "function_name": name,
        "schema": "",
        "filter": None,
        "order_bys": {"type": "ORDER_MODIFIER", "orders": []},
        "distinct": False,
        "is_operator": False,
        "export_state": False,
        "catalog": "",
        "arguments": [{"name": "", "expression": argument} for argument in arguments],
        "qualified_name": {"path": [name]},
        "is_legacy_function_call": False,
    }


def _shift_positions(tree: Tree, by: int) -> None:
    for node in walk(tree):
        offset = position(node)
        if offset is not None:
            node["query_location"] = max(offset + by, 0)


def shifted(offset: int | None, by: int) -> int | None:
    return None if offset is None else max(offset + by, 0)


def _syntax_error(sql: str, answer: Tree) -> SqlError:
    message = str(answer.get("error_message", "")).splitlines()[0]
    if "Only SELECT" in message:
        return SqlError("this is not a SELECT", 0, "a rule reads: write exactly one SELECT over the views")
    where = answer.get("position")
    offset = int(where) if where is not None and str(where).isdigit() else None
    return SqlError(f"SQL: {message}", offset, "see the DuckDB documentation of SELECT and expressions")
