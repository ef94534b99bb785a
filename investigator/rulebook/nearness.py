"""How near the candidates of a rule came to firing: the terms of its verdict, and how far each is from holding."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from investigator.rulebook.compile import Compiled, arguments, outcome_sql
from investigator.rulebook.evaluate import one_thread, plain_row
from investigator.rulebook.findings import Outcome, Value
from investigator.rulebook.functions import register_functions
from investigator.rulebook.sqltree import SqlReader, Tree, guard_divisions, parameters


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the verdict: `holds` None when unknown; both sides where it compares numbers."""

    text: str
    holds: bool | None
    left: float | None
    right: float | None

    @property
    def distance(self) -> float | None:
        """How far the left side is from the limit, as a share of it; None where nothing can be measured."""
        if self.left is None or self.right is None:
            return None
        return abs(self.left - self.right) / max(abs(self.right), 1e-12)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subject with its outcome, the terms of the verdict, and the value of each column and step."""

    subject: str
    outcome: Outcome
    reason: str | None
    terms: tuple[Term, ...]
    values: Mapping[str, Value]

    @property
    def open_terms(self) -> tuple[Term, ...]:
        return tuple(term for term in self.terms if not term.holds)


def candidates(
    con: duckdb.DuckDBPyConnection, compiled: Compiled, *, subject: str | None = None, limit: int = 5
) -> list[Candidate]:
    """The quiet candidates that came nearest, or the rows of one subject whatever their outcome."""
    register_functions(con)
    reader = SqlReader()
    try:
        terms = [_written(term, reader) for term in _terms(compiled.verdict.tree)]
    finally:
        reader.close()
    with one_thread(con):
        result = con.execute(_query(compiled, terms, subject, limit), _arguments(compiled, subject))
        names = [column[0] for column in result.description or ()]
        return [_candidate(compiled, terms, dict(zip(names, row, strict=True))) for row in result.fetchall()]


@dataclass(frozen=True, slots=True)
class _Written:
    """A term as SQL; `sides` of a comparison."""

    sql: str
    sides: tuple[str, str] | None


def _terms(tree: Tree) -> list[Tree]:
    return list(tree["children"]) if tree.get("type") == "CONJUNCTION_AND" else [tree]


def _written(tree: Tree, reader: SqlReader) -> _Written:
    guarded = json.loads(json.dumps(tree))
    guard_divisions(guarded)
    sql = " ".join(reader.print_expression(guarded).split())
    if tree.get("class") != "COMPARISON":
        return _Written(sql, None)
    return _Written(sql, (reader.print_expression(guarded["left"]), reader.print_expression(guarded["right"])))


def _query(compiled: Compiled, terms: list[_Written], subject: str | None, limit: int) -> str:
    told, failed, far = [], [], []
    for number, term in enumerate(terms):
        told.append(f"({term.sql}) AS holds_{number}_")
        failed.append(f"CASE WHEN ({term.sql}) THEN 0 ELSE 1 END")
        if term.sides is not None:
            left, right = (f"TRY_CAST(CAST({side} AS VARCHAR) AS DOUBLE)" for side in term.sides)
            told += [f"{left} AS left_{number}_", f"{right} AS right_{number}_"]
            gap = f"abs({left} - {right}) / greatest(abs({right}), 1e-12)"
            far.append(f"CASE WHEN ({term.sql}) THEN 0 ELSE coalesce({gap}, 1) END")
    wanted = "outcome_ = 'quiet'" if subject is None else "CAST(subject AS VARCHAR) = $subject_"
    order = f"{' + '.join(failed)}, {' + '.join(far) or '0'}, subject"
    return (
        f"SELECT *, {', '.join(told)} FROM ({outcome_sql(compiled, compiled.match_sql)})"
        f" WHERE {wanted} ORDER BY {order} LIMIT {limit}"
    )


def _arguments(compiled: Compiled, subject: str | None) -> dict[str, Value]:
    named = {} if subject is None else {"subject_": subject}
    used = parameters(compiled.verdict.tree)
    known = arguments(compiled)
    return {**{name: compiled.params[name] for name in used if name in compiled.params}, **known, **named}


def _candidate(compiled: Compiled, terms: list[_Written], row: Mapping[str, object]) -> Candidate:
    plain = plain_row(row)
    found = tuple(
        Term(term.sql, plain[f"holds_{n}_"], plain.get(f"left_{n}_"), plain.get(f"right_{n}_"))
        for n, term in enumerate(terms)
    )
    values = {name: plain[name] for name in (*compiled.types, *compiled.steps)}
    return Candidate(str(plain["subject"]), plain["outcome_"], plain["reason_"], found, values)
