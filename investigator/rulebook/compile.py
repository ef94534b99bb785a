"""A rule as SQL: candidates, steps as chained columns, verdict, and the reason when something is missing.

One query per rule. Names of our own end in an underscore, which rule names cannot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from investigator.casefile.derived import derived_tables
from investigator.rulebook.findings import Value
from investigator.rulebook.lineage import VIEW_KEYS, Lineage
from investigator.rulebook.model import Rule
from investigator.rulebook.sqltree import SqlReader, Tree, columns, guard_divisions, parameters, strict_columns
from investigator.sqltext import sql_reader

_sql = sql_reader(__package__, "sql")

#: The parameter that is true in what-ifs and worlds, false when a rule is evaluated on what happened.
REPLAY = "replay"
VERDICT = "verdict_"


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked scalar expression: `tree` as written, `sql` with divisions guarded."""

    tree: Tree
    sql: str
    columns: tuple[str, ...]
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule ready to run.

    `types`: columns of match → DuckDB type. `changes`: what-if id → column → expression. `conditions`: number of a
    remedy → its `when`. `row_local`: each candidate rests on one row of attempts: worlds can be replayed side by side.
    `silent_in_worlds`: it judges only what happened. `empty_without`: groups of views; where all of one are empty there
    is no candidate.
    """

    rule: Rule
    path: str
    pack: str
    match_sql: str
    match_parameters: tuple[str, ...]
    views: tuple[str, ...]
    lineage: Lineage
    types: Mapping[str, str]
    steps: Mapping[str, Expression]
    verdict: Expression
    changes: Mapping[str, Mapping[str, Expression]] = field(default_factory=dict)
    conditions: Mapping[str, Expression] = field(default_factory=dict)
    params: Mapping[str, Value] = field(default_factory=dict)
    row_local: bool = False
    silent_in_worlds: bool = False
    empty_without: tuple[tuple[str, ...], ...] = ()

    @property
    def id(self) -> str:
        return self.rule.id

    @property
    def units(self) -> dict[str, str | None]:
        """Units of columns, steps and parameters by name."""
        found: dict[str, str | None] = {
            name: _column_unit(origin.view, origin.column) for name, origin in self.lineage.items()
        }
        found |= self.rule.units
        found |= {name: param.unit for name, param in self.rule.params.items()}
        return found | {step.name: step.unit for step in self.rule.steps}

    def behind(self, name_columns: Iterable[str]) -> tuple[str, ...]:
        """The columns of match that these names rest on, through the steps; first use first."""
        found: dict[str, None] = {}
        for name in name_columns:
            if name in self.steps:
                found |= dict.fromkeys(self.behind(self.steps[name].columns))
            else:
                found[name] = None
        return tuple(found)

    def steps_behind(self, names: Iterable[str]) -> frozenset[str]:
        """The steps that these names rest on, themselves included."""
        found: frozenset[str] = frozenset()
        for name in names:
            if name in self.steps and name not in found:
                found |= {name} | self.steps_behind(self.steps[name].columns)
        return found

    def subject_is(self, view: str) -> bool:
        """Whether `subject` names a row of `view`."""
        origin = self.lineage.get("subject")
        return origin is not None and origin.view == view and origin.column == VIEW_KEYS.get(view)


def expression(reader: SqlReader, sql: str) -> Expression:
    """Parse and print one expression. Raises SqlError."""
    tree = reader.expression(sql)
    guarded = reader.expression(sql)
    guard_divisions(guarded)
    return Expression(tree, reader.print_expression(guarded), tuple(columns(tree)), tuple(parameters(tree)))


def judged_sql(
    compiled: Compiled, candidates: str, what_if: str | None = None, tell: Iterable[str] | None = None
) -> str:
    """SQL of all candidates with steps, `verdict_`, `reason_`; in a what-if when one is named.

    `candidates` is the SQL of the candidate rows. `tell` None gives all steps and conditions; else only the steps that
    these names and the verdict need, which is faster to plan.
    """
    told = [*compiled.verdict.columns, *(compiled.steps if tell is None else tell)]
    wanted = compiled.steps_behind(told)
    parts = [f"candidate_ AS (FROM ({candidates}))"]
    last = "candidate_"
    for number, replaced in enumerate(_replacements(compiled, what_if), 1):
        parts.append(f"changed_{number}_ AS (SELECT * REPLACE ({replaced}) FROM {last})")
        last = f"changed_{number}_"
    for number, level in enumerate(_levels(compiled, wanted), 1):
        added = ", ".join(f"{compiled.steps[name].sql} AS {name}" for name in level)
        parts.append(f"steps_{number}_ AS (SELECT *, {added} FROM {last})")
        last = f"steps_{number}_"
    parts.append(f"judged_ AS (SELECT *, CAST({compiled.verdict.sql} AS BOOLEAN) AS {VERDICT} FROM {last})")
    conditions = compiled.conditions if tell is None else {}
    when = "".join(f", {each.sql} AS when_{number}_" for number, each in conditions.items())
    return f"WITH {', '.join(parts)} SELECT *{when}, {_reason(compiled)} AS reason_ FROM judged_"


def outcome_sql(compiled: Compiled, candidates: str, tell: Iterable[str] | None = None) -> str:
    """`judged_sql` with `outcome_`: fired, quiet or not_evaluated."""
    decided = f"CASE WHEN reason_ IS NOT NULL THEN 'not_evaluated' WHEN {VERDICT} THEN 'fired' ELSE 'quiet' END"
    return f"SELECT *, {decided} AS outcome_ FROM ({judged_sql(compiled, candidates, tell=tell)})"


def _levels(compiled: Compiled, wanted: Iterable[str]) -> list[list[str]]:
    """Steps that can be computed beside each other, those first that others need: a SELECT each costs planning time."""
    depth: dict[str, int] = {}
    for name, step in compiled.steps.items():
        depth[name] = 1 + max((depth[column] for column in step.columns if column in depth), default=0)
    chosen = [name for name in compiled.steps if name in set(wanted)]
    return [[name for name in chosen if depth[name] == level] for level in sorted({depth[name] for name in chosen})]


def counted_sql(compiled: Compiled, listed: int) -> str:
    """One row per outcome: (outcome, count, reasons, the rows of those that fired, `listed` of the others)."""
    own = ["subject", *compiled.steps]
    when = [f"when_{number}_" for number in compiled.conditions]
    kept = [name for name in compiled.types if name != "subject"]
    told, whole = _struct([*own, "reason_"]), _struct([*own, *kept, *when, "reason_"])
    judged = outcome_sql(compiled, compiled.match_sql)
    return _sql("counted").format(told=told, whole=whole, listed=listed, judged=judged)


def _struct(names: Iterable[str]) -> str:
    return "{" + ", ".join(f"{name}: {name}" for name in names) + "}"


def arguments(
    compiled: Compiled,
    *,
    replay: bool = False,
    what_if: str | None = None,
    match: bool = True,
    tell: Iterable[str] | None = None,
) -> dict[str, Value]:
    """Values for exactly the parameters that the query names: DuckDB refuses more as well as fewer."""
    used = set(compiled.match_parameters) if match else set()
    wanted = compiled.steps_behind([*compiled.verdict.columns, *(compiled.steps if tell is None else tell)])
    conditions = compiled.conditions.values() if tell is None else ()
    for step in (*(compiled.steps[name] for name in wanted), compiled.verdict, *conditions):
        used |= set(step.parameters)
    for change in compiled.changes.get(what_if or "", {}).values():
        used |= set(change.parameters)
    values = {**compiled.params, REPLAY: replay}
    return {name: values[name] for name in values if name in used}


def _replacements(compiled: Compiled, what_if: str | None) -> list[str]:
    """REPLACE lists: the changes themselves, then the columns that follow from them."""
    changes = compiled.changes.get(what_if or "", {})
    if not changes:
        return []
    first = [f"{_cast(change.sql, compiled.types[name])} AS {name}" for name, change in changes.items()]
    followers = [
        f"{_cast(sql, compiled.types[name])} AS {name}" for name, sql in followers_of(compiled, changes).items()
    ]
    return [", ".join(part) for part in (first, followers) if part]


def followers_of(compiled: Compiled, changed: Iterable[str]) -> dict[str, str]:
    """Columns of match that derived.yaml computes from the changed ones, where match has all they need."""
    by_origin = {origin.column: name for name, origin in compiled.lineage.items() if origin.view == "attempts"}
    moved = {compiled.lineage[name].column for name in changed if name in compiled.lineage}
    found = {}
    for column in derived_tables()["attempts"].columns:
        needed = [] if column.follows is None else follow_inputs(column.follows)
        own_name = by_origin.get(column.name) == column.name and all(by_origin.get(name) == name for name in needed)
        if column.follows and own_name and column.name not in changed and moved & set(needed):
            found[column.name] = column.follows
    return found


def follow_inputs(follows: str) -> list[str]:
    """Columns of attempts that a `follows` expression reads."""
    words = set(re.findall(r"\w+", follows))
    return [column.name for column in derived_tables()["attempts"].columns if column.name in words]


def _reason(compiled: Compiled) -> str:
    """SQL: what is missing, or NULL when the verdict could be reached.

    First what the rule needs; then what leaves the verdict unknown, columns before steps (a division by zero).
    """
    strict = _strictly_behind(compiled, compiled.verdict)
    loose = [*compiled.behind(compiled.verdict.columns), *compiled.steps_behind(compiled.verdict.columns)]
    needed = _null_names(compiled.rule.needs.non_null)
    told = f"coalesce({_null_names(strict)}, {_null_names(sorted(set(loose) - set(strict)))}, 'verdict')"
    return f"coalesce({needed}, CASE WHEN {VERDICT} IS NULL THEN {told} END)"


def _strictly_behind(compiled: Compiled, expression: Expression) -> list[str]:
    """Columns and steps without which an expression is unknown, columns first."""
    names = strict_columns(expression.tree)
    steps = [name for name in names if name in compiled.steps]
    inner = [name for step in steps for name in _strictly_behind(compiled, compiled.steps[step])]
    found = dict.fromkeys([*(name for name in names if name not in compiled.steps), *inner, *steps])
    return sorted(found, key=lambda name: name in compiled.steps)


def _null_names(names: Iterable[str]) -> str:
    tests = [f"CASE WHEN {name} IS NULL THEN '{name}' END" for name in dict.fromkeys(names)]
    return f"nullif(concat_ws(', ', {', '.join(tests)}), '')" if tests else "NULL"


def _cast(sql: str, type_: str) -> str:
    return f"CAST({sql} AS {type_})"


def _column_unit(view: str, column: str) -> str | None:
    table = derived_tables().get(view)
    return next((each.unit for each in table.columns if each.name == column), None) if table else None
