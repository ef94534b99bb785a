"""What would have helped: sets of one, two and three changes, replayed over an incident's failed attempts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import duckdb

from investigator.diagnosis.incidents import Row
from investigator.diagnosis.levers import Candidate, applicable, before_and_after, change, spoken
from investigator.diagnosis.model import Saves, World
from investigator.diagnosis.queries import query
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.shadow import LeverWorld, Place, shadowed
from investigator.rulebook.worlds import Known, WorldTable, evaluate_worlds, replayable

MOST_CHANGES = 3

#: A search looks at this many values at once and narrows this many times: 14,400 s to 4 s.
SEARCH_STEPS = 7
SEARCH_ROUNDS = 4

Fate = Literal["saved", "might", "lost"]
_FATES: Mapping[str, Fate] = {"yes": "saved", "might": "might", "no": "lost"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One candidate with its SQL value."""

    candidate: Candidate
    expr: str


class _Search:
    """The smallest value in (low, high] for which every call meets `want`; found stays None if even `high` does not."""

    def __init__(self, base: tuple[Setting, ...], low: float, high: float, want: Callable[[Fate], bool]) -> None:
        self.base, self._low, self._high, self._want = base, low, high, want
        self.found: float | None = None

    def grid(self) -> list[float]:
        width = (self._high - self._low) / SEARCH_STEPS
        return [self._low + width * (step + 1) for step in range(SEARCH_STEPS)]

    def narrow(self, fates: Sequence[Sequence[Fate]]) -> None:
        grid = self.grid()
        first = next((n for n, calls in enumerate(fates) if all(map(self._want, calls))), None)
        if first is not None:
            self._low, self._high = (grid[first - 1] if first else self._low), grid[first]
            self.found = self._high


class Replay:
    """Worlds over the failed attempts of one incident."""

    def __init__(self, con: duckdb.DuckDBPyConnection, rules: RuleSet, attempts: Sequence[Row]) -> None:
        self._con, self._rules = con, rules
        # A search looks at hundreds of worlds: only with rules that judge each attempt by its own numbers. What it
        # finds is then replayed with all rules, like every other world.
        self._arithmetic = rules.only(rule.id for rule in replayable(rules) if rule.row_local)
        self._attempts = sorted(
            attempts, key=lambda row: (str(row["work_id"]), str(row["arrived_at"]), str(row["attempt_id"]))
        )
        self._ids = [str(row["attempt_id"]) for row in self._attempts]
        self._beyond: frozenset[str] = frozenset()
        self._known: Known = {}

    def what_would_help(self) -> tuple[World, ...]:
        """Minimal sets that save every call first, cheapest first; then popular changes that do not."""
        if not self._ids:
            return ()
        self._beyond = self._beyond_arithmetic()
        if len(self._beyond) == len(self._ids):
            return ()
        sets = [settings for settings in self._sets() if settings]
        table, ids = self._replay(sets)
        judged = [self._world(settings, table, world_id) for settings, world_id in zip(sets, ids, strict=True)]
        minimal = _minimal(sets, judged)
        worlds = [_with_minimal(world, flag) for world, flag in zip(judged, minimal, strict=True)]
        return tuple(sorted((w for w in worlds if _shown(w)), key=_order))

    def _beyond_arithmetic(self) -> frozenset[str]:
        """Attempts that failed though no replayed rule holds with nothing changed: no change is known to save them."""
        table, (as_it_was,) = self._replay([()])
        return frozenset(id_ for id_ in self._ids if table.saved(as_it_was, id_) == "yes")

    def _sets(self) -> list[tuple[Setting, ...]]:
        found = applicable(self._con, self._ids)
        fixed = [Setting(c, c.expr) for c in found if c.expr is not None]
        solved = [c for c in found if c.solve is not None]
        sets = [s for size in range(MOST_CHANGES + 1) for s in combinations(fixed, size) if _distinct(s)]
        bases = [base for base in sets if len(base) < MOST_CHANGES]
        return sets + [found for c in solved for found in self._solve(bases, c)]

    def _solve(self, bases: Sequence[tuple[Setting, ...]], candidate: Candidate) -> list[tuple[Setting, ...]]:
        """Each base with the smallest value of `candidate` that is enough; where none is, with the largest of these."""
        open_ = [base for base in bases if all(s.candidate.lever != candidate.lever for s in base)]
        values = [self._enough(candidate, *bounds) for bounds in self._bounds(open_, candidate)]
        fallback = max((value for value in values if value is not None), default=None)
        told = [(base, fallback if value is None else value) for base, value in zip(open_, values, strict=True)]
        return [(*base, Setting(candidate, repr(value))) for base, value in told if value is not None]

    @staticmethod
    def _enough(candidate: Candidate, might: float | None, sure: float | None) -> float | None:
        """The estimate between the value that might do and the one that surely does, × safety, rounded up."""
        if candidate.solve is None or sure is None:
            return None
        # The interval is mid / (1 + s) … mid × (1 + s), so the estimate is the geometric mean of its ends.
        mid = math.sqrt((might or sure) * sure)
        step = candidate.solve.round_to
        return float(math.ceil(max(mid * candidate.solve.safety, sure) / step) * step)

    def _bounds(
        self, bases: Sequence[tuple[Setting, ...]], candidate: Candidate
    ) -> list[tuple[float | None, float | None]]:
        """For each base the smallest value under which no call is lost, and the smallest under which all are saved."""
        upto = candidate.solve.upto if candidate.solve else 0.0
        wanted: list[Callable[[Fate], bool]] = [lambda fate: fate != "lost", lambda fate: fate == "saved"]
        searches = [_Search(base, 0.0, upto, want) for base in bases for want in wanted]
        for _ in range(SEARCH_ROUNDS):
            grids = [search.grid() for search in searches]
            sets = [
                (*search.base, Setting(candidate, repr(value)))
                for search, grid in zip(searches, grids, strict=True)
                for value in grid
            ]
            table, ids = self._replay(sets, self._arithmetic)
            fates = [list(self._calls(table, world_id).values()) for world_id in ids]
            for number, search in enumerate(searches):
                search.narrow(fates[number * SEARCH_STEPS : (number + 1) * SEARCH_STEPS])
        return [(low.found, high.found) for low, high in zip(searches[::2], searches[1::2], strict=True)]

    def _replay(
        self, sets: Sequence[tuple[Setting, ...]], rules: RuleSet | None = None
    ) -> tuple[WorldTable, list[str]]:
        worlds = [LeverWorld(f"w{n}", {s.candidate.lever: s.expr for s in settings}) for n, settings in enumerate(sets)]
        table = evaluate_worlds(self._con, rules or self._rules, worlds, self._ids, self._known)
        return table, [world.world_id for world in worlds]

    def _calls(self, table: WorldTable, world_id: str) -> dict[str, Fate]:
        """Fate of each call, in order of time: a try that passes removes its retries."""
        calls: dict[str, Fate] = {}
        passed: dict[str, Fate] = {}
        for row in self._attempts:
            work = str(row["work_id"] or row["call_id"])
            id_ = str(row["attempt_id"])
            fate = passed.get(work) or ("lost" if id_ in self._beyond else _FATES[table.saved(world_id, id_)])
            if fate != "lost":
                passed.setdefault(work, fate)
            call = str(row["call_id"])
            calls[call] = _better(calls.get(call), fate)
        return calls

    def _world(self, settings: tuple[Setting, ...], table: WorldTable, world_id: str) -> World:
        calls = self._calls(table, world_id)
        changes = []
        for setting in settings:
            before, after = before_and_after(self._con, setting.candidate.lever, setting.expr, self._ids)
            changes.append(change(setting.candidate, before, after))
        saved = sum(fate == "saved" for fate in calls.values())
        might = sum(fate == "might" for fate in calls.values())
        return World(
            changes=tuple(changes),
            saves=_saves(saved, might, len(calls)),
            saved_calls=saved,
            might_calls=might,
            total_calls=len(calls),
            minimal=False,
            cost=sum(setting.candidate.cost for setting in settings),
            why=self._why(settings, table, world_id),
            popular=len(settings) <= 2 and all(setting.candidate.popular for setting in settings),
        )

    def _why(self, settings: tuple[Setting, ...], table: WorldTable, world_id: str) -> str:
        """The sum of the hardest attempt in this world, and which causes would still hold."""
        rows = [row for id_ in self._ids for row in table.of(world_id, id_)]
        still = {row.rule for row in rows if row.outcome == "fired"}
        undecided = {row.rule for row in rows if row.outcome not in ("fired", "quiet")} - still
        told = [self._sum(settings), self._titles("what would still hold", still), self._titles("undecided", undecided)]
        return "; ".join(part for part in told if part) or "no cause holds any more"

    def _titles(self, what: str, rules: Iterable[str]) -> str:
        titles = [_lower(self._rules[rule].rule.title) for rule in sorted(rules)]
        return f"{what}: {' · '.join(titles)}" if titles else ""

    def _sum(self, settings: tuple[Setting, ...]) -> str:
        """`146,760 tokens are read in about 674 s (619 to 735 s), the limit is 900 s`; empty where not known."""
        place = Place(LeverWorld("", {s.candidate.lever: s.expr for s in settings}), "mid")
        sql = query("reading_time").format(attempts=shadowed(place))
        rows = self._con.execute(sql, {"ids": self._ids}).fetchall()
        if not rows or None in rows[0][:2]:
            return ""
        tokens, seconds, spread, limit = rows[0]
        told = f"{spoken(tokens, 'tokens')} are read in about {seconds:,.0f} s"
        if spread:
            told += f" ({seconds / (1 + spread):,.0f} to {seconds * (1 + spread):,.0f} s)"
        return told if limit is None else f"{told}, the limit is {spoken(limit, 's')}"


def _lower(title: str) -> str:
    """A title inside a sentence: names keep their capitals."""
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def _distinct(settings: Iterable[Setting]) -> bool:
    levers = [setting.candidate.lever for setting in settings]
    return len(levers) == len(set(levers))


def _better(one: Fate | None, other: Fate) -> Fate:
    order: tuple[Fate, ...] = ("lost", "might", "saved")
    return other if one is None else order[max(order.index(one), order.index(other))]


def _saves(saved: int, might: int, total: int) -> Saves:
    if saved == total:
        return "yes"
    return "might" if saved + might == total else "no"


def _minimal(sets: Sequence[tuple[Setting, ...]], worlds: Sequence[World]) -> list[bool]:
    """A set is minimal if it saves and no smaller set of the same candidates does."""
    saving = [
        frozenset(s.candidate.id for s in settings)
        for settings, w in zip(sets, worlds, strict=True)
        if w.saves == "yes"
    ]
    own = [frozenset(s.candidate.id for s in settings) for settings in sets]
    return [
        world.saves == "yes" and not any(other < ids for other in saving)
        for ids, world in zip(own, worlds, strict=True)
    ]


def _with_minimal(world: World, minimal: bool) -> World:
    return World(**{**{f: getattr(world, f) for f in World.__dataclass_fields__}, "minimal": minimal})


def _shown(world: World) -> bool:
    return world.minimal or world.popular or (world.saves == "might" and len(world.changes) <= 2)


def _order(world: World) -> tuple[object, ...]:
    rank = {"yes": 0, "might": 1, "no": 2}[world.saves]
    return (not world.minimal, rank, len(world.changes), world.cost, [c.say for c in world.changes])
