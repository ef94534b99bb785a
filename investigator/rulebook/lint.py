"""`rules lint`: what a rule that loads may still do better. Errors are mistakes; hints are what a reader will miss.

Determinism is checked here too: the gate already keeps out the clock and random numbers, this finds an order that is
left open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Literal

from investigator.errors import RuleProblem
from investigator.rulebook.check import Issue
from investigator.rulebook.compile import Compiled
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.pointer import Pointer
from investigator.rulebook.schema import COMPLETION
from investigator.rulebook.sqltree import SqlReader, Tree, position, walk
from investigator.rulebook.units import unit_issues
from investigator.rulebook.yamlpos import Position, read_yaml

Level = Literal["error", "hint"]
_ORDERED = frozenset({"row_number", "rank", "dense_rank", "lag", "lead", "first_value", "last_value", "nth_value"})
_WANTED = ("fired", "quiet", "not_evaluated")


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to mend, with its place."""

    level: Level
    rule: str
    problem: RuleProblem


def lint(ruleset: RuleSet) -> list[Remark]:
    """All remarks on the rules of a set that was loaded with tests, by file and line. Needs pint."""
    reader = SqlReader()
    try:
        return [remark for compiled in ruleset.rules for remark in _of_rule(compiled, reader)]
    finally:
        reader.close()


def _of_rule(compiled: Compiled, reader: SqlReader) -> list[Remark]:
    text = FilePath(compiled.path).read_text(encoding="utf-8")
    pointer = Pointer(compiled.path, text.splitlines(), read_yaml(text))
    found = [Remark("error", compiled.id, pointer.issue(each)) for each in unit_issues(compiled)]
    found += [Remark("error", compiled.id, pointer.issue(each)) for each in _open_orders(compiled, reader)]
    found += [Remark("hint", compiled.id, pointer.issue(each)) for each in _missing(compiled)]
    if COMPLETION not in text:
        told = pointer.problem("editors cannot complete this file", f"first line: {COMPLETION}…", Position(1, 1))
        found.append(Remark("hint", compiled.id, told))
    return sorted(found, key=lambda each: (each.problem.line or 0, each.problem.column or 0))


def _open_orders(compiled: Compiled, reader: SqlReader) -> Iterator[Issue]:
    """Where the result depends on the order in which rows happen to lie."""
    for node in walk(reader.statement(compiled.rule.match)):
        if node.get("class") == "WINDOW" and node.get("function_name") in _ORDERED and not node["orders"]:
            hint = "add ORDER BY with a column that tells all rows apart"
            yield Issue(("match",), f"{node['function_name']}() without ORDER BY", hint, position(node))
        if _limits(node) and not _orders(node):
            yield Issue(("match",), "LIMIT without ORDER BY", "say which rows come first", position(node))


def _limits(node: Tree) -> bool:
    return any(each.get("type") == "LIMIT_MODIFIER" for each in _modifiers(node))


def _orders(node: Tree) -> bool:
    return any(each.get("type") == "ORDER_MODIFIER" for each in _modifiers(node))


def _modifiers(node: Tree) -> list[Tree]:
    found = node.get("modifiers")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _missing(compiled: Compiled) -> Iterator[Issue]:
    rule = compiled.rule
    if not rule.references:
        yield Issue(("id",), "no reference", "add `references:` with a page that explains the matter")
    if not rule.explain.long:
        yield Issue(("explain",), "no explanation for a newcomer", "add `long:`")
    if rule.kind == "cause" and not rule.remedies:
        yield Issue(("id",), "a cause without a remedy", "add `remedies:`")
    outcomes = {test.expect.outcome for test in rule.tests}
    outcomes |= {"quiet"} if "no_candidates" in outcomes else set()
    for outcome in _WANTED:
        if outcome not in outcomes and not (outcome == "not_evaluated" and not _can_lack(compiled)):
            yield Issue(("tests",), f"no test expects {outcome}", "add one")
    if not any(test.log is not None for test in rule.tests):
        yield Issue(("tests",), "no test runs the whole pipeline", "add one with `log:`")


def _can_lack(compiled: Compiled) -> bool:
    """Whether the rule can say "not evaluated" at all."""
    return bool(compiled.rule.needs.non_null or compiled.behind(compiled.verdict.columns))
