"""The same load on the machines one might buy: would it have passed, at what list price, and how sure is that."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files

import duckdb

from investigator.capacity import Verdict
from investigator.capacity.units import format_duration
from investigator.catalog import Machine, Price
from investigator.diagnosis.model import Confidence, MachineRow, MachineTable
from investigator.errors import UsageProblem
from investigator.planning.catalogue import Catalogue
from investigator.planning.incidents import IncidentLoad
from investigator.planning.needs import memory_size_gib
from investigator.planning.replay import ScenarioResult, replay
from investigator.planning.scenarios import Ground, Part, Scenario, is_at_home, scenario
from investigator.rulebook.pack import RuleSet
from investigator.yamltext import load as load_yaml

#: A limit is set so much above the expected time (formulas: 1.3 within twice the fitted depth).
_SAFETY = 1.3
_RANKS: tuple[Verdict, ...] = ("passes", "might", "fails")
_SURE: tuple[Confidence, ...] = ("high", "medium", "low", "none")
_NO_MATTER_OF_SPEED = (
    "Another machine is not known to help: by the speed and the memory of this one the calls would have passed."
)
#: More names than this are told by their number.
_MOST_NAMES = 3


@cache
def _of_interest() -> tuple[tuple[str, str], ...]:
    text = files(__package__).joinpath("interest.yaml").read_text(encoding="utf-8")
    return tuple((row["id"], row["as"]) for row in load_yaml(text))


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
    at_home = [] if load.enough else _settings(load, ground)
    today, *results = replay(con, rules, load.attempts, [scenario([], ground), *worlds, *at_home], all_reasons=False)
    if today.verdict == "passes":
        return MachineTable(load.incident_id, _NO_MATTER_OF_SPEED, (), None, None, ())
    rows = [
        _row(place, ground, worlds[n * step : (n + 1) * step], results[n * step : (n + 1) * step])
        for n, place in enumerate(places)
    ]
    rows.sort(key=_order)
    replayed = (result.say for result in results[len(worlds) :] if result.verdict == "passes")
    enough = load.enough or next(replayed, None)
    return MachineTable(
        incident_id=load.incident_id,
        sentence=f"{_alone(rows, load)}.",
        remarks=tuple(f"{remark}." for remark in _remarks(rows, load, enough)),
        window_tokens=load.window_fix_tokens,
        timeout_s=max((float(row["timeout_s"]) for row in load.attempts if row["timeout_s"] is not None), default=None),
        rows=tuple(rows),
    )


def _order(row: MachineRow) -> tuple[bool, int, int]:
    """The machine of the logs as a measure, then what would help most, and that is known best; else as listed."""
    helps = _RANKS.index(row.with_window or row.alone)
    return not row.is_present, helps, _SURE.index(row.confidence)


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
    """Of the machine of the logs, what it has there; else the size that has a price, else the largest sold."""
    if ground.case.memory_gib is not None and is_at_home(ground.case, machine, None):
        return ground.case.memory_gib
    if machine.price is not None and machine.price.memory_gib is not None:
        return machine.price.memory_gib
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
        price=_price(machine, size),
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


def _price(machine: Machine, size_gib: float) -> Price | None:
    """Only of the size meant: another one costs something else."""
    price = machine.price
    return None if price is not None and price.memory_gib not in (None, size_gib) else price


def _confidence(result: ScenarioResult) -> Confidence:
    """What does not fit needs no speed: sizes are known well."""
    if result.memory is not None and result.memory.verdict == "does_not_fit":
        return "high"
    return result.confidence or "none"


def _remarks(rows: Sequence[MachineRow], load: IncidentLoad, enough: str | None) -> Iterator[str]:
    if load.window_fix_tokens is not None:
        yield _with_window(rows, load.window_fix_tokens)
    if enough is not None:
        yield f"Without any purchase it passes with {enough}"


def _alone(rows: Sequence[MachineRow], load: IncidentLoad) -> str:
    bought = [row for row in rows if not row.is_present]
    passes, might = ([row for row in bought if row.alone == chance] for chance in ("passes", "might"))
    if passes:
        return f"Would have passed with the settings as they were: {_names(passes)}"
    if might:
        return f"No purchase surely fixes this incident; it might pass on {_names(might)}"
    return f"No purchase fixes this incident by itself{_common(bought, load)}"


def _with_window(rows: Sequence[MachineRow], window_tokens: int) -> str:
    bought = [row for row in rows if not row.is_present]
    passes, might = ([row for row in bought if row.with_window == chance] for chance in ("passes", "might"))
    told = [f"it would have passed on {_names(passes)}"] if passes else []
    if might:
        told.append(f"and might on {_others(len(might))}" if passes else f"it might pass on {_names(might)}")
    return f"With the window at {window_tokens:,} as well {' '.join(told) or 'none would have passed either'}"


def _names(rows: Sequence[MachineRow]) -> str:
    """`DGX Spark (medium confidence) and 8 others`."""
    named = [f"{row.name} ({row.confidence} confidence)" for row in rows[:_MOST_NAMES]]
    more = len(rows) - len(named)
    named += [_others(more)] if more else []
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


def _others(count: int) -> str:
    return "1 other" if count == 1 else f"{count} others"


def _common(rows: Sequence[MachineRow], load: IncidentLoad) -> str:
    """What holds on every machine: the incident's own causes first."""
    shared = [why for why in (rows[0].why_not if rows else ()) if all(why in row.why_not for row in rows)]
    certain = [why for why in shared if not why.startswith("undecided")]
    chosen = [why for why in load.causes if why in certain] or certain[:1]
    said = "; and ".join(why[:1].lower() + why[1:] for why in chosen)
    return f": on each of them {said}" if said else ""
