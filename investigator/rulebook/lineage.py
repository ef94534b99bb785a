"""Which view's column each column of a `match` is: for units, labels, evidence and the levers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from investigator.casefile.derived import derived_tables
from investigator.rulebook.sqltree import Tree

#: The column that names a row of each view.
VIEW_KEYS: Mapping[str, str] = {
    "attempts": "attempt_id",
    "requests": "request_id",
    "model_loads": "load_id",
    "agent_calls": "call_id",
    "runs": "run_id",
    "server_events": "event_id",
    "devices": "device_id",
    "coverage": "source",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """A column of a view."""

    view: str
    column: str


Lineage: TypeAlias = Mapping[str, Origin]
_Sources: TypeAlias = dict[str, Lineage]


def lineage(statement: Tree) -> Lineage:
    """Result column → origin, for those columns that are passed through unchanged."""
    return _of_query(statement["node"], {})


def _of_query(node: Tree, ctes: _Sources) -> Lineage:
    known = dict(ctes)
    for entry in node.get("cte_map", {}).get("map", []):
        known[entry["key"]] = _of_query(entry["value"]["query_node"], known)
    if node["type"] == "SET_OPERATION_NODE":
        children = node.get("children") or [node.get("left"), node.get("right")]
        parts = [_of_query(child, known) for child in children if isinstance(child, dict)]
        same = {name: origin for name, origin in parts[0].items() if all(part.get(name) == origin for part in parts)}
        # The first part of a UNION says what is judged; rows that rest on nothing of the kind are told beside it.
        return same | {name: parts[0][name] for name in ("subject",) if name in parts[0]}
    if node["type"] != "SELECT_NODE":
        return {}
    return _of_select(node, _sources(node["from_table"], known))


def _sources(table: Tree, ctes: _Sources) -> _Sources:
    kind = table.get("type")
    if kind == "JOIN":
        return _sources(table["left"], ctes) | _sources(table["right"], ctes)
    if kind == "SUBQUERY":
        return {table.get("alias") or "": _of_query(table["subquery"]["node"], ctes)}
    if kind != "BASE_TABLE":
        return {}
    name = table["table_name"]
    if name in ctes:
        return {table.get("alias") or name: ctes[name]}
    view = derived_tables().get(name)
    columns = {} if view is None else {column.name: Origin(name, column.name) for column in view.columns}
    return {table.get("alias") or name: columns}


def _of_select(node: Tree, sources: _Sources) -> Lineage:
    found: dict[str, Origin] = {}
    for item in node["select_list"]:
        if item.get("class") == "STAR":
            only = item.get("relation_name")
            for alias, columns in sources.items():
                if not only or alias == only:
                    found.update(columns)
        elif item.get("class") == "COLUMN_REF":
            origin = _resolve(item["column_names"], sources)
            if origin is not None:
                found[item.get("alias") or item["column_names"][-1]] = origin
    return found


def _resolve(names: list[str], sources: _Sources) -> Origin | None:
    if len(names) > 1:
        return sources.get(names[-2], {}).get(names[-1])
    origins = [columns[names[0]] for columns in sources.values() if names[0] in columns]
    return origins[0] if origins else None
