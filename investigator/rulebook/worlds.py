"""Worlds: the rules of kind `cause` replayed over attempts with some levers set, many worlds in one query.

In a world the view `attempts` is shadowed: levers are replaced, then the columns that follow from them. Each world is
looked at three times: with the fitted reading speed, and with it as fast and as slow as its interval allows; where the
three disagree the answer is `might`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal, TypeAlias

import duckdb

from investigator.rulebook.compile import Compiled, arguments, follow_inputs
from investigator.rulebook.evaluate import one_thread, unmet_views, views_present
from investigator.rulebook.functions import register_functions
from investigator.rulebook.gate import check_expression
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.shadow import VARIANTS, LeverWorld, Place, attempts_columns, side_by_side, union
from investigator.rulebook.sqltree import SqlError, SqlReader, columns

WorldOutcome: TypeAlias = Literal["fired", "quiet", "not_evaluated", "error", "might"]
Saved: TypeAlias = Literal["yes", "might", "no"]

#: Lever and expression, of those levers that a rule reads.
_Changes: TypeAlias = tuple[tuple[str, str], ...]

#: `SELECT *`, `SELECT a.*` and `FROM attempts` alone name no column.
_READS_ALL = re.compile(r"(?i)(select|,)\s*(\w+\s*\.\s*)?\*|^\s*from\b|\(\s*from\b")
_NUMBER = re.compile(r"\d+(\.\d+)?")
_PLACES_SIDE_BY_SIDE = 300
_PLACES_IN_UNION = 40


@dataclass(frozen=True, slots=True)
class WorldRow:
    """What one rule says of one attempt in one world; `reason` names what is missing or went wrong."""

    world_id: str
    attempt_id: str
    rule: str
    outcome: WorldOutcome
    reason: str | None = None


#: What a rule (by id) said of some attempts under some changes, in whatever world it was.
Known: TypeAlias = dict[tuple[str, _Changes], tuple[WorldRow, ...]]


@dataclass(frozen=True, slots=True)
class WorldTable:
    """Rows by world, attempt, rule. A rule that has no row for an attempt has nothing to say of it."""

    rows: tuple[WorldRow, ...]
    _by_place: dict[tuple[str, str], list[WorldRow]] = field(default_factory=dict, repr=False, compare=False)

    def of(self, world_id: str, attempt_id: str) -> tuple[WorldRow, ...]:
        """What the rules say of one attempt in one world."""
        if not self._by_place:
            for row in self.rows:
                self._by_place.setdefault((row.world_id, row.attempt_id), []).append(row)
        return tuple(self._by_place.get((world_id, attempt_id), ()))

    def saved(self, world_id: str, attempt_id: str) -> Saved:
        """`yes` if every rule that looked at it is quiet, `no` if one fires, else `might`. No rule looked: `might`."""
        outcomes = {row.outcome for row in self.of(world_id, attempt_id)}
        if "fired" in outcomes:
            return "no"
        return "yes" if outcomes == {"quiet"} else "might"


def replayable(rules: RuleSet) -> tuple[Compiled, ...]:
    """The rules that decide whether an attempt is saved: of kind cause, judging rows of attempts in worlds too."""
    return tuple(
        rule
        for rule in rules.rules
        if rule.rule.kind == "cause" and rule.subject_is("attempts") and not rule.silent_in_worlds
    )


def evaluate_worlds(
    con: duckdb.DuckDBPyConnection,
    rules: RuleSet,
    worlds: Sequence[LeverWorld],
    attempt_ids: Sequence[str],
    known: Known | None = None,
) -> WorldTable:
    """Replay every `replayable` rule over `attempt_ids` in every world.

    `known` is kept by a caller that asks several times of the same attempts in the same case: what is in it is not
    looked at again. Raises ValueError when a world sets a column that is no lever, or its expression is not allowed:
    that is the caller's mistake, not the rules'. A rule that fails gives `error` rows.
    """
    register_functions(con)
    checked = _checked(worlds)
    found: list[WorldRow] = []
    known = {} if known is None else known
    with one_thread(con):
        present = views_present(con)
        for compiled in replayable(rules):
            unmet = unmet_views(compiled, present)
            if unmet is not None:
                found += _everywhere(compiled, worlds, attempt_ids, "not_evaluated", unmet)
                continue
            try:
                found += _replay_distinct(con, compiled, checked, attempt_ids, known)
            except duckdb.Error as error:
                found += _everywhere(compiled, worlds, attempt_ids, "error", str(error).splitlines()[0])
    order = {world.world_id: number for number, world in enumerate(worlds)}
    return WorldTable(tuple(sorted(found, key=lambda row: (order[row.world_id], row.attempt_id, row.rule))))


def _replay_distinct(
    con: duckdb.DuckDBPyConnection,
    compiled: Compiled,
    worlds: Sequence[LeverWorld],
    attempt_ids: Sequence[str],
    known: Known,
) -> Iterator[WorldRow]:
    """Worlds that differ only in what the rule does not read are looked at once."""
    relevant = _levers_behind(compiled)
    alike: dict[_Changes, list[str]] = {}
    for world in worlds:
        changes = tuple(sorted((lever, sql) for lever, sql in world.changes.items() if lever in relevant))
        alike.setdefault(changes, []).append(world.world_id)
    new = {ids[0]: changes for changes, ids in alike.items() if (compiled.id, changes) not in known}
    places = [
        Place(LeverWorld(world_id, dict(changes)), name)
        for world_id, changes in new.items()
        for name in _variants(compiled, frozenset(lever for lever, _ in changes))
    ]
    looked: dict[str, list[WorldRow]] = {}
    for row in _replay(con, compiled, places, attempt_ids):
        looked.setdefault(row.world_id, []).append(row)
    known.update({(compiled.id, changes): tuple(looked.get(world_id, ())) for world_id, changes in new.items()})
    for changes, ids in alike.items():
        yield from (replace(row, world_id=world_id) for world_id in ids for row in known[compiled.id, changes])


def _variants(compiled: Compiled, set_levers: frozenset[str]) -> Iterator[str]:
    """They differ in the reading speed only: one look where the rule does not read it, or the world sets it itself."""
    moved = "prefill_" in compiled.match_sql
    return (name for name, levers in VARIANTS.items() if not levers or (moved and not levers.keys() <= set_levers))


def _levers_behind(compiled: Compiled) -> frozenset[str]:
    """The levers that can change what the rule says: those it reads, and those behind the followers it reads."""
    follows = {column.name: column.follows for column in attempts_columns() if column.follows}
    read = set(re.findall(r"\w+", compiled.match_sql))
    if _READS_ALL.search(compiled.match_sql):
        read |= {column.name for column in attempts_columns()}
    waiting = [name for name in follows if name in read]
    while waiting:
        inputs = set(follow_inputs(follows[waiting.pop()] or "")) - read
        read |= inputs
        waiting += [name for name in inputs if name in follows]
    return frozenset(column.name for column in attempts_columns() if column.name in read and column.lever)


def _checked(worlds: Sequence[LeverWorld]) -> Sequence[LeverWorld]:
    levers = {column.name for column in attempts_columns() if column.lever}
    for world in worlds:
        for lever, sql in world.changes.items():
            if lever not in levers:
                raise ValueError(f"world {world.world_id}: `{lever}` is no lever of attempts")
            wrong = None if _NUMBER.fullmatch(sql) else _what_is_wrong(sql)
            if wrong is not None:
                raise ValueError(f"world {world.world_id}: {sql}: {wrong}")
    return worlds


@lru_cache(maxsize=1024)
def _what_is_wrong(sql: str) -> str | None:
    """Why an expression cannot stand for a lever; searches ask of the same few hundreds of times."""
    reader = SqlReader()
    try:
        tree = reader.expression(sql)
        errors = check_expression(tree)
    except SqlError as error:
        return error.message
    finally:
        reader.close()
    names = {column.name for column in attempts_columns()}
    unknown = [name for name in columns(tree) if name not in names]
    return errors[0].message if errors else f"unknown column {unknown[0]}" if unknown else None


def _replay(
    con: duckdb.DuckDBPyConnection, compiled: Compiled, places: Sequence[Place], attempt_ids: Sequence[str]
) -> Iterator[WorldRow]:
    judged: dict[tuple[str, str], dict[str, tuple[str, str | None]]] = {}
    values = {**arguments(compiled, replay=True, tell=()), "attempts_": list(attempt_ids)}
    size = _PLACES_SIDE_BY_SIDE if compiled.row_local else _PLACES_IN_UNION
    for start in range(0, len(places), size):
        part = places[start : start + size]
        sql = side_by_side(compiled, part) if compiled.row_local else union(compiled, part)
        for number, attempt_id, outcome, reason in con.execute(sql, values).fetchall():
            place = part[number]
            known = judged.setdefault((place.world.world_id, attempt_id), {})
            # several rows of one rule for an attempt: one that fires decides
            if place.variant not in known or outcome == "fired":
                known[place.variant] = (outcome, reason)
    for (world_id, attempt_id), variants in judged.items():
        outcome, reason = _join([variants[name] for name in VARIANTS if name in variants])
        yield WorldRow(world_id, attempt_id, compiled.id, outcome, reason)


def _join(variants: Sequence[tuple[str, str | None]]) -> tuple[WorldOutcome, str | None]:
    """Three looks as one answer."""
    outcomes = {outcome for outcome, _ in variants}
    if "not_evaluated" in outcomes:
        return "not_evaluated", next(reason for outcome, reason in variants if outcome == "not_evaluated")
    if outcomes == {"fired"}:
        return "fired", None
    return ("quiet", None) if outcomes == {"quiet"} else ("might", "inside the interval of the reading speed")


def _everywhere(
    compiled: Compiled, worlds: Sequence[LeverWorld], attempts: Sequence[str], outcome: WorldOutcome, reason: str
) -> list[WorldRow]:
    return [WorldRow(world.world_id, attempt, compiled.id, outcome, reason) for world in worlds for attempt in attempts]
