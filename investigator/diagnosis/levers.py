"""Candidate changes of levers.yaml, made concrete for the failed attempts of one incident."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files

import duckdb

from investigator.diagnosis.model import Change
from investigator.diagnosis.queries import query
from investigator.rulebook.findings import Value
from investigator.yamltext import load as load_yaml


@dataclass(frozen=True, slots=True)
class Solve:
    """Search for the smallest value that saves: up to `upto`, then × `safety`, rounded up to `round_to`."""

    upto: float
    safety: float
    round_to: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """One change that could be tried: `expr` is SQL over attempts, None where the value has to be solved for."""

    id: str
    lever: str
    when: str
    expr: str | None
    unit: str | None
    say: str
    cost: float
    popular: bool
    solve: Solve | None


@cache
def candidates() -> tuple[Candidate, ...]:
    """The candidates in the file's order."""
    text = files(__package__).joinpath("levers.yaml").read_text(encoding="utf-8")
    return tuple(_candidate(raw) for raw in load_yaml(text)["changes"])


def _candidate(raw: dict[str, object]) -> Candidate:
    solve = raw.get("solve")
    return Candidate(
        id=str(raw["id"]),
        lever=str(raw["lever"]),
        when=str(raw["when"]),
        expr=None if raw.get("value") is None else str(raw["value"]),
        unit=None if raw.get("unit") is None else str(raw["unit"]),
        say=str(raw["say"]),
        cost=float(str(raw["cost"])),
        popular=bool(raw["popular"]),
        solve=Solve(**solve) if isinstance(solve, dict) else None,
    )


def applicable(con: duckdb.DuckDBPyConnection, attempt_ids: Sequence[str]) -> tuple[Candidate, ...]:
    """The candidates whose condition holds for at least one of the attempts."""
    found = []
    for candidate in candidates():
        sql = query("applicable").format(condition=candidate.when)
        # fetchall, not fetchone: an unfinished result blocks the connection's next query.
        if con.execute(sql, {"ids": list(attempt_ids)}).fetchall()[0][0]:
            found.append(candidate)
    return tuple(found)


def before_and_after(
    con: duckdb.DuckDBPyConnection, lever: str, expr: str, attempt_ids: Sequence[str]
) -> tuple[Value, Value]:
    """The lever's value today and in the world, of the attempt that it changes most (the last of equals)."""
    sql = query("before_and_after").format(lever=lever, value=expr)
    rows = con.execute(sql, {"ids": list(attempt_ids)}).fetchall()
    return (_plain(rows[0][0]), _plain(rows[0][1])) if rows else (None, None)


def _plain(value: Value | Decimal) -> Value:
    return float(value) if isinstance(value, Decimal) else value


def change(candidate: Candidate, before: Value, after: Value) -> Change:
    """The candidate with its numbers put into words."""
    words = candidate.say.format(before=spoken(before, candidate.unit), after=spoken(after, candidate.unit))
    return Change(candidate.lever, before, after, candidate.unit, words)


def spoken(value: Value, unit: str | None) -> str:
    """A number with its unit, as the report writes it: 146,760 tokens, 300 s."""
    if value is None:
        return "unknown"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:,.1f}"
        return number if unit is None else f"{number} {unit}"
    return str(value)


def inside(title: str) -> str:
    """A title inside a sentence: names keep their capitals."""
    return title[:1].lower() + title[1:] if title[1:2].islower() or title[1:2] == " " else title
