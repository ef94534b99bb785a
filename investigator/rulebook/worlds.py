"""Worlds: the rules of kind `cause` replayed over attempts with some levers set, many worlds in one query.

In a world the view `attempts` is shadowed: levers are replaced, then the columns that follow from them. Each world is
looked at three times: with the fitted reading speed, and with it as fast and as slow as its interval allows; where the
three disagree the answer is `might`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import duckdb
import numpy as np
import numpy.typing as npt

from investigator.rulebook.compile import Compiled, arguments, follow_inputs
from investigator.rulebook.evaluate import one_thread, unmet_views, views_present
from investigator.rulebook.functions import register_functions
from investigator.rulebook.gate import check_expression
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.shadow import VARIANTS, LeverWorld, Place, attempts_columns, side_by_side, union
from investigator.rulebook.sqltree import SqlError, SqlReader, columns
from investigator.rulebook.worldtable import ERROR, FIRED, NOT_EVALUATED, OUTCOMES, Said, WorldTable

#: Lever and expression, of those levers that a rule reads.
_Changes: TypeAlias = tuple[tuple[str, str], ...]

#: What a rule (by id) said of the same attempts under some changes, in whatever world it was.
Known: TypeAlias = dict[tuple[str, _Changes], Said]

#: `SELECT *`, `SELECT a.*` and `FROM attempts` alone name no column.
_READS_ALL = re.compile(r"(?i)(select|,)\s*(\w+\s*\.\s*)?\*|^\s*from\b|\(\s*from\b")
_NUMBER = re.compile(r"\d+(\.\d+)?")
_PLACES_SIDE_BY_SIDE = 300
_PLACES_IN_UNION = 40


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
    attempts = tuple(dict.fromkeys(attempt_ids))
    said: dict[str, dict[str, Said]] = {world.world_id: {} for world in worlds}
    with one_thread(con):
        present = views_present(con)
        for compiled in replayable(rules):
            asked = _Asked(con, compiled, attempts, {} if known is None else known)
            for world_id, answer in asked.of(checked, unmet_views(compiled, present)):
                said[world_id][compiled.id] = answer
    return WorldTable(attempts, said)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One rule and the attempts that it is asked of."""

    con: duckdb.DuckDBPyConnection
    compiled: Compiled
    attempts: tuple[str, ...]
    known: Known

    def of(self, worlds: Sequence[LeverWorld], unmet: str | None) -> Iterator[tuple[str, Said]]:
        """What it says in each world. Worlds that differ only in what the rule does not read are looked at once."""
        if unmet is not None:
            yield from self._everywhere(worlds, NOT_EVALUATED, unmet)
            return
        relevant = levers_behind(self.compiled)
        alike: dict[_Changes, list[str]] = {}
        for world in worlds:
            changes = tuple(sorted((lever, sql) for lever, sql in world.changes.items() if lever in relevant))
            alike.setdefault(changes, []).append(world.world_id)
        try:
            self._look([changes for changes in alike if (self.compiled.id, changes) not in self.known])
        except duckdb.Error as error:
            yield from self._everywhere(worlds, ERROR, str(error).splitlines()[0])
            return
        for changes, ids in alike.items():
            yield from ((world_id, self.known[self.compiled.id, changes]) for world_id in ids)

    def _everywhere(self, worlds: Sequence[LeverWorld], code: int, reason: str) -> Iterator[tuple[str, Said]]:
        said = Said.everywhere(len(self.attempts), code, reason)
        return ((world.world_id, said) for world in worlds)

    def _look(self, asked: Sequence[_Changes]) -> None:
        """Ask under these changes, with the reading speed as it is, and as fast and as slow as it may be."""
        variants = [tuple(_variants(self.compiled, frozenset(lever for lever, _ in changes))) for changes in asked]
        places = [
            Place(LeverWorld(str(number), dict(changes)), name)
            for number, changes in enumerate(asked)
            for name in variants[number]
        ]
        looks = iter(self._replay(places))
        for number, changes in enumerate(asked):
            self.known[self.compiled.id, changes] = Said.joined([next(looks) for _ in variants[number]])

    def _replay(self, places: Sequence[Place]) -> Iterator[Said]:
        """What the rule says in each place."""
        values = {**arguments(self.compiled, replay=True, tell=()), "attempts_": list(self.attempts)}
        size = _PLACES_SIDE_BY_SIDE if self.compiled.row_local else _PLACES_IN_UNION
        for start in range(0, len(places), size):
            part = places[start : start + size]
            sql = side_by_side(self.compiled, part) if self.compiled.row_local else union(self.compiled, part)
            yield from _by_place(self.con.execute(sql, values).fetchnumpy(), len(part), self.attempts)


def _by_place(found: Mapping[str, Any], places: int, attempts: Sequence[str]) -> Iterator[Said]:
    """Rows (place, attempt, outcome, reason) as one answer per place; one that fires outweighs the attempt's others."""
    codes = np.zeros((places, len(attempts)), np.int8)
    reasons: list[dict[int, str]] = [{} for _ in range(places)]
    row, names, outcomes, why = found.values()
    column = _numbers(names, {id_: number for number, id_ in enumerate(attempts)})
    code = _numbers(outcomes, {name: number for number, name in enumerate(OUTCOMES)})
    # the first row counts, so it is written last
    codes[row[::-1], column[::-1]] = code[::-1]
    fired = code == FIRED
    codes[row[fired], column[fired]] = FIRED
    for at in np.flatnonzero(code == NOT_EVALUATED)[::-1].tolist():
        reasons[int(row[at])][int(column[at])] = str(why[at])
    return (Said(codes[place], reasons[place]) for place in range(places))


def _numbers(texts: Any, numbers: Mapping[str, int]) -> npt.NDArray[np.intp]:
    return np.fromiter(map(numbers.__getitem__, texts), np.intp, len(texts))


def _variants(compiled: Compiled, set_levers: frozenset[str]) -> Iterator[str]:
    """They differ in the reading speed only: one look where the rule does not read it, or the world sets it itself."""
    moved = "prefill_" in compiled.match_sql
    return (name for name, levers in VARIANTS.items() if not levers or (moved and not levers.keys() <= set_levers))


def levers_behind(compiled: Compiled) -> frozenset[str]:
    """The levers that can change what the rule says: those it reads, and those behind the followers it reads."""
    return _levers_behind(compiled.match_sql)


@lru_cache(maxsize=1024)
def _levers_behind(match_sql: str) -> frozenset[str]:
    follows = {column.name: column.follows for column in attempts_columns() if column.follows}
    read = set(re.findall(r"\w+", match_sql))
    if _READS_ALL.search(match_sql):
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
