"""A rule's own what-ifs for its findings: other values of columns, or the value of one column that lets it pass.

The search runs the compiled query on many values at once, so it needs no algebra and is right for any verdict that
changes sides once between the present value and the bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import duckdb
import polars as pl

from investigator.casefile.frames import insert_frame
from investigator.rulebook.compile import VERDICT, Compiled, arguments, followers_of, judged_sql
from investigator.rulebook.findings import Value
from investigator.rulebook.model import WhatIf

# Planning a query costs more than a thousand rows of it: few rounds with many points.
_POINTS = 512
_ROUNDS = 6
_RELATIVE_WIDTH = 1e-8
KEPT = "kept_"


@dataclass(frozen=True, slots=True)
class Answer:
    """`saves`: the rule would not have fired (None: cannot be told). `value`: what the finding tells of it."""

    saves: bool | None
    value: Value


Answers: TypeAlias = dict[str, dict[str, Answer]]


def what_ifs(con: duckdb.DuckDBPyConnection, compiled: Compiled, subjects: Sequence[str]) -> Answers:
    """Subject → what-if id → answer."""
    answers: Answers = {subject: {} for subject in subjects}
    if not compiled.rule.what_if or not subjects:
        return answers
    _keep_rows(con, compiled, subjects)
    try:
        for what_if in compiled.rule.what_if:
            found = _solve(con, compiled, what_if) if what_if.solve else _change(con, compiled, what_if)
            for subject in subjects:
                answers[subject][what_if.id] = found.get(subject, Answer(None, None))
    finally:
        con.execute(f"DROP TABLE IF EXISTS {KEPT}")
    return answers


def _keep_rows(con: duckdb.DuckDBPyConnection, compiled: Compiled, subjects: Sequence[str]) -> None:
    """The candidate rows of the findings as a temporary table, one per subject."""
    bound = arguments(compiled)
    values: dict[str, Any] = {name: bound[name] for name in compiled.match_parameters}
    named, chosen = "*, CAST(subject AS VARCHAR) AS subject_", "subject_ IN (SELECT unnest($subjects_))"
    first = f"QUALIFY row_number() OVER (PARTITION BY subject ORDER BY {', '.join(compiled.types)}) = 1"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {KEPT} AS SELECT {named} FROM ({compiled.match_sql}) WHERE {chosen} {first}",
        {**values, "subjects_": list(subjects)},
    )


def _change(con: duckdb.DuckDBPyConnection, compiled: Compiled, what_if: WhatIf) -> dict[str, Answer]:
    told = [what_if.give] if what_if.give else []
    sql = judged_sql(compiled, f"FROM {KEPT}", what_if.id, told)
    rows = con.execute(
        f"SELECT subject_, {VERDICT}, {what_if.give or 'NULL'} FROM ({sql})",
        arguments(compiled, replay=True, what_if=what_if.id, match=False, tell=told),
    ).fetchall()
    found = {}
    for subject, verdict, value in rows:
        saves = None if verdict is None else not verdict
        found[subject] = Answer(saves, value if what_if.give else saves)
    return found


@dataclass(slots=True)
class _Search:
    """Between `inside` (the rule fires) and `outside` (it does not)."""

    inside: float
    outside: float


def _solve(con: duckdb.DuckDBPyConnection, compiled: Compiled, what_if: WhatIf) -> dict[str, Answer]:
    lever = str(what_if.solve)
    bound = float(what_if.upto if what_if.upto is not None else what_if.downto or 0.0)
    whole = "INT" in compiled.types[lever]
    present = con.execute(f"SELECT subject_, CAST({lever} AS DOUBLE) FROM {KEPT} ORDER BY 1").fetchall()
    searches = {subject: _Search(value, bound) for subject, value in present if value is not None}
    grid = {s: [search.inside, *_points(search, whole), bound] for s, search in searches.items()}
    fires = _fires(con, compiled, what_if, grid)
    # with a `change` beside it the present value may pass already
    done = {s: search.inside for s, search in searches.items() if fires.get((s, search.inside)) is False}
    searches = {s: each for s, each in searches.items() if s not in done and fires.get((s, bound)) is False}
    points = {s: grid[s][1:] for s in searches}
    for _ in range(_ROUNDS):
        for subject, values in points.items():
            _narrow_down(searches[subject], values, [fires.get((subject, value)) for value in values])
        points = {s: _points(search, whole) for s, search in searches.items() if not _narrow(search, whole)}
        if not points:
            break
        fires = _fires(con, compiled, what_if, points)
    answers = {subject: Answer(False, None) for subject, _ in present}
    answers |= {subject: Answer(True, round(value) if whole else value) for subject, value in done.items()}
    for subject, search in searches.items():
        value = round(search.outside) if whole else simplest_between(search.inside, search.outside)
        answers[subject] = Answer(True, value)
    return answers


def _points(search: _Search, whole: bool) -> list[float]:
    step = (search.outside - search.inside) / _POINTS
    points = [search.inside + step * number for number in range(1, _POINTS)]
    return list(dict.fromkeys(float(round(point)) for point in points)) if whole else points


def _narrow(search: _Search, whole: bool) -> bool:
    width = abs(search.outside - search.inside)
    return width <= (1 if whole else _RELATIVE_WIDTH * max(1.0, abs(search.outside)))


def _narrow_down(search: _Search, values: Sequence[float], fires: Sequence[bool | None]) -> None:
    """Keep the first interval, counted from the present value, at whose far end the rule is quiet."""
    for value, fired in zip(values, fires, strict=True):
        if fired is False:
            search.outside = value
            return
        search.inside = value


def _fires(
    con: duckdb.DuckDBPyConnection, compiled: Compiled, what_if: WhatIf, points: Mapping[str, Sequence[float]]
) -> dict[tuple[str, float], bool | None]:
    """Does the rule fire for a subject when the lever has a value, and the what-if's changes hold?"""
    lever = str(what_if.solve)
    rows = [(subject, value) for subject, values in points.items() for value in values]
    con.execute("CREATE OR REPLACE TEMP TABLE try_ (subject_ VARCHAR, value_ DOUBLE)")
    insert_frame(con, "try_", pl.DataFrame(rows, schema={"subject_": pl.String, "value_": pl.Float64}, orient="row"))
    replaced = f"CAST(value_ AS {compiled.types[lever]}) AS {lever}"
    candidates = f"SELECT * REPLACE ({replaced}) FROM {KEPT} JOIN try_ USING (subject_)"
    followers = [
        f"CAST({sql} AS {compiled.types[name]}) AS {name}" for name, sql in followers_of(compiled, [lever]).items()
    ]
    if followers:
        candidates = f"SELECT * REPLACE ({', '.join(followers)}) FROM ({candidates})"
    sql = judged_sql(compiled, candidates, what_if.id, ())
    values = arguments(compiled, replay=True, what_if=what_if.id, match=False, tell=())
    found = con.execute(f"SELECT subject_, value_, {VERDICT} FROM ({sql})", values).fetchall()
    con.execute("DROP TABLE try_")
    return {(subject, value): verdict for subject, value, verdict in found}


def simplest_between(inside: float, outside: float) -> float:
    """The number with the fewest decimals from `inside` (not included) to `outside` (included)."""
    for digits in range(10):
        value = round(outside, digits)
        low, high = min(inside, outside), max(inside, outside)
        if low <= value <= high and value != inside:
            return value
    return outside
