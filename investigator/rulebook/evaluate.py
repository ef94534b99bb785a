"""Run rules over a case: four outcomes per (rule, subject), findings, and the edges between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from typing import Any

import duckdb
import polars as pl

from investigator.casefile.derived import derived_tables
from investigator.rulebook.build import Group, build_finding
from investigator.rulebook.causes import Edges, causal_edges
from investigator.rulebook.compile import Compiled, arguments, evaluation_sql
from investigator.rulebook.findings import Finding, Outcome, RuleResult, SubjectResult, Value
from investigator.rulebook.functions import register_functions
from investigator.rulebook.labels import read_operands
from investigator.rulebook.merge import groups, kept
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.whatif import what_ifs

#: A rule's summary is the first of these that occurs.
OUTCOMES: tuple[Outcome, ...] = ("fired", "error", "not_evaluated", "quiet")

#: Subjects listed per rule and outcome other than fired; counts are always complete.
LISTED_SUBJECTS = 1000


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
    seconds: float


def evaluate(con: duckdb.DuckDBPyConnection, rules: RuleSet, timer: Callable[[], float] | None = None) -> Evaluation:
    """Evaluate all rules on a connection that has the views. A rule that fails becomes an `error`, never an exception.

    `timer` (such as time.perf_counter) fills RuleResult.seconds; without it they are 0, and the result is pure.
    """
    register_functions(con)
    with one_thread(con):
        present = views_present(con)
        runs = [_run(con, compiled, present, timer or (lambda: 0.0)) for compiled in rules.rules]
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
    sql = files(__package__).joinpath("sql/views_present.sql").read_text(encoding="utf-8")
    return frozenset(row[0] for row in con.execute(sql).fetchall())


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
    con: duckdb.DuckDBPyConnection, compiled: Compiled, present: frozenset[str], timer: Callable[[], float]
) -> _Run:
    started = timer()
    unmet = unmet_views(compiled, present)
    if unmet is not None:
        return _without_rows(compiled, "not_evaluated", unmet)
    try:
        frame = judged_frame(con, compiled)
        counts = _counts(frame)
        subjects = tuple(_subjects(compiled, frame))
        fired = tuple(plain_row(row) for row in frame.filter(pl.col("outcome_") == "fired").to_dicts())
    except (duckdb.Error, pl.exceptions.PolarsError) as error:
        return _without_rows(compiled, "error", str(error).splitlines()[0])
    return _Run(compiled, counts, subjects, fired, timer() - started)


def judged_frame(con: duckdb.DuckDBPyConnection, compiled: Compiled) -> pl.DataFrame:
    """All candidates of a rule: subject, steps, `outcome_`, `reason_`, and the columns of those that fire."""
    return pl.DataFrame(con.sql(evaluation_sql(compiled), params=arguments(compiled)))


def plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with plain Python numbers."""
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in row.items()}


def _counts(frame: pl.DataFrame) -> dict[Outcome, int]:
    found = dict(frame.group_by("outcome_").len().iter_rows())
    return {outcome: int(found.get(outcome, 0)) for outcome in OUTCOMES}


def _subjects(compiled: Compiled, frame: pl.DataFrame) -> Iterator[SubjectResult]:
    for outcome in OUTCOMES:
        part = frame.filter(pl.col("outcome_") == outcome)
        few = part if outcome == "fired" else part.bottom_k(LISTED_SUBJECTS, by="subject")
        for row in few.sort("subject", maintain_order=True).select("subject", "reason_", *compiled.steps).to_dicts():
            plain = plain_row(row)
            steps: dict[str, Value] = {name: plain[name] for name in compiled.steps}
            yield SubjectResult(compiled.id, str(plain["subject"]), outcome, plain["reason_"], steps)


def _without_rows(compiled: Compiled, outcome: Outcome, reason: str) -> _Run:
    counts: dict[Outcome, int] = {each: int(each == outcome) for each in OUTCOMES}
    return _Run(compiled, counts, (SubjectResult(compiled.id, "", outcome, reason, {}),), (), 0.0)


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
    reasons = tuple(sorted({each.reason for each in run.subjects if each.reason}))
    return RuleResult(
        run.compiled.id,
        run.compiled.rule.kind,
        outcome,
        {str(name): count for name, count in run.counts.items()},
        reasons,
        run.seconds,
    )


def _finding_order(finding: Finding) -> tuple[str, str, str]:
    return finding.rule, str(finding.happened_at or ""), finding.finding_id
