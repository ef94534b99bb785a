"""`rules test --mutate`: how many small mistakes in a rule its row tests notice.

A mutant is killed when a test fails on it, or when it cannot run. Of those that survive, the ones whose query DuckDB
plans exactly as the rule's own are no mistakes and are not counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import duckdb

from investigator.errors import RuleProblem
from investigator.rulebook.accepted import Survivor, place_of, settle
from investigator.rulebook.check import Issue
from investigator.rulebook.compile import VERDICT, Compiled, arguments, judged_sql, outcome_sql
from investigator.rulebook.model import RuleTest
from investigator.rulebook.mutants import Mutant, mutants
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.pointer import Pointer
from investigator.rulebook.sqltree import SqlReader
from investigator.rulebook.testing import RowViews, failures_of
from investigator.rulebook.testrows import TestSetupError, rows_of
from investigator.rulebook.yamlpos import Path, read_yaml

_PARAMETER = re.compile(r"\$([a-z]\w*)")
_TEXTUAL = {"alias", "query_location", "query_location_length"}
_BY_CONTENT = "statistics_propagation,empty_result_pullup"


@dataclass(frozen=True, slots=True)
class MutationResult:
    """One rule's mutants; `equivalent` ones are not mistakes. `tests`: row tests that were run.

    `accepted` survived too, for a reason that the rule gives. `stale`: entries of `accepted_mutants` that fit nothing.
    """

    rule: str
    path: str
    tests: int
    killed: int
    equivalent: int
    survivors: tuple[Survivor, ...]
    accepted: tuple[Survivor, ...] = ()
    stale: tuple[RuleProblem, ...] = ()

    @property
    def counted(self) -> int:
        return self.killed + len(self.survivors) + len(self.accepted)

    @property
    def score(self) -> float:
        """Killed share, of the accepted ones too; 1 for a rule in which nothing can be changed."""
        return self.killed / self.counted if self.counted else 1.0


def mutation_results(ruleset: RuleSet) -> Iterator[MutationResult]:
    """Mutate every rule of the set and run its row tests. The set must be loaded with tests; log tests are not run."""
    reader, views = SqlReader(), RowViews()
    try:
        for compiled in ruleset.rules:
            yield _of_rule(views, reader, compiled)
    finally:
        reader.close()
        views.close()


def _of_rule(views: RowViews, reader: SqlReader, compiled: Compiled) -> MutationResult:
    made = list(mutants(compiled, reader))
    alive = made
    tests = sorted((test for test in compiled.rule.tests if test.log is None), key=_order)
    for test in tests:
        if alive:
            alive = _survivors(views, compiled, test, alive)
    views.fill({})
    plan = _plan(views.con, compiled) if alive else None
    different = [each for each in alive if plan is None or _acts(views.con, each, plan)]
    pointer = _pointer(compiled.path)
    rule = compiled.rule
    settled = settle(rule, [Survivor(_line(pointer, each), place_of(rule, each.path), each.text) for each in different])
    return MutationResult(
        compiled.id, compiled.path, len(tests), len(made) - len(alive), len(alive) - len(different),
        settled.unexplained, settled.accepted, tuple(_stale(pointer, path) for path in settled.stale),
    )  # fmt: skip


def _order(test: RuleTest) -> bool:
    """Those that fire first: they notice most."""
    return test.expect.outcome != "fired"


def _survivors(views: RowViews, compiled: Compiled, test: RuleTest, alive: Sequence[Mutant]) -> list[Mutant]:
    try:
        views.fill(rows_of(compiled, test))
    except TestSetupError:
        return list(alive)
    expected = _rows(views.con, RuleSet((compiled,)).with_params(compiled.id, test.params).rules[0])
    return [each for each in alive if not _killed(views, each, test, expected)]


def _killed(views: RowViews, mutant: Mutant, test: RuleTest, expected: object) -> bool:
    """Judging alone is fast; findings are built only where the rows differ, or what is expected comes after them."""
    own = {name: value for name, value in test.params.items() if mutant.path[:2] != ("params", name)}
    rules = RuleSet((mutant.compiled,)).with_params(mutant.compiled.id, own)
    deep = test.expect.what_if or test.expect.remedies is not None or mutant.path[0] == "merge"
    if not deep and _rows(views.con, rules.rules[0]) == expected:
        return False
    return bool(list(failures_of(views.evaluate(rules), test)))


def _rows(con: duckdb.DuckDBPyConnection, compiled: Compiled) -> list[str] | None:
    """The judged candidates; None when the query fails."""
    try:
        rows = con.execute(outcome_sql(compiled, compiled.match_sql), arguments(compiled)).fetchall()
    except duckdb.Error:
        return None
    return sorted(map(repr, rows))


def _acts(con: duckdb.DuckDBPyConnection, mutant: Mutant, plan: str) -> bool:
    """Whether a mutant computes anything else; `keep` is no part of the query."""
    return mutant.path == ("merge", "keep") or _plan(con, mutant.compiled) != plan


def _plan(con: duckdb.DuckDBPyConnection, compiled: Compiled) -> str | None:
    """The optimised plan of columns, steps and verdict, without what DuckDB concludes from the views being empty.

    `$replay` is a constant in it: what acts in worlds alone is planned away. None when DuckDB cannot write the plan.
    """
    told = ", ".join([*compiled.types, *compiled.steps, VERDICT])
    values = arguments(compiled)
    judged = _PARAMETER.sub(lambda found: _literal(values[found[1]]), judged_sql(compiled, compiled.match_sql))
    con.execute(f"SET disabled_optimizers = '{_BY_CONTENT}'")
    try:
        sql = f"SELECT {told} FROM ({judged})"
        row = con.execute("SELECT json_serialize_plan(?, optimize := true)", [sql]).fetchone()
    except duckdb.Error:
        return None
    finally:
        con.execute("RESET disabled_optimizers")
    answer = json.loads(row[0]) if row else {"error": True}
    return None if answer["error"] else json.dumps(_unplaced(answer["plans"]))


def _literal(value: object) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"{value!r}::DOUBLE" if isinstance(value, float) else str(value)


def _unplaced(node: Any) -> Any:
    """A plan without names and places in the text, which say nothing of what is computed."""
    if isinstance(node, dict):
        return {key: _unplaced(value) for key, value in node.items() if key not in _TEXTUAL}
    return [_unplaced(each) for each in node] if isinstance(node, list) else node


def _pointer(path: str) -> Pointer:
    text = FilePath(path).read_text(encoding="utf-8")
    return Pointer(path, text.splitlines(), read_yaml(text))


def _line(pointer: Pointer, mutant: Mutant) -> int:
    return pointer.inside(Issue(mutant.path, mutant.text, "", mutant.offset)).line


def _stale(pointer: Pointer, path: Path) -> RuleProblem:
    return pointer.problem(
        "an accepted mutant that does not survive", "remove the entry, or write it as --mutate prints it",
        pointer.document.at(path),
    )  # fmt: skip
