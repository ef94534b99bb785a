"""What would have helped: sets of one, two and three changes, replayed over an incident's failed attempts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import duckdb

from investigator.diagnosis.incidents import Row
from investigator.diagnosis.levers import Candidate, applicable, before_and_after, change, inside, spoken
from investigator.diagnosis.model import Saves, World
from investigator.diagnosis.queries import query
from investigator.diagnosis.search import SEARCH_ROUNDS, SEARCH_STEPS, Fate, Search, Setting, hardest
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.shadow import LeverWorld, Place, shadowed
from investigator.rulebook.worlds import Known, evaluate_worlds, levers_behind, replayable
from investigator.rulebook.worldtable import WorldTable

MOST_CHANGES = 3

_FATES: Mapping[str, Fate] = {"yes": "saved", "might": "might", "no": "lost"}


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a set of changes does for each call."""

    settings: tuple[Setting, ...]
    world_id: str
    calls: tuple[Fate, ...]

    @property
    def saves(self) -> Saves:
        if set(self.calls) == {"saved"}:
            return "yes"
        return "no" if "lost" in self.calls else "might"

    @property
    def candidates(self) -> frozenset[str]:
        return frozenset(setting.candidate.id for setting in self.settings)

    @property
    def popular(self) -> bool:
        return len(self.settings) <= 2 and all(setting.candidate.popular for setting in self.settings)


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
        self._hardest = hardest(self._attempts)
        self._beyond: frozenset[str] = frozenset()
        self._known: dict[tuple[str, ...], Known] = {}

    def what_would_help(self) -> tuple[World, ...]:
        """Minimal sets that save every call first, cheapest first; then popular changes that do not."""
        if not self._ids:
            return ()
        table, (as_it_was,) = self._replay([()])
        self._beyond = self._beyond_arithmetic(table, as_it_was)
        if len(self._beyond) == len(self._ids):
            return ()
        touched = self._touched(table.rules(as_it_was, ("fired", "might")))
        sets = [settings for settings in self._sets() if settings]
        table, ids = self._replay(sets)
        judged = [
            _Outcome(settings, world_id, tuple(self._calls(table, world_id).values()))
            for settings, world_id in zip(sets, ids, strict=True)
        ]
        minimal = _minimal(judged)
        shown = [each for each in judged if each in minimal or _told(each, judged, touched)]
        worlds = [self._world(each, table, each in minimal) for each in shown]
        return tuple(sorted(worlds, key=_order))

    def _touched(self, holding: Iterable[str]) -> frozenset[str]:
        """The levers that the causes which hold depend on: a popular change of another one is not worth a word."""
        return frozenset[str]().union(*(levers_behind(self._rules[rule]) for rule in holding))

    def _beyond_arithmetic(self, table: WorldTable, as_it_was: str) -> frozenset[str]:
        """Attempts that failed though no replayed rule holds with nothing changed: no change is known to save them."""
        return frozenset(id_ for id_, saved in zip(self._ids, table.saves(as_it_was), strict=True) if saved == "yes")

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
        searches = [Search(base, 0.0, upto, want) for base in bases for want in wanted]
        for _ in range(SEARCH_ROUNDS):
            grids = [search.grid() for search in searches]
            sets = [
                (*search.base, Setting(candidate, repr(value)))
                for search, grid in zip(searches, grids, strict=True)
                for value in grid
            ]
            table, ids = self._replay(sets, self._arithmetic, self._hardest)
            fates = [list(self._calls(table, world_id, self._hardest).values()) for world_id in ids]
            for number, search in enumerate(searches):
                search.narrow(fates[number * SEARCH_STEPS : (number + 1) * SEARCH_STEPS])
        return [(low.found, high.found) for low, high in zip(searches[::2], searches[1::2], strict=True)]

    def _replay(
        self, sets: Sequence[tuple[Setting, ...]], rules: RuleSet | None = None, attempts: Sequence[Row] = ()
    ) -> tuple[WorldTable, list[str]]:
        worlds = [LeverWorld(f"w{n}", {s.candidate.lever: s.expr for s in settings}) for n, settings in enumerate(sets)]
        ids = tuple(str(row["attempt_id"]) for row in attempts) or tuple(self._ids)
        known = self._known.setdefault(ids, {})
        table = evaluate_worlds(self._con, rules or self._rules, worlds, ids, known)
        return table, [world.world_id for world in worlds]

    def _calls(self, table: WorldTable, world_id: str, attempts: Sequence[Row] = ()) -> dict[str, Fate]:
        """Fate of each call, in order of time: a try that passes removes its retries."""
        calls: dict[str, Fate] = {}
        passed: dict[str, Fate] = {}
        for row, saved in zip(attempts or self._attempts, table.saves(world_id), strict=True):
            work = str(row["work_id"] or row["call_id"])
            fate = passed.get(work) or ("lost" if row["attempt_id"] in self._beyond else _FATES[saved])
            if fate != "lost":
                passed.setdefault(work, fate)
            call = str(row["call_id"])
            calls[call] = _better(calls.get(call), fate)
        return calls

    def _world(self, outcome: _Outcome, table: WorldTable, minimal: bool) -> World:
        changes = []
        for setting in outcome.settings:
            before, after = before_and_after(self._con, setting.candidate.lever, setting.expr, self._ids)
            changes.append(change(setting.candidate, before, after))
        return World(
            changes=tuple(changes),
            saves=outcome.saves,
            saved_calls=outcome.calls.count("saved"),
            might_calls=outcome.calls.count("might"),
            total_calls=len(outcome.calls),
            minimal=minimal,
            cost=sum(setting.candidate.cost for setting in outcome.settings),
            why=self._why(outcome, table),
            popular=outcome.popular,
        )

    def _why(self, outcome: _Outcome, table: WorldTable) -> str:
        """The sum of the hardest attempt in this world, and which causes would still hold."""
        still = table.rules(outcome.world_id, ("fired",))
        undecided = table.rules(outcome.world_id, ("might", "not_evaluated", "error")) - still
        sum_ = self._sum(outcome.settings)
        told = [sum_, self._titles("what would still hold", still), self._titles("undecided", undecided)]
        return "; ".join(part for part in told if part) or "no cause holds any more"

    def _titles(self, what: str, rules: Iterable[str]) -> str:
        titles = [inside(self._rules[rule].rule.title) for rule in sorted(rules)]
        return f"{what}: {' · '.join(titles)}" if titles else ""

    def _sum(self, settings: tuple[Setting, ...]) -> str:
        """`146,760 tokens are read in about 674 s (619 to 735 s), the limit is 900 s`; empty where not known."""
        place = Place(LeverWorld("", {s.candidate.lever: s.expr for s in settings}), "mid")
        sql = query("reading_time").format(attempts=shadowed(place))
        rows = self._con.execute(sql, {"ids": self._ids}).fetchall()
        if not rows or None in rows[0][:2]:
            return ""
        tokens, seconds, spread, limit, held = rows[0]
        told = f"{spoken(tokens, 'tokens')} are read in about {seconds:,.0f} s"
        if held is not None and held > seconds:
            told = f"{spoken(tokens, 'tokens')} were not read in {held:,.0f} s"
        elif spread:
            told += f" ({seconds / (1 + spread):,.0f} to {seconds * (1 + spread):,.0f} s)"
        return told if limit is None else f"{told}, the limit is {spoken(limit, 's')}"


def _distinct(settings: Iterable[Setting]) -> bool:
    levers = [setting.candidate.lever for setting in settings]
    return len(levers) == len(set(levers))


def _better(one: Fate | None, other: Fate) -> Fate:
    order: tuple[Fate, ...] = ("lost", "might", "saved")
    return other if one is None else order[max(order.index(one), order.index(other))]


def _minimal(outcomes: Sequence[_Outcome]) -> list[_Outcome]:
    """Those that save and of which no smaller set of the same candidates does."""
    saving = [each for each in outcomes if each.saves == "yes"]
    return [each for each in saving if not any(other.candidates < each.candidates for other in saving)]


def _told(outcome: _Outcome, others: Sequence[_Outcome], touched: frozenset[str]) -> bool:
    """Popular changes of what a cause depends on; and few changes that might save where fewer of them do not."""
    if outcome.popular and all(setting.candidate.lever in touched for setting in outcome.settings):
        return True
    fewer = any(other.saves != "no" and other.candidates < outcome.candidates for other in others)
    return outcome.saves == "might" and len(outcome.settings) <= 2 and not fewer


def _order(world: World) -> tuple[object, ...]:
    rank = {"yes": 0, "might": 1, "no": 2}[world.saves]
    return (not world.minimal, rank, len(world.changes), world.cost, [c.say for c in world.changes])
