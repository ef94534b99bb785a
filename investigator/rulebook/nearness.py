"""How near the candidates of a rule came to firing: the terms of its verdict, and how far each is from holding."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import duckdb

from investigator.rulebook.compile import Compiled, arguments, outcome_sql
from investigator.rulebook.evaluate import one_thread, plain_row
from investigator.rulebook.findings import Outcome, Value
from investigator.rulebook.functions import register_functions
from investigator.rulebook.quantity import say_exact
from investigator.rulebook.sqltree import SqlReader, Tree, guard_divisions, parameters


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the verdict: `holds` None when unknown; both sides where it compares numbers.

    order: `>` where the left side has to be the larger one, `<` where the smaller; None of anything else.
    name: the column or step on the left side, if it is one; unit: of both sides.
    """

    text: str
    holds: bool | None
    left: float | None
    right: float | None
    order: Literal[">", "<"] | None = None
    name: str | None = None
    unit: str | None = None

    @property
    def ratio(self) -> float | None:
        """How near the limit: 1 is at it. None where no two positive numbers are put in order."""
        if self.left is None or self.right is None or self.order is None or self.left < 0 or self.right <= 0:
            return None
        if self.order == ">":
            return self.left / self.right
        return self.right / self.left if self.left else None

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
    condition = "outcome_ = 'quiet'" if subject is None else "CAST(subject AS VARCHAR) = $subject_"
    with one_thread(con):
        named = {} if subject is None else {"subject_": subject}
        return _found(con, compiled, terms, _Wanted(condition, named, limit))


@dataclass(frozen=True, slots=True)
class NearMiss:
    """The quiet candidate of a rule that came nearest to firing: `term` alone does not hold. `say`: that in words."""

    rule: str
    title: str
    candidate: Candidate
    term: Term
    say: str


def near_misses(
    con: duckdb.DuckDBPyConnection, rules: Iterable[Compiled], subjects: Collection[str] | None = None
) -> list[NearMiss]:
    """Of each rule the quiet candidate, among `subjects` if given, with only one term of the verdict open.

    Rules with a single term count only where that puts two numbers in order. Measured ones first, the nearest before
    the others. Judge the case first: what a rule cannot be asked is left out.
    """
    register_functions(con)
    reader, found = SqlReader(), []
    try:
        with one_thread(con):
            for compiled in rules:
                miss = _near_miss(con, compiled, reader, subjects)
                found += [miss] if miss is not None else []
    finally:
        reader.close()
    return sorted(found, key=lambda miss: (miss.term.ratio is None, -(miss.term.ratio or 0.0), miss.rule))


def _near_miss(
    con: duckdb.DuckDBPyConnection, compiled: Compiled, reader: SqlReader, subjects: Collection[str] | None
) -> NearMiss | None:
    terms = [_written(term, reader) for term in _terms(compiled.verdict.tree)]
    if len(terms) == 1 and terms[0].order is None:
        return None
    wanted = "outcome_ = 'quiet'"
    if subjects is not None:
        wanted += " AND list_contains($subjects_, CAST(subject AS VARCHAR))"
    named = {} if subjects is None else {"subjects_": sorted(subjects)}
    for candidate in _found(con, compiled, terms, _Wanted(wanted, named, 1)):
        (term, *others) = candidate.open_terms
        # A number far below a limit that no other number gets near says nothing of how near the rule came.
        if not others and (term.ratio is not None or (len(terms) > 1 and term.holds is False and not term.order)):
            return NearMiss(compiled.id, compiled.rule.title, candidate, term, _said(compiled, term))
    return None


def _said(compiled: Compiled, term: Term) -> str:
    if term.ratio is None:
        return f"all holds but {term.text}"
    steps = {step.name: step.say for step in compiled.rule.steps}
    name = steps.get(term.name or "") or (term.name or term.text).replace("_", " ")
    return f"{name}: {say_exact(term.left, term.unit)}, the limit is {say_exact(term.right, term.unit)}"


_ORDERS: Mapping[str, Literal[">", "<"]] = {
    "COMPARE_GREATERTHAN": ">", "COMPARE_GREATERTHANOREQUALTO": ">",
    "COMPARE_LESSTHAN": "<", "COMPARE_LESSTHANOREQUALTO": "<",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Written:
    """A term as SQL; `sides` of a comparison."""

    sql: str
    sides: tuple[str, str] | None
    order: Literal[">", "<"] | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which candidates: a condition with the values of its parameters, and how many of them."""

    condition: str
    values: Mapping[str, object]
    limit: int


def _terms(tree: Tree) -> list[Tree]:
    return list(tree["children"]) if tree.get("type") == "CONJUNCTION_AND" else [tree]


def _written(tree: Tree, reader: SqlReader) -> _Written:
    guarded = json.loads(json.dumps(tree))
    guard_divisions(guarded)
    sql = " ".join(reader.print_expression(guarded).split())
    if tree.get("class") != "COMPARISON":
        return _Written(sql, None)
    names = tree["left"].get("column_names") or [None]
    sides = (reader.print_expression(guarded["left"]), reader.print_expression(guarded["right"]))
    return _Written(sql, sides, _ORDERS.get(tree["type"]), names[-1])


def _found(
    con: duckdb.DuckDBPyConnection, compiled: Compiled, terms: list[_Written], wanted: _Wanted
) -> list[Candidate]:
    result = con.execute(_query(compiled, terms, wanted), _arguments(compiled, wanted.values))
    names = [column[0] for column in result.description or ()]
    return [_candidate(compiled, terms, dict(zip(names, row, strict=True))) for row in result.fetchall()]


def _query(compiled: Compiled, terms: list[_Written], wanted: _Wanted) -> str:
    told, failed, far = [], [], []
    for number, term in enumerate(terms):
        told.append(f"({term.sql}) AS holds_{number}_")
        failed.append(f"CASE WHEN ({term.sql}) THEN 0 ELSE 1 END")
        if term.sides is not None:
            left, right = (f"TRY_CAST(CAST({side} AS VARCHAR) AS DOUBLE)" for side in term.sides)
            told += [f"{left} AS left_{number}_", f"{right} AS right_{number}_"]
            gap = f"abs({left} - {right}) / greatest(abs({right}), 1e-12)"
            far.append(f"CASE WHEN ({term.sql}) THEN 0 ELSE coalesce({gap}, 1) END")
    order = ", ".join([" + ".join(failed), *([" + ".join(far)] if far else []), "subject"])
    return (
        f"SELECT *, {', '.join(told)} FROM ({outcome_sql(compiled, compiled.match_sql)})"
        f" WHERE {wanted.condition} ORDER BY {order} LIMIT {wanted.limit}"
    )


def _arguments(compiled: Compiled, named: Mapping[str, object]) -> dict[str, object]:
    used = parameters(compiled.verdict.tree)
    known = arguments(compiled)
    return {**{name: compiled.params[name] for name in used if name in compiled.params}, **known, **named}


def _candidate(compiled: Compiled, terms: list[_Written], row: Mapping[str, object]) -> Candidate:
    plain = plain_row(row)
    found = tuple(
        Term(
            term.sql, plain[f"holds_{n}_"], plain.get(f"left_{n}_"), plain.get(f"right_{n}_"), term.order, term.name,
            compiled.units.get(term.name or ""),
        )
        for n, term in enumerate(terms)
    )  # fmt: skip
    values = {name: plain[name] for name in (*compiled.types, *compiled.steps)}
    return Candidate(str(plain["subject"]), plain["outcome_"], plain["reason_"], found, values)
