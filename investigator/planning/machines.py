"""The same load on the machines one might buy: would it have passed, at what list price, and how sure is that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import duckdb
from ruamel.yaml import YAML

from investigator.capacity import Interval, Verdict
from investigator.capacity.memory import FitVerdict
from investigator.capacity.units import format_duration
from investigator.catalog import Machine, Price
from investigator.errors import UsageProblem
from investigator.planning.catalogue import Catalogue
from investigator.planning.incidents import IncidentLoad
from investigator.planning.needs import memory_size_gib
from investigator.planning.replay import ScenarioResult, replay
from investigator.planning.scenarios import Ground, Part, Scenario, is_at_home, scenario
from investigator.planning.speed import Basis, Confidence
from investigator.rulebook.pack import RuleSet

#: A limit is set so much above the expected time (formulas: 1.3 within twice the fitted depth).
_SAFETY = 1.3


@dataclass(frozen=True, slots=True)
class MachineRow:
    """One machine. `alone`: the settings as they were; `with_window`: with the window that saving needs, None where
    none is. `reading_s`: of the longest read there, in the second world if there is one."""

    machine_id: str
    name: str
    memory_gib: float
    cards: int
    price: Price | None
    is_present: bool
    memory: FitVerdict | None
    need_bytes: Interval | None
    limit_bytes: Interval | None
    reading_s: Interval | None
    alone: Verdict
    with_window: Verdict | None
    confidence: Confidence
    basis: Basis | None
    note: str
    why_not: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MachineTable:
    """All rows; `sentence` says first whether a purchase alone would have been enough."""

    incident_id: str
    sentence: str
    window_tokens: int | None
    rows: tuple[MachineRow, ...]


@cache
def _of_interest() -> tuple[tuple[str, str], ...]:
    text = files(__package__).joinpath("interest.yaml").read_text(encoding="utf-8")
    return tuple((row["id"], row["as"]) for row in YAML(typ="safe", pure=True).load(text))


def machines_of_interest(catalogue: Catalogue) -> tuple[tuple[Machine, str], ...]:
    """Machines with the names they are sold under: a user's own, then those of the list."""
    known = {machine.id: machine for machine in catalogue.machines}
    listed = [(known[id_], name) for id_, name in _of_interest() if id_ in known]
    own = [(known[id_], known[id_].name) for id_ in catalogue.own_machines]
    return (*own, *(each for each in listed if each[0].id not in catalogue.own_machines))


def compare_machines(
    con: duckdb.DuckDBPyConnection,
    rules: RuleSet,
    load: IncidentLoad,
    ground: Ground,
    machines: Sequence[tuple[Machine, str]] | None = None,
) -> MachineTable:
    """Replay the incident's failed attempts on each machine, and there with the window that saving needs."""
    chosen = machines_of_interest(ground.catalogue) if machines is None else machines
    places = [(machine, name, size) for machine, name in chosen if (size := _size(machine, ground)) is not None]
    worlds: list[Scenario] = []
    for machine, name, size in places:
        part = Part("machine", (machine, size), f"on {name}")
        worlds.append(scenario([part], ground))
        if load.window_fix_tokens is not None:
            window = Part("num_ctx", load.window_fix_tokens, f"window {load.window_fix_tokens:,}")
            worlds.append(scenario([part, window], ground))
    step = 1 if load.window_fix_tokens is None else 2
    at_home = _settings(load, ground)
    results = replay(con, rules, load.attempts, [*worlds, *at_home])
    rows = tuple(
        _row(place, ground, worlds[n * step : (n + 1) * step], results[n * step : (n + 1) * step])
        for n, place in enumerate(places)
    )
    enough = next((result.say for result in results[len(worlds) :] if result.verdict == "passes"), None)
    return MachineTable(load.incident_id, _sentence(rows, load, enough), load.window_fix_tokens, rows)


def _settings(load: IncidentLoad, ground: Ground) -> list[Scenario]:
    """The change of settings that a purchase has to beat: the window, and a limit for the longest prompt in it."""
    speed = ground.model.speed() if ground.model else None
    prompts = [int(row["asked_tokens"]) for row in load.attempts if row["asked_tokens"] is not None]
    if speed is None or not prompts or all(row["timeout_s"] is None for row in load.attempts):
        return []
    read = speed.predict(max(prompts))
    limit = math.ceil(max(read.mid * _SAFETY, read.high) / 60) * 60.0
    parts = [Part("timeout", limit, f"a limit of {format_duration(limit)}")]
    if load.window_fix_tokens is not None:
        window = load.window_fix_tokens
        parts.insert(0, Part("num_ctx", window, f"a window of {window:,} tokens"))
    return [scenario(parts, ground)]


def _size(machine: Machine, ground: Ground) -> float | None:
    """Of the machine of the logs, what it has there; else the largest size sold."""
    if ground.case.memory_gib is not None and is_at_home(ground.case, machine, None):
        return ground.case.memory_gib
    try:
        return memory_size_gib(machine)
    except UsageProblem:
        return None


def _row(
    place: tuple[Machine, str, float], ground: Ground, worlds: Sequence[Scenario], results: Sequence[ScenarioResult]
) -> MachineRow:
    machine, name, size = place
    alone, last = results[0], results[-1]
    reads = [fate.reading_s for fate in last.attempts if fate.reading_s is not None]
    return MachineRow(
        machine_id=machine.id,
        name=name,
        memory_gib=size,
        cards=machine.cards,
        price=machine.price,
        is_present=is_at_home(ground.case, machine, None),
        memory=last.memory.verdict if last.memory else None,
        need_bytes=last.memory.need_bytes if last.memory else None,
        limit_bytes=last.memory.limit_bytes if last.memory else None,
        reading_s=max(reads, key=lambda read: read.mid, default=None),
        alone=alone.verdict,
        with_window=last.verdict if len(results) > 1 else None,
        confidence=_confidence(last),
        basis=last.speed_basis,
        note=worlds[0].speed.note if worlds[0].speed else "no measurement tells how fast prompts are read there",
        why_not=tuple(dict.fromkeys(why for fate in alone.attempts if fate.fate != "passes" for why in fate.why)),
    )


def _confidence(result: ScenarioResult) -> Confidence:
    """What does not fit needs no speed: sizes are known well."""
    if result.memory is not None and result.memory.verdict == "does_not_fit":
        return "high"
    return result.confidence or "none"


def _sentence(rows: Sequence[MachineRow], load: IncidentLoad, enough: str | None) -> str:
    alone = [row.name for row in rows if row.alone == "passes"]
    perhaps = [row.name for row in rows if row.alone == "might"]
    told = []
    if alone:
        told.append(f"Would have passed with the settings as they were: {', '.join(alone)}")
    elif perhaps:
        told.append(f"No purchase surely fixes this incident; might: {', '.join(perhaps)}")
    else:
        told.append(f"No purchase fixes this incident by itself{_common(rows)}")
    if load.window_fix_tokens is not None:
        passes = [f"{row.name} ({row.confidence} confidence)" for row in rows if row.with_window == "passes"]
        might = [row.name for row in rows if row.with_window == "might"]
        with_it = [f"passes on {', '.join(passes)}"] if passes else []
        with_it += [f"might on {', '.join(might)}"] if might else []
        told.append(f"With the window at {load.window_fix_tokens:,} as well: {'; '.join(with_it) or 'none either'}")
    if enough is not None:
        told.append(f"Without any purchase it passes with {enough}")
    return ". ".join(told) + "."


def _common(rows: Sequence[MachineRow]) -> str:
    """What holds on every machine."""
    shared = [why for why in (rows[0].why_not if rows else ()) if all(why in row.why_not for row in rows)]
    certain = [why[:1].lower() + why[1:] for why in shared if not why.startswith("undecided")]
    return f": on each of them {', and '.join(certain)}" if certain else ""
