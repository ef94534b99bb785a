"""The failed attempts of an incident in other worlds: which would have passed, and by what time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import duckdb

from investigator.capacity import Fit, Interval, Verdict, format_gib
from investigator.planning.queries import query
from investigator.planning.scenarios import Scenario
from investigator.planning.speed import Basis, Confidence
from investigator.rulebook.functions import register_functions
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.shadow import LeverWorld, Place, shadowed
from investigator.rulebook.worlds import evaluate_worlds, replayable
from investigator.rulebook.worldtable import Saved, WorldTable

Fate: TypeAlias = Literal["passes", "might", "fails", "not_needed"]
Row: TypeAlias = Mapping[str, Any]

_RANK: Mapping[Fate, int] = {"fails": 0, "might": 1, "passes": 2, "not_needed": 2}


@dataclass(frozen=True, slots=True)
class AttemptFate:
    """One attempt in one world. `not_needed`: an earlier try of the same work passes. `why`: what still holds."""

    attempt_id: str
    call_id: str
    try_no: int | None
    fate: Fate
    tokens_to_read: int | None
    reading_s: Interval | None
    timeout_s: float | None
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """One world over all attempts. `verdict` is of the whole incident; counts are of calls."""

    say: str
    verdict: Verdict
    passing_calls: int
    might_calls: int
    total_calls: int
    attempts: tuple[AttemptFate, ...]
    memory: Fit | None
    speed_basis: Basis | None
    confidence: Confidence | None
    notes: tuple[str, ...]


def replay(
    con: duckdb.DuckDBPyConnection,
    rules: RuleSet,
    attempts: Sequence[Row],
    scenarios: Sequence[Scenario],
    *,
    all_reasons: bool = True,
) -> tuple[ScenarioResult, ...]:
    """Replay `attempts` (rows of the view) in every scenario, in order of time within each piece of work.

    all_reasons False: where the rules of arithmetic have decided that an attempt fails, the slower ones are not asked,
    so that `why` may be shorter; verdicts are the same.
    """
    ordered = sorted(attempts, key=lambda row: (str(row["work_id"]), str(row["arrived_at"]), str(row["attempt_id"])))
    if not ordered or not scenarios:
        return ()
    register_functions(con)
    ids = [str(row["attempt_id"]) for row in ordered]
    read = [_rows(con, each, ids) for each in scenarios]
    worlds = [world for n, each in enumerate(scenarios) for world in _worlds(n, each, read[n])]
    table = evaluate_worlds(con, rules, worlds, ids) if all_reasons else _in_two_steps(con, rules, worlds, ids)
    judged = _Judged(rules, table, ordered)
    return tuple(judged.result(n, each, read[n]) for n, each in enumerate(scenarios))


def _in_two_steps(
    con: duckdb.DuckDBPyConnection, rules: RuleSet, worlds: Sequence[LeverWorld], ids: Sequence[str]
) -> WorldTable:
    """First the rules that judge each attempt by its own numbers; the others only where these leave one standing."""
    local = {rule.id for rule in replayable(rules) if rule.row_local}
    first = evaluate_worlds(con, rules.only(local), worlds, ids)
    open_ = [world for world in worlds if set(first.saves(world.world_id)) != {"no"}]
    others = rules.only({rule.id for rule in replayable(rules)} - local)
    return first.with_rules_of(evaluate_worlds(con, others, open_, ids))


def _rows(con: duckdb.DuckDBPyConnection, scenario: Scenario, ids: Sequence[str]) -> dict[str, Row]:
    """The attempts as they are in this world, by id."""
    sql = query("worlds").format(attempts=shadowed(Place(LeverWorld("", scenario.levers), "mid")))
    cursor = con.execute(sql, {"ids": list(ids)})
    names = [column[0] for column in cursor.description or ()]
    rows = (dict(zip(names, row, strict=True)) for row in cursor.fetchall())
    return {str(row["attempt_id"]): row for row in rows}


def _worlds(number: int, scenario: Scenario, rows: Mapping[str, Row]) -> Iterator[LeverWorld]:
    """One world, or two where another machine reads: as fast and as slow as its interval allows."""
    if not scenario.moved:
        yield LeverWorld(f"{number}:mid", scenario.levers)
        return
    if scenario.speed is None:
        yield LeverWorld(f"{number}:mid", {**scenario.levers, "prefill_r0": "NULL", "prefill_c": "NULL"})
        return
    reads = [(_to_read(row), int(row["cached_tokens"])) for row in rows.values()]
    known = [(new, cached) for new, cached in reads if new is not None]
    new, cached = max(known, key=sum, default=(0, 0))
    r0, c = scenario.speed.constants(new, cached)
    for name, rate, slope in (("fast", r0.high, c.low), ("slow", r0.low, c.high)):
        yield LeverWorld(f"{number}:{name}", {**scenario.levers, "prefill_r0": repr(rate), "prefill_c": repr(slope)})


def _to_read(row: Row) -> int | None:
    read = row["read_tokens"]
    return None if read is None else max(int(read) - int(row["cached_tokens"]), 0)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the rules said in every world."""

    rules: RuleSet
    table: WorldTable
    attempts: Sequence[Row]

    def result(self, number: int, scenario: Scenario, rows: Mapping[str, Row]) -> ScenarioResult:
        memory = _memory(scenario, rows.values())
        fates = tuple(self._fates(number, scenario, rows, memory))
        calls: dict[str, Fate] = {}
        for fate in fates:
            known = calls.get(fate.call_id)
            calls[fate.call_id] = fate.fate if known is None or _RANK[fate.fate] > _RANK[known] else known
        passing = sum(_RANK[fate] == 2 for fate in calls.values())
        might = sum(fate == "might" for fate in calls.values())
        depth = max((int(row["read_tokens"] or 0) for row in rows.values()), default=0)
        return ScenarioResult(
            say=scenario.say,
            verdict="passes" if passing == len(calls) else "might" if passing + might == len(calls) else "fails",
            passing_calls=passing,
            might_calls=might,
            total_calls=len(calls),
            attempts=fates,
            memory=memory,
            speed_basis=scenario.speed.basis if scenario.speed else None,
            confidence=(scenario.speed.confidence(depth) if scenario.speed else "none") if scenario.moved else None,
            notes=scenario.notes,
        )

    def _fates(
        self, number: int, scenario: Scenario, rows: Mapping[str, Row], memory: Fit | None
    ) -> Iterator[AttemptFate]:
        passed: dict[str, Fate] = {}
        names = ("fast", "slow") if scenario.moved and scenario.speed else ("mid",)
        worlds = [f"{number}:{name}" for name in names]
        saves = zip(*(self.table.saves(world_id) for world_id in worlds), strict=True)
        for attempt, looks in zip(self.attempts, saves, strict=True):
            id_, call = str(attempt["attempt_id"]), str(attempt["call_id"])
            work, row = str(attempt["work_id"] or call), rows[id_]
            fate, why = self._fate(worlds, looks, scenario, id_, memory)
            if passed.get(work) == "passes":
                fate, why = "not_needed", ("an earlier try passes",)
            elif passed.get(work) == "might" and fate == "fails":
                fate, why = "might", ("an earlier try might pass", *why)
            if fate in ("passes", "might") and passed.get(work) != "passes":
                passed[work] = fate
            yield AttemptFate(
                id_, call, attempt["try_no"], fate, _to_read(row), _reading_s(scenario, row), row["timeout_s"], why
            )

    def _fate(
        self, worlds: Sequence[str], looks: Sequence[Saved], scenario: Scenario, id_: str, memory: Fit | None
    ) -> tuple[Fate, tuple[str, ...]]:
        fate: Fate = "passes" if set(looks) == {"yes"} else "fails" if set(looks) == {"no"} else "might"
        rows = [] if fate == "passes" else [row for world_id in worlds for row in self.table.of(world_id, id_)]
        why = list(self._holding(rows))
        if memory is not None and memory.verdict == "does_not_fit":
            return "fails", (_memory_words(memory), *why)
        doubt = memory is not None and memory.verdict == "might"
        unknown = scenario.checks_memory and memory is None
        if doubt or unknown:
            why.insert(0, _memory_words(memory) if memory else "whether it fits in memory is not known")
        return ("might" if fate == "passes" and (doubt or unknown) else fate), tuple(why)

    def _holding(self, rows: Iterable[Any]) -> Iterator[str]:
        """Titles of the causes that fire in every look, then of those that cannot be ruled out."""
        outcomes: dict[str, list[str]] = {}
        for row in rows:
            outcomes.setdefault(row.rule, []).append(row.outcome)
        for rule, found in sorted(outcomes.items()):
            if set(found) != {"quiet"}:
                told = "" if set(found) == {"fired"} else "undecided: "
                yield told + self.rules[rule].rule.title


def _memory(scenario: Scenario, rows: Iterable[Row]) -> Fit | None:
    """The worst fit over the attempts; None where it is not touched or the sizes are not known."""
    if not scenario.checks_memory or scenario.needs is None or scenario.budget is None:
        return None
    asked = {(row["window_tokens"], row["slots"], row["kv_type"]) for row in rows}
    if any(window is None for window, _, _ in asked):
        return None
    needs, budget = scenario.needs, scenario.budget
    fits = [budget.judge(needs, int(window), int(slots), str(kv)) for window, slots, kv in asked]
    return min(fits, key=lambda fit: (fit.margin_bytes.low, fit.margin_bytes.mid))


def _memory_words(memory: Fit) -> str:
    need, limit = format_gib(memory.need_bytes.mid), format_gib(memory.limit_bytes.mid)
    doubt = "" if memory.verdict == "does_not_fit" else ", too close to say"
    return f"memory: needs {need}, {limit} can be used{doubt}"


def _reading_s(scenario: Scenario, row: Row) -> Interval | None:
    """Reading, after loading where that falls into the same wait."""
    new = _to_read(row)
    if scenario.moved:
        if scenario.speed is None or new is None:
            return None
        return scenario.speed.predict(new, row["cached_tokens"]) + float(row["load_s"])
    if row["reading_s"] is None:
        return None
    return Interval.around(row["reading_s"], 1 + (row["prefill_spread"] or 0.0)) + float(row["load_s"])
