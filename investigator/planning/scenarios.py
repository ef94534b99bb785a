"""Changes that a user asks about, as worlds over the attempts of an incident."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Literal, TypeAlias

from investigator.capacity.units import format_duration
from investigator.catalog import Machine, ModelSpec
from investigator.errors import UsageProblem
from investigator.planning.catalogue import Catalogue
from investigator.planning.fit import Plan
from investigator.planning.measured import CaseFacts, CaseModel
from investigator.planning.needs import Budget, ModelNeeds, budget_of, needs_of
from investigator.planning.speed import ReadingSpeed, Speeds

PartKind: TypeAlias = Literal["timeout", "num_ctx", "kv_type", "parallel", "machine", "model", "prefix_cached"]

#: More combinations than this are no table any more.
MOST_SCENARIOS = 60
#: A log prints a little less than the nominal size.
_SAME_MEMORY = 0.05


@dataclass(frozen=True, slots=True)
class Part:
    """One change. `value`: a number, a cache type, a machine with its memory in GiB, a model; for `prefix_cached`
    the tokens that are in the cache, or None for all but the last."""

    kind: PartKind
    value: float | int | str | tuple[Machine, float | None] | ModelSpec | None
    say: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """A world: levers as SQL. With `speed` another machine or model reads; None in it: nobody knows how fast.

    `needs`, `budget`: what must fit where, None where it is not known; `checks_memory`: the change touches it.
    """

    say: str
    parts: tuple[Part, ...]
    levers: Mapping[str, str]
    moved: bool = False
    speed: ReadingSpeed | None = None
    needs: ModelNeeds | None = None
    budget: Budget | None = None
    checks_memory: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """What scenarios are made from: the case's model and machine, and the catalogue."""

    catalogue: Catalogue
    case: CaseFacts
    model: CaseModel | None
    speeds: Speeds = field(init=False)

    def __post_init__(self) -> None:
        known = self.catalogue
        object.__setattr__(self, "speeds", Speeds(known.benchmarks, known.machines, known.models))


@dataclass(frozen=True, slots=True)
class Asked:
    """Values to try, by kind. `cached_tokens`: None in it means all of the prompt but its last token."""

    timeouts_s: tuple[float, ...] = ()
    windows_tokens: tuple[int, ...] = ()
    kv_types: tuple[str, ...] = ()
    slots: tuple[int, ...] = ()
    machines: tuple[str, ...] = ()
    memory_gib: float | None = None
    models: tuple[str, ...] = ()
    cached_tokens: tuple[int | None, ...] = ()


def parts(catalogue: Catalogue, asked: Asked) -> tuple[tuple[Part, ...], ...]:
    """What was asked, by kind; kinds without a value are left out. UsageProblem for a name that is not known."""
    for kv_type in asked.kv_types:
        Plan(kv_type)
    found_machines = [catalogue.machine(name, asked.memory_gib) for name in asked.machines]
    groups: tuple[tuple[Part, ...], ...] = (
        tuple(Part("timeout", t, f"limit {format_duration(t)}") for t in asked.timeouts_s),
        tuple(Part("num_ctx", w, f"window {w:,}") for w in asked.windows_tokens),
        tuple(Part("kv_type", k, f"KV {k}") for k in asked.kv_types),
        tuple(Part("parallel", n, f"{n} slot(s)") for n in asked.slots),
        tuple(Part("machine", (m, asked.memory_gib), f"on {m.name}") for m in found_machines),
        tuple(Part("model", m, f"model {m.id}") for m in map(catalogue.model, asked.models)),
        tuple(Part("prefix_cached", n, _cached_words(n)) for n in asked.cached_tokens),
    )
    return tuple(group for group in groups if group)


def scenarios(groups: Sequence[Sequence[Part]], ground: Ground) -> tuple[Scenario, ...]:
    """Each change alone, then all kinds together. UsageProblem when that makes too many."""
    alone = [(part,) for group in groups for part in group]
    together = list(product(*groups)) if len(groups) > 1 else []
    if len(alone) + len(together) > MOST_SCENARIOS:
        raise UsageProblem(
            f"these are {len(alone) + len(together)} combinations", hint=f"ask for at most {MOST_SCENARIOS} at once"
        )
    return tuple(scenario(each, ground) for each in (*alone, *together))


def scenario(chosen: Sequence[Part], ground: Ground) -> Scenario:
    """The world of these changes."""
    by_kind = {part.kind: part for part in chosen}
    model = by_kind["model"].value if "model" in by_kind else None
    spec = model if isinstance(model, ModelSpec) else None
    placed = by_kind["machine"].value if "machine" in by_kind else None
    machine, memory_gib = placed if isinstance(placed, tuple) else (None, None)
    moved = spec is not None or machine is not None
    speed = _speed(ground, spec, machine) if moved else None
    return Scenario(
        say=" and ".join(part.say for part in chosen),
        parts=tuple(chosen),
        levers=dict(_levers(by_kind, ground, spec)),
        moved=moved,
        speed=speed,
        needs=needs_of(spec) if spec else ground.model.needs() if ground.model else None,
        budget=_budget(ground, machine, memory_gib),
        checks_memory=moved or bool(by_kind.keys() & {"num_ctx", "parallel", "kv_type"}),
        notes=tuple(_notes(spec, speed, moved)),
    )


def _budget(ground: Ground, machine: Machine | None, memory_gib: float | None) -> Budget | None:
    """What the logs say of their own machine; of another, or of it with other memory, what the catalogue says."""
    logged = ground.model.budget() if ground.model else None
    if machine is None or (logged is not None and is_at_home(ground.case, machine, memory_gib)):
        return logged
    return budget_of(machine, memory_gib)


def is_at_home(case: CaseFacts, machine: Machine, memory_gib: float | None) -> bool:
    """Whether this is the machine of the logs, with the memory that it has there."""
    if case.machine is None or case.machine.id != machine.id:
        return False
    return memory_gib is None or case.memory_gib is None or abs(memory_gib / case.memory_gib - 1) < _SAME_MEMORY


def _speed(ground: Ground, spec: ModelSpec | None, machine: Machine | None) -> ReadingSpeed | None:
    target = machine or ground.case.machine
    if target is None:
        return None
    own = ground.case.own(ground.model) if ground.model and spec is None else None
    known = spec or (ground.model.spec if ground.model else None)
    return ground.speeds.of(target, known, own)


def _levers(by_kind: Mapping[PartKind, Part], ground: Ground, spec: ModelSpec | None) -> Iterator[tuple[str, str]]:
    window = "window_tokens"
    if "num_ctx" in by_kind:
        window = f"least({by_kind['num_ctx'].value}, coalesce(native_window_tokens, {by_kind['num_ctx'].value}))"
    if spec is not None:
        asked = by_kind["num_ctx"].value if "num_ctx" in by_kind else "window_tokens"
        window = f"least({asked}, {spec.native_window_tokens})"
    if window != "window_tokens":
        yield "window_tokens", window
    if "timeout" in by_kind:
        yield "timeout_s", repr(by_kind["timeout"].value)
    if "kv_type" in by_kind:
        yield "kv_type", f"'{by_kind['kv_type'].value}'"
    if "parallel" in by_kind:
        yield "slots", repr(by_kind["parallel"].value)
    if "prefix_cached" in by_kind:
        # Levers see the attempts as they were: what is read in this world is asked, cut to its window.
        read = f"coalesce(least(asked_tokens, {window}), read_tokens)"
        most, tokens = f"greatest({read} - 1, 0)", by_kind["prefix_cached"].value
        yield "cached_tokens", most if tokens is None else f"least({tokens}, {most})"
    elif by_kind.keys() & {"machine", "model"}:
        # Another machine starts with an empty cache: only a retry finds what the try before it left.
        yield "cached_tokens", "CASE WHEN try_no > 1 THEN cached_tokens ELSE 0 END"


def _notes(spec: ModelSpec | None, speed: ReadingSpeed | None, moved: bool) -> Iterator[str]:
    if spec is not None:
        yield "another model counts the same text in another number of tokens, and answers another way"
    if moved and speed is None:
        yield "no measurement tells how fast prompts are read there"
    elif speed is not None:
        yield f"reading speed: {speed.note}"


def _cached_words(tokens: int | None) -> str:
    return "whole prefix cached" if tokens is None else f"{tokens:,} tokens cached"
