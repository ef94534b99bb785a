"""The view `attempts` as it would be in other worlds, as SQL: levers replaced, then what follows from them.

Two shapes. Side by side: every attempt is crossed with every world and its id carries the number of the world, so that
the rule is planned once; only for rules whose candidates rest on one row each. Union: the rule once per world.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from investigator.casefile.derived import DerivedColumn, derived_tables
from investigator.rulebook.compile import Compiled, follow_inputs, outcome_sql

#: The fit as it is; as fast as its interval allows; as slow. Each sets levers before the world's own changes.
VARIANTS: Mapping[str, Mapping[str, str]] = {
    "mid": {},
    "fast": {
        "prefill_r0": "prefill_r0 * (1 + coalesce(prefill_spread, 0))",
        "prefill_c": "prefill_c / (1 + coalesce(prefill_spread, 0))",
    },
    "slow": {
        "prefill_r0": "prefill_r0 / (1 + coalesce(prefill_spread, 0))",
        "prefill_c": "prefill_c * (1 + coalesce(prefill_spread, 0))",
    },
}
_SEPARATOR = "\\x1f"


@dataclass(frozen=True, slots=True)
class LeverWorld:
    """One set of changes: lever of attempts → SQL expression over attempts' columns, all read before any changes."""

    world_id: str
    changes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """A world seen with one variant of the fit."""

    world: LeverWorld
    variant: str

    def layers(self) -> list[Mapping[str, str]]:
        """What is replaced, in order: the variant, the levers, the columns that follow from them."""
        return [VARIANTS[self.variant], self.world.changes, *follow_layers(self.world.changes)]


def attempts_columns() -> tuple[DerivedColumn, ...]:
    """The columns of attempts."""
    return derived_tables()["attempts"].columns


def follow_layers(changed: Iterable[str]) -> list[Mapping[str, str]]:
    """Followers of the changed columns, those first that others need. A column set by the world itself stays."""
    own, moved = set(changed), set(changed)
    waiting = {each.name: each.follows for each in attempts_columns() if each.follows and each.name not in own}
    layers: list[Mapping[str, str]] = []
    while True:
        layer = {name: sql for name, sql in waiting.items() if moved & set(follow_inputs(sql))}
        if not layer:
            return layers
        layers.append(layer)
        moved |= set(layer)
        waiting = {name: sql for name, sql in waiting.items() if name not in layer}


def union(compiled: Compiled, places: Sequence[Place]) -> str:
    """SQL of (place, attempt, outcome, reason), the rule once per place; reads the parameter `$attempts_`."""
    return " UNION ALL ".join(_one(compiled, number, place) for number, place in enumerate(places))


def shadowed(place: Place) -> str:
    """SQL of the attempts as they are in one place, to stand behind FROM."""
    shadow = "attempts"
    for layer in place.layers():
        if layer:
            items = ", ".join(f"CAST({sql} AS {_type(name)}) AS {name}" for name, sql in layer.items())
            shadow = f"(SELECT * REPLACE ({items}) FROM {shadow})"
    return shadow


def _one(compiled: Compiled, number: int, place: Place) -> str:
    shadow = shadowed(place)
    judged = outcome_sql(compiled, compiled.match_sql, tell=())
    told = f"{number} AS place_, CAST(subject AS VARCHAR) AS subject_, outcome_, reason_"
    inner = f"WITH attempts AS (FROM {shadow}) FROM ({judged}) WHERE subject IN (SELECT unnest($attempts_))"
    return f"SELECT {told} FROM ({inner})"


def side_by_side(compiled: Compiled, places: Sequence[Place]) -> str:
    """The same SQL for a rule that is row-local: one plan for all places."""
    wanted = "attempt_id IN (SELECT unnest($attempts_))"
    shadow = f"(FROM attempts CROSS JOIN (SELECT unnest(range({len(places)})) AS place_) WHERE {wanted})"
    for items in _cases([place.layers() for place in places]):
        shadow = f"(SELECT * REPLACE ({', '.join(items)}) FROM {shadow})"
    marked = f"concat(place_, E'{_SEPARATOR}', attempt_id) AS attempt_id"
    judged = outcome_sql(compiled, compiled.match_sql, tell=())
    parts = f"CAST(split_part(subject, E'{_SEPARATOR}', 1) AS INTEGER), split_part(subject, E'{_SEPARATOR}', 2)"
    inner = f"WITH attempts AS (SELECT * EXCLUDE (place_) REPLACE ({marked}) FROM {shadow}) FROM ({judged})"
    return f"SELECT {parts}, outcome_, reason_ FROM ({inner})"


def _cases(layers: Sequence[Sequence[Mapping[str, str]]]) -> list[list[str]]:
    """One REPLACE list per layer: each column by the number of the place."""
    found = []
    for depth in range(max(len(each) for each in layers)):
        changed: dict[str, dict[str, list[int]]] = {}
        for number, each in enumerate(layers):
            for name, sql in (each[depth] if depth < len(each) else {}).items():
                changed.setdefault(name, {}).setdefault(sql, []).append(number)
        if changed:
            found.append([_case(name, choices) for name, choices in changed.items()])
    return found


def _case(name: str, choices: Mapping[str, Sequence[int]]) -> str:
    """The same expression of several places stands once."""
    whens = " ".join(
        f"WHEN place_ IN ({', '.join(map(str, numbers))}) THEN CAST({sql} AS {_type(name)})"
        for sql, numbers in choices.items()
    )
    return f"CASE {whens} ELSE {name} END AS {name}"


def _type(name: str) -> str:
    return next(column.type for column in attempts_columns() if column.name == name)
