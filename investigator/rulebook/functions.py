"""The functions that rules may call: which are allowed, and the capacity functions as macros on a connection."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import duckdb

from investigator.capacity.registry import FUNCTIONS
from investigator.yamltext import load as load_yaml


def register_functions(con: duckdb.DuckDBPyConnection) -> None:
    """Create the capacity functions as TEMP macros; works on a read-only connection and may be repeated.

    The SQL is written by the functions themselves. As calls into Python they would take ten times as long.
    """
    con.execute(_macros())


@cache
def _macros() -> str:
    return ";\n".join(
        f"CREATE OR REPLACE TEMP MACRO {each.name}({', '.join(p.name for p in each.parameters)}) AS {each.expression}"
        for each in FUNCTIONS.values()
    )


_WORDS = frozenset({"reserved", "clock_words"})


@cache
def _table() -> dict[str, list[str]]:
    text = files(__package__).joinpath("functions.yaml").read_text(encoding="utf-8")
    table: dict[str, list[str]] = load_yaml(text)
    return table


@cache
def allowed_functions() -> frozenset[str]:
    """Names a rule may call anywhere, operators included."""
    return frozenset(name for kind, names in _table().items() if kind not in _WORDS for name in names)


@cache
def capacity_functions() -> tuple[str, ...]:
    """Names of the capacity functions, as declared for rule authors."""
    return tuple(_table()["macros"])


@cache
def aggregate_functions() -> frozenset[str]:
    """Functions that fold rows: not allowed in steps and verdicts, which see one row."""
    return frozenset(_table()["aggregate"]) | frozenset(_table()["window"])


@cache
def reserved_words() -> frozenset[str]:
    """What no step may be called."""
    return frozenset(_table()["reserved"])


@cache
def clock_words() -> frozenset[str]:
    """Names that SQL takes for a function of time or user when no column is called so."""
    return frozenset(_table()["clock_words"])
