"""Run rules over a case: four outcomes per (rule, subject), findings, and the edges between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb

from investigator.casefile.derived import derived_tables
from investigator.rulebook.build import Group, build_finding
from investigator.rulebook.causes import Edges, causal_edges
from investigator.rulebook.compile import Compiled, arguments, counted_sql, outcome_sql
from investigator.rulebook.findings import Finding, Outcome, RuleResult, SubjectResult
from investigator.rulebook.functions import register_functions
from investigator.rulebook.labels import read_operands
from investigator.rulebook.merge import groups, kept
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.whatif import what_ifs
from investigator.sqltext import sql_reader

_sql = sql_reader(__package__, "sql")

#: A rule's summary is the first of these that occurs.
OUTCOMES: tuple[Outcome, ...] = ("fired", "error", "not_evaluated", "quiet")

#: Subjects listed per rule and outcome other than fired; counts are always complete.
LISTED_SUBJECTS = 200

#: Up to here all candidates are handed over.
SMALL_VIEW_ROWS = 5000


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that rules say of a case. `edges`: (cause finding_id, effect finding_id).

    `subjects` lists every fired subject and at most LISTED_SUBJECTS of each other outcome per rule.
    """

    findings: tuple[Finding, ...]
    results: tuple[RuleResult, ...]
    subjects: tuple[SubjectResult, ...]
    edges: Edges


@dataclass(frozen=True, slots=True)
class _Run:
    """One rule's candidates, judged."""

    compiled: Compiled
    counts: Mapping[Outcome, int]
    subjects: tuple[SubjectResult, ...]
    fired: tuple[Mapping[str, Any], ...]
    reasons: tuple[str, ...]
    seconds: float


def evaluate(con: duckdb.DuckDBPyConnection, rules: RuleSet, timer: Callable[[], float] | None = None) -> Evaluation:
    """Evaluate all rules on a connection that has the views. A rule that fails becomes an `error`, never an exception.

    `timer` (such as time.perf_counter) fills RuleResult.seconds; without it they are 0, and the result is pure.
    """
    register_functions(con)
    with one_thread(con):
        return evaluate_registered(con, rules, timer)


def evaluate_registered(
    con: duckdb.DuckDBPyConnection,
    rules: RuleSet,
    timer: Callable[[], float] | None = None,
    sizes: Mapping[str, int] | None = None,
) -> Evaluation:
    """The same on a connection that has the functions and one thread already: for many small evaluations.

    `sizes`: rows of each view, where they are known.
    """
    sizes = _view_sizes(con) if sizes is None else sizes
    runs = [_run(con, compiled, sizes, timer or (lambda: 0.0)) for compiled in rules.rules]
    findings, failed = _findings(con, runs)
    results: list[RuleResult] = []
    subjects: list[SubjectResult] = []
    for run in runs:
        reason = failed.get(run.compiled.id)
        judged = _as_error(run, reason) if reason is not None else run
        results.append(_result(judged))
        subjects += judged.subjects
    findings.sort(key=_finding_order)
    edges = causal_edges(findings, {compiled.id: compiled.rule.causes for compiled in rules.rules})
    return Evaluation(tuple(findings), tuple(results), tuple(subjects), edges)


def failed_evaluation(rules: RuleSet, reason: str) -> Evaluation:
    """What is said of rules that could not be evaluated."""
    runs = [_without_rows(compiled, "error", reason) for compiled in rules.rules]
    return Evaluation((), tuple(map(_result, runs)), tuple(each for run in runs for each in run.subjects), ())


def joined(parts: Sequence[Evaluation], rules: RuleSet) -> Evaluation:
    """Evaluations of parts of a rule set as one, in the order of its rules, with the edges between all findings."""
    findings = sorted((each for part in parts for each in part.findings), key=_finding_order)
    results = sorted((each for part in parts for each in part.results), key=lambda each: each.rule)
    order = {outcome: number for number, outcome in enumerate(OUTCOMES)}
    subjects = sorted(
        (each for part in parts for each in part.subjects), key=lambda s: (s.rule, order[s.outcome], s.subject)
    )
    edges = causal_edges(findings, {compiled.id: compiled.rule.causes for compiled in rules.rules})
    return Evaluation(tuple(findings), tuple(results), tuple(subjects), edges)


@contextmanager
def one_thread(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Float aggregates differ with the number of threads. A locked configuration is left as its owner set it."""
    row = con.execute("SELECT current_setting('threads')").fetchone()
    try:
        con.execute("SET threads = 1")
    except duckdb.Error:
        yield
        return
    try:
        yield
    finally:
        con.execute(f"SET threads = {int(row[0]) if row else 1}")


def views_present(con: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Names of the views and tables a rule could read on this connection."""
    return frozenset(row[0] for row in con.execute(_sql("views_present")).fetchall())


def _view_sizes(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows of each view that rules may read."""
    names = sorted(views_present(con) & derived_tables().keys())
    if not names:
        return {}
    row = con.execute(f"SELECT {', '.join(f'(SELECT count(*) FROM {name})' for name in names)}").fetchone()
    return dict(zip(names, row or (), strict=True))


def unmet_views(compiled: Compiled, present: frozenset[str]) -> str | None:
    """Why the views are not those the rule was written for; None when they are."""
    for name, need in compiled.rule.needs.views.items():
        if name not in present:
            return f"the view {name} is missing"
        version = derived_tables()[name].version
        if version != need.version:
            return f"the view {name} has version {version}, the rule was written for {need.version}"
    return None


def _run(
    con: duckdb.DuckDBPyConnection, compiled: Compiled, sizes: Mapping[str, int], timer: Callable[[], float]
) -> _Run:
    started = timer()
    unmet = unmet_views(compiled, frozenset(sizes))
    if unmet is not None:
        return _without_rows(compiled, "not_evaluated", unmet)
    small = all(sizes[view] <= SMALL_VIEW_ROWS for view in compiled.views)
    try:
        if any(not any(sizes[view] for view in group) for group in compiled.empty_without):
            judged: dict[Outcome, _Judged] = {}  # planning the query would take longer than all the rest
        else:
            judged = _judged_here(con, compiled) if small else _judged_there(con, compiled)
    except duckdb.Error as error:
        return _without_rows(compiled, "error", str(error).splitlines()[0])
    counts = {outcome: judged[outcome].count if outcome in judged else 0 for outcome in OUTCOMES}
    subjects = [
        _subject(compiled, outcome, row) for outcome in OUTCOMES if outcome in judged for row in judged[outcome].rows
    ]
    fired = tuple(plain_row(row) for row in judged["fired"].rows) if "fired" in judged else ()
    reasons = tuple(sorted(set().union(*(each.reasons for each in judged.values()))))
    return _Run(compiled, counts, tuple(subjects), fired, reasons, timer() - started)


@dataclass(frozen=True, slots=True)
class _Judged:
    """The candidates of one outcome: how many, why, and the rows that are listed, by subject."""

    count: int
    reasons: frozenset[str]
    rows: Sequence[Mapping[str, Any]]


def _judged_here(con: duckdb.DuckDBPyConnection, compiled: Compiled) -> dict[Outcome, _Judged]:
    """All candidates handed over and counted in Python: for few rows the shorter query is faster to plan."""
    result = con.execute(outcome_sql(compiled, compiled.match_sql), arguments(compiled))
    names = [column[0] for column in result.description or ()]
    found: dict[Outcome, list[dict[str, Any]]] = {}
    for values in result.fetchall():
        row = dict(zip(names, values, strict=True))
        found.setdefault(row["outcome_"], []).append(row | {"subject": str(row["subject"])})
    return {outcome: _judged(outcome, len(rows), rows) for outcome, rows in found.items()}


def _judged_there(con: duckdb.DuckDBPyConnection, compiled: Compiled) -> dict[Outcome, _Judged]:
    """Counted in DuckDB: most rows of a large case are quiet, and handing them over would take longer than judging."""
    rows = con.execute(counted_sql(compiled, LISTED_SUBJECTS), arguments(compiled)).fetchall()
    return {
        outcome: _judged(outcome, count, whole or few or (), frozenset(said or ()))
        for outcome, count, said, whole, few in rows
    }


def _judged(
    outcome: Outcome, count: int, rows: Sequence[Mapping[str, Any]], reasons: frozenset[str] | None = None
) -> _Judged:
    told = frozenset(row["reason_"] for row in rows if row["reason_"]) if reasons is None else reasons
    ordered = sorted(rows, key=lambda row: str(row["subject"]))
    return _Judged(count, told, ordered if outcome == "fired" else ordered[:LISTED_SUBJECTS])


def plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with plain Python numbers."""
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in row.items()}


def _subject(compiled: Compiled, outcome: Outcome, row: Mapping[str, Any]) -> SubjectResult:
    plain = plain_row({name: row[name] for name in compiled.steps})
    return SubjectResult(compiled.id, str(row["subject"]), outcome, row["reason_"], plain)


def _without_rows(compiled: Compiled, outcome: Outcome, reason: str) -> _Run:
    counts: dict[Outcome, int] = {each: int(each == outcome) for each in OUTCOMES}
    return _Run(compiled, counts, (SubjectResult(compiled.id, "", outcome, reason, {}),), (), (reason,), 0.0)


def _as_error(run: _Run, reason: str) -> _Run:
    return _without_rows(run.compiled, "error", reason)


def _findings(con: duckdb.DuckDBPyConnection, runs: Sequence[_Run]) -> tuple[list[Finding], dict[str, str]]:
    """Findings of all rules, and for rules whose findings could not be built, why."""
    gathered = {run.compiled.id: _groups(run) for run in runs}
    book = read_operands(con, [(run.compiled, group.shown) for run in runs for group in gathered[run.compiled.id]])
    findings: list[Finding] = []
    failed: dict[str, str] = {}
    for run in runs:
        mine = gathered[run.compiled.id]
        try:
            answers = what_ifs(con, run.compiled, [str(group.shown["subject"]) for group in mine])
            findings += [
                build_finding(run.compiled, group, answers[str(group.shown["subject"])], book) for group in mine
            ]
        except duckdb.Error as error:
            failed[run.compiled.id] = str(error).splitlines()[0]
    return findings, failed


def _groups(run: _Run) -> list[Group]:
    merge = run.compiled.rule.merge
    return [Group(tuple(members), kept(members, merge)) for members in groups(run.fired, merge)]


def _result(run: _Run) -> RuleResult:
    outcome: Outcome = next((each for each in OUTCOMES if run.counts[each]), "quiet")
    return RuleResult(
        run.compiled.id,
        run.compiled.rule.kind,
        outcome,
        {str(name): count for name, count in run.counts.items()},
        run.reasons,
        run.seconds,
    )


def _finding_order(finding: Finding) -> tuple[str, str, str]:
    return finding.rule, str(finding.happened_at or ""), finding.finding_id
