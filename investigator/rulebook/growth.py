"""How large a query becomes when names are put in: short SQL can stand for a sum with a billion parts.

DuckDB copies a WITH part for each use, an alias of the select list for each later mention, and a macro's argument for
each place in its body. Planning such a query can neither be interrupted nor limited, so it is refused before.
"""

from __future__ import annotations

from typing import Any

from investigator.rulebook.functions import capacity_functions
from investigator.rulebook.sqltree import SqlError, Tree, position

MAX_PARTS = 20_000
MAX_DEPTH = 150
#: Uses of one argument in a capacity macro, at most.
_MACRO_USES = 8


def check_growth(tree: Tree) -> list[SqlError]:
    """Empty, or what is wrong with the size of a statement or expression."""
    if _depth(tree) > MAX_DEPTH * 3:
        return [SqlError("nested too deeply", position(tree), "write it in steps")]
    parts = _parts(tree, {})
    if parts <= MAX_PARTS:
        return []
    hint = f"at most {MAX_PARTS:,}; use fewer WITH parts or aliases that mention each other twice"
    return [SqlError(f"put together the query has {_said(parts)} parts", position(tree), hint)]


def _said(parts: float) -> str:
    return f"{int(parts):,}" if parts < 1e12 else "a million million"


def _depth(tree: Any) -> int:
    """Levels of nesting, without recursion."""
    deepest, stack = 0, [(tree, 1)]
    while stack:
        node, level = stack.pop()
        deepest = max(deepest, level)
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        stack += [(child, level + 1) for child in children if isinstance(child, dict | list)]
    return deepest


def _parts(node: Any, names: dict[str, float]) -> float:
    """Nodes after putting in: `names` are WITH parts and aliases with their own sizes."""
    if isinstance(node, list):
        return sum(_parts(child, names) for child in node)
    if not isinstance(node, dict):
        return 0
    if node.get("cte_map"):
        names = dict(names)
        for entry in node["cte_map"].get("map", []):
            names[f"with {entry['key']}"] = _parts(entry["value"], names)
    if node.get("type") == "BASE_TABLE":
        return 1 + names.get(f"with {node['table_name']}", 0)
    if node.get("class") == "COLUMN_REF":
        return 1 + names.get(node["column_names"][-1], 0)
    if "select_list" in node:
        return _of_select(node, names)
    rest = sum(_parts(child, names) for key, child in node.items() if key != "cte_map")
    uses = _MACRO_USES if node.get("function_name") in capacity_functions() else 1
    return 1 + uses * rest


def _of_select(node: Tree, names: dict[str, float]) -> float:
    """Aliases of a select list may be used by later items of it, and by the other clauses."""
    known, total = dict(names), 0.0
    for item in node["select_list"]:
        size = _parts(item, known)
        total += size
        if item.get("alias"):
            known[item["alias"]] = size
    from_table = _parts(node.get("from_table"), names)
    left = [child for key, child in node.items() if key not in {"select_list", "from_table", "cte_map"}]
    return total + from_table + _parts(left, known)
