"""`rules test`: the tests inside rule files. Rows in memory, or a fixture's logs through the whole pipeline."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import duckdb
import polars as pl

from investigator.casefile.derived import derived_tables
from investigator.errors import InvestigatorError
from investigator.rulebook.check import nearest
from investigator.rulebook.compile import Compiled
from investigator.rulebook.emptyviews import empty_views
from investigator.rulebook.evaluate import Evaluation, evaluate, evaluate_registered
from investigator.rulebook.model import RuleTest
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.testrows import TIME, TestSetupError, offset_s, rows_of

#: `t0` of a test's rows; any instant does.
T0 = datetime(2026, 1, 1)
_RELATIVE_TOLERANCE = 1e-6

#: Name of a fixture → a connection with that case's views, or None when there is no such log.
RunLog: TypeAlias = Callable[[str], duckdb.DuckDBPyConnection]


@dataclass(frozen=True, slots=True)
class TestResult:
    """`failures` is empty when passed. `skipped`: a log test without a pipeline to run it; `log`: one that had it."""

    rule: str
    test: str
    path: str
    failures: tuple[str, ...]
    skipped: bool = False
    log: bool = False
    evaluation: Evaluation | None = field(default=None, repr=False, compare=False)

    @property
    def passed(self) -> bool:
        return not self.failures and not self.skipped


def run_rule_tests(ruleset: RuleSet, run_log: RunLog | None = None, views: RowViews | None = None) -> list[TestResult]:
    """Run the tests of all rules, in order. Without `run_log` tests of kind `log` are skipped.

    `views`: those of the caller, who closes them.
    """
    own = views or RowViews()
    try:
        return [_run_test(own, compiled, test, run_log) for compiled in ruleset.rules for test in compiled.rule.tests]
    finally:
        if views is None:
            own.close()


def _run_test(views: RowViews, compiled: Compiled, test: RuleTest, run_log: RunLog | None) -> TestResult:
    if test.log is not None and run_log is None:
        return TestResult(compiled.id, test.name, compiled.path, (), skipped=True)
    rules = RuleSet((compiled,)).with_params(compiled.id, test.params)
    try:
        if test.log is not None and run_log is not None:
            evaluation = evaluate(run_log(test.log), rules)
        else:
            views.fill(rows_of(compiled, test))
            evaluation = views.evaluate(rules)
    except (TestSetupError, InvestigatorError) as error:
        return TestResult(compiled.id, test.name, compiled.path, (str(error),))
    failures = tuple(failures_of(evaluation, test))
    return TestResult(compiled.id, test.name, compiled.path, failures, log=test.log is not None, evaluation=evaluation)


class RowViews:
    """Views in memory that are filled anew for each test; only tables that hold rows are emptied between them."""

    def __init__(self) -> None:
        self.con = empty_views()
        self._sizes: dict[str, int] = {}

    def fill(self, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """`fill_views`; raises TestSetupError."""
        before = [name for name, size in self._sizes.items() if size]
        self._sizes = dict.fromkeys(derived_tables(), 1)  # what is in them is not known until all went well
        fill_views(self.con, rows, before)
        self._sizes = {name: len(rows.get(name, [])) for name in derived_tables()}

    def evaluate(self, rules: RuleSet) -> Evaluation:
        """Evaluate rules over the rows."""
        return evaluate_registered(self.con, rules, sizes=self._sizes)

    def close(self) -> None:
        self.con.close()


def fill_views(
    con: duckdb.DuckDBPyConnection,
    rows: Mapping[str, Sequence[Mapping[str, Any]]],
    before: Collection[str] | None = None,
) -> None:
    """Replace the contents of every view's table by these rows; a column that is not given is NULL.

    `before` names the tables that hold rows now, where that is known. Raises TestSetupError for an unknown view or
    column, or a value of the wrong type.
    """
    for name, table in derived_tables().items():
        if before is None or name in before:
            con.execute(f'DELETE FROM "{name}"')
        given = rows.get(name, [])
        if given:
            _insert(con, name, [_typed(name, row, table.polars_schema()) for row in given])
    unknown = sorted(set(rows) - set(derived_tables()))
    if unknown:
        raise TestSetupError(f"given: no view is called `{unknown[0]}`; {nearest(unknown[0], derived_tables())}")


def _insert(con: duckdb.DuckDBPyConnection, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Only columns with a value: for two rows a statement with sixty columns takes twice as long, a frame too."""
    columns = [column for column in rows[0] if any(row[column] is not None for row in rows)] or [*rows[0]][:1]
    places = ", ".join("?" for _ in columns)
    values = ", ".join(f"({places})" for _ in rows)
    names = ", ".join(f'"{column}"' for column in columns)
    con.execute(f'INSERT INTO "{name}" ({names}) VALUES {values}', [row[column] for row in rows for column in columns])


def _typed(view: str, row: Mapping[str, Any], schema: Mapping[str, pl.DataType]) -> dict[str, Any]:
    for name in row:
        if name not in schema:
            raise TestSetupError(f"given: {view} has no column `{name}`; {nearest(name, schema)}")
    return {name: _value(f"{view}.{name}", row.get(name), kind) for name, kind in schema.items()}


def _value(where: str, value: Any, kind: pl.DataType) -> Any:
    if value is None:
        return None
    if isinstance(kind, pl.Datetime):
        return _time(where, value)
    if kind.is_float() and isinstance(value, int | float):
        return float(value)
    fits = {
        "Int64": isinstance(value, int), "Int32": isinstance(value, int), "String": isinstance(value, str),
        "Boolean": isinstance(value, bool), "List(String)": isinstance(value, list),
    }  # fmt: skip
    if not fits.get(str(kind), False):
        raise TestSetupError(f"given: {where} is {kind}, not {value!r}")
    return value


def _time(where: str, value: Any) -> datetime:
    try:
        seconds = offset_s(value) if isinstance(value, str) else None
    except ValueError as error:
        raise TestSetupError(f"given: {where}: {error}") from error
    if seconds is None:
        raise TestSetupError(f"given: {where} is a time: t0, t0+5m or t0-1h, not {value!r}")
    return T0 + timedelta(seconds=seconds)


def failures_of(evaluation: Evaluation, test: RuleTest) -> Iterator[str]:
    """What a test expects and the evaluation does not give."""
    expect, result = test.expect, evaluation.results[0]
    outcome = result.outcome if sum(result.counts.values()) else "no_candidates"
    # a row test may look at rules that see no candidate at all as quiet: that is what their user sees
    if outcome != expect.outcome and not (expect.outcome == "quiet" and outcome == "no_candidates"):
        yield f"outcome: expected {expect.outcome}, got {outcome}{_because(result.reasons)}"
        return
    if expect.findings is not None and len(evaluation.findings) != expect.findings:
        yield f"findings: expected {expect.findings}, got {len(evaluation.findings)}"
    if expect.reason is not None and not any(expect.reason in reason for reason in result.reasons):
        yield f"reason: expected {expect.reason!r}, got {', '.join(result.reasons) or 'none'}"
    yield from _step_failures(evaluation, expect.steps)
    if evaluation.findings:
        yield from _finding_failures(evaluation, test)
    elif any(
        (expect.text, expect.long, expect.what_if, expect.columns, expect.evidence, expect.remedies, expect.label)
    ):
        yield "there is no finding to compare text, what_if, columns, remedies, label or evidence with"


def _step_failures(evaluation: Evaluation, expected: Mapping[str, Any]) -> Iterator[str]:
    finding = evaluation.findings[0] if evaluation.findings else None
    if finding is not None:
        steps = {step.name: step.value for step in finding.steps}
    else:
        steps = dict(evaluation.subjects[0].steps) if evaluation.subjects else {}
    yield from _compare("step", expected, steps)


def _finding_failures(evaluation: Evaluation, test: RuleTest) -> Iterator[str]:
    expect, finding = test.expect, evaluation.findings[0]
    yield from _compare("what_if", expect.what_if, finding.what_if)
    lists = {name: ", ".join(values) for name, values in finding.keys.items()}
    known = {**lists, **finding.columns}
    yield from _compare("column", _times(expect.columns, known), known)
    for name, wanted, text in (("text", expect.text, finding.short), ("long", expect.long, finding.long)):
        if wanted is not None and wanted not in text:
            yield f"{name}: expected {wanted!r} in {text!r}"
    if expect.label is not None and finding.label != expect.label:
        yield f"label: expected {expect.label}, got {finding.label}"
    if expect.subjects is not None and list(finding.subjects) != expect.subjects:
        yield f"subjects: expected {expect.subjects}, got {list(finding.subjects)}"
    cited = [str(ref) for each in evaluation.findings for ref in each.evidence]
    for wanted in expect.evidence or []:
        if not any(_cites(line, wanted) for line in cited):
            yield f"evidence: {wanted} is not cited; cited: {', '.join(cited[:8]) or 'nothing'}"
    if expect.remedies is not None:
        done = [remedy.do for remedy in finding.remedies]
        if len(done) != len(expect.remedies) or any(
            part not in do for part, do in zip(expect.remedies, done, strict=False)
        ):
            yield f"remedies: expected {expect.remedies}, got {done}"


def _times(expected: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Expected columns, `t0+5m` as an instant where a time was found."""
    return {
        name: _time(name, value) if isinstance(found.get(name), datetime) and TIME.fullmatch(str(value)) else value
        for name, value in expected.items()
    }


def _compare(what: str, expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    for name, value in expected.items():
        if name not in found:
            yield f"{what} {name}: there is none; {nearest(name, found)}"
        elif not _same(value, found[name]):
            yield f"{what} {name}: expected {value!r}, got {found[name]!r}"


def _same(expected: Any, found: Any) -> bool:
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (expected, found))
    if numbers:
        return math.isclose(expected, found, rel_tol=_RELATIVE_TOLERANCE, abs_tol=1e-9)
    return bool(expected == found) and type(expected) is type(found)


def _cites(line: str, wanted: str) -> bool:
    """`server.log:212` or a longer path that ends so; without a line number any line of that file."""
    source = line.rpartition(":")[0]
    return any(each == wanted or each.endswith("/" + wanted) for each in (line, source))


def _because(reasons: Sequence[str]) -> str:
    return f" ({'; '.join(reasons)})" if reasons else ""
