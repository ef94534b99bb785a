"""How fast a machine reads a model's prompts, from the best evidence there is, and how far it can be trusted.

In this order: the case's own fit, published measurements of this model on this machine, the same model on another
machine moved by models that were measured on both, or by the vendor's peak figures, and other models on this machine
moved by the parameters used for a token. Each step widens the interval; where there is none of these, nothing is said.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Literal, TypeAlias

from investigator.capacity import (
    Break,
    Interval,
    PrefillFit,
    PrefillPoint,
    ScaledPrefill,
    as_interval,
    fit_prefill,
    prefill_interval_s,
    prefill_s,
    scale_prefill,
)
from investigator.capacity.scale import C_SPREAD, R0_SPREAD, spread
from investigator.catalog import Benchmark, Machine, ModelSpec, find_model
from investigator.diagnosis.model import Confidence

Basis: TypeAlias = Literal["case", "benchmark", "scaled", "peak", "other_models"]

#: The same model on the same machine with another build or quantisation: half a year of Metal work moved it by 19 %.
BUILD_SPREAD = 1.2
#: A vendor's peak figure is no throughput that anybody reached: so much more spread than models measured on both.
PEAK_SPREAD = 1.5
#: Time per token x active parameters differs this much between models of one kind on one machine.
MODEL_SPREAD = 2.0
_MODEL_C_SPREAD = 6.0
#: Two standard deviations of the law's own error per doubling of the depth, growing faster than in proportion.
_LAW_ERROR = 0.1
_CONFIDENCE: Mapping[Basis, Confidence] = {
    "case": "high",
    "benchmark": "high",
    "scaled": "medium",
    "peak": "low",
    "other_models": "low",
}


@dataclass(frozen=True, slots=True)
class ReadingSpeed:
    """Constants of the prefill law with bounds. `deepest_tokens`: how deep they were measured; None when moved.

    `fits`: the published sets behind it, whose own intervals then hold, joined with what another build may change:
    two errors that have nothing to do with each other, so they are added as squares.
    """

    r0_tps: Interval
    c: Interval
    basis: Basis
    note: str
    fits: tuple[PrefillFit, ...] = ()
    sources: tuple[str, ...] = ()
    fitted_to_tokens: int | None = None
    break_at: Break | None = None

    @property
    def deepest_tokens(self) -> int | None:
        return max((fit.deepest_tokens for fit in self.fits), default=self.fitted_to_tokens)

    def confidence(self, depth_tokens: float) -> Confidence:
        """High only where this model was measured on this machine, to at least half of that depth."""
        found = _CONFIDENCE[self.basis]
        deepest = self.deepest_tokens
        return "medium" if found == "high" and deepest is not None and depth_tokens > 2 * deepest else found

    def predict(self, new_tokens: float, cached_tokens: float = 0.0) -> Interval:
        """Seconds to read `new_tokens` behind `cached_tokens`."""
        if new_tokens <= 0:
            return Interval.exact(0.0, "estimated")
        inside = prefill_interval_s(new_tokens, cached_tokens, self.r0_tps, self.c)
        if not self.fits:
            widen = self._beyond(new_tokens + cached_tokens)
            told = Interval(inside.low / widen, inside.mid, inside.high * widen, "estimated")
            return told if self.break_at is None else self.break_at.beyond(told, new_tokens + cached_tokens)
        each = [fit.predict(new_tokens, cached_tokens) for fit in self.fits]
        extra = BUILD_SPREAD - 1 if self.basis == "benchmark" else 0.0
        low = min(e.mid / (1 + math.hypot(e.mid / e.low - 1, extra)) for e in each)
        high = max(e.mid * (1 + math.hypot(e.high / e.mid - 1, extra)) for e in each)
        return Interval(min(low, inside.mid), inside.mid, max(high, inside.mid), "estimated")

    def _beyond(self, depth_tokens: float) -> float:
        """Factor for depths at which a fit of the case is untested: its own width holds to twice the fitted depth."""
        if self.fitted_to_tokens is None:
            return 1.0
        doublings = math.log2(max(depth_tokens / (2 * self.fitted_to_tokens), 1.0))
        return 1 + _LAW_ERROR * float(doublings**1.5)

    def constants(self, new_tokens: float, cached_tokens: float = 0.0) -> tuple[Interval, Interval]:
        """(r0, c) whose bounds give the bounds of `predict` for this read."""
        if new_tokens <= 0 or not (self.fits or self.fitted_to_tokens):
            return self.r0_tps, self.c
        told, r0, c = self.predict(new_tokens, cached_tokens), self.r0_tps.mid, self.c.mid
        law_s = float(prefill_s(new_tokens, cached_tokens, r0, c))
        fast, slow = law_s / told.low, told.high / law_s
        return Interval(r0 / slow, r0, r0 * fast), Interval(c / fast, c, c * slow)


@dataclass(frozen=True, slots=True)
class Measured:
    """A model's constants on a machine: from the case or from published measurements."""

    machine: Machine
    speed: ReadingSpeed


def case_speed(
    r0_tps: float,
    c: float,
    relative_spread: float | None,
    note: str,
    fitted_to_tokens: int | None = None,
    break_at: Break | None = None,
) -> ReadingSpeed:
    """The case's own fit with its relative half-width, and the depth from which it no longer holds."""
    note = note if break_at is None else f"{note}; {break_at.say}"
    widen = 1 + (relative_spread or 0.0)
    return ReadingSpeed(
        Interval.around(r0_tps, widen),
        Interval.around(c, widen),
        "case",
        note,
        fitted_to_tokens=fitted_to_tokens,
        break_at=break_at,
    )


class Speeds:
    """Reading speeds from a set of published measurements, and from the case's own machine where there is one."""

    def __init__(
        self, benchmarks: Sequence[Benchmark], machines: Sequence[Machine], models: Sequence[ModelSpec]
    ) -> None:
        self._machines = {machine.id: machine for machine in machines}
        self._models: dict[str, ModelSpec | None] = {}
        self._known_rates: dict[str, dict[tuple[str, str, int], float]] = {}
        self._rows: dict[tuple[str, str], list[Benchmark]] = defaultdict(list)
        for row in benchmarks:
            if row.kind == "prefill" and row.prompt_tokens:
                self._rows[row.machine_id, row.model].append(row)
                if row.model not in self._models:
                    self._models[row.model] = find_model(row.model, models)

    def of(self, machine: Machine, model: ModelSpec | None, own: Measured | None = None) -> ReadingSpeed | None:
        """The best known speed of `model` on `machine`; None when nothing is known.

        `own`: this model as the case measured it on its machine; model None: known to the case only.
        """
        if own is not None and own.machine.id == machine.id:
            return own.speed
        direct = self._measured(machine, model)
        if direct is not None:
            return direct
        sources = [*([own] if own else []), *self._elsewhere(model)]
        found = next((speed for each in sources if (speed := self._scaled(machine, each)) is not None), None)
        found = found or self._by_peak(machine, sources)
        return found or (self._from_other_models(machine, model) if model else None)

    def _measured(self, machine: Machine, model: ModelSpec | None) -> ReadingSpeed | None:
        rows = [
            row
            for (machine_id, name), each in self._rows.items()
            if machine_id == measured_as(machine) and self._is(name, model)
            for row in each
        ]
        fits = _best_fits(rows)
        if not fits:
            return None
        deepest = max(fit.deepest_tokens for fit in fits)
        r0, c = _middle([fit.r0_tps for fit in fits]), _middle([fit.c for fit in fits])
        note = f"this model was measured there to {deepest:,} tokens"
        return ReadingSpeed(
            Interval.around(r0, BUILD_SPREAD),
            Interval.around(c, BUILD_SPREAD),
            "benchmark",
            note,
            fits,
            tuple(dict.fromkeys(row.source for row in rows)),
        )

    def _is(self, name: str, model: ModelSpec | None) -> bool:
        return model is not None and self._models[name] == model

    def _elsewhere(self, model: ModelSpec | None) -> list[Measured]:
        """This model on the machines where it was measured, those with the deepest measurement first."""
        found = []
        for machine_id in sorted({machine_id for machine_id, name in self._rows if self._is(name, model)}):
            machine = self._machines.get(machine_id)
            speed = self._measured(machine, model) if machine else None
            if machine and speed and all(fit.basis == "fit" for fit in speed.fits):
                found.append(Measured(machine, speed))
        return sorted(found, key=lambda each: -(each.speed.deepest_tokens or 0))

    def _scaled(self, machine: Machine, source: Measured) -> ReadingSpeed | None:
        """Moved by the models that were measured on both machines."""
        ratio = self._ratio(source.machine.id, measured_as(machine))
        if ratio is None:
            return None
        moved = scale_prefill(source.speed.r0_tps, source.speed.c, ratio)
        note = f"moved from {source.machine.name} by models measured on both ({ratio:.2f} times as fast)"
        return ReadingSpeed(moved.r0_tps, moved.c, "scaled", note, (), source.speed.sources)

    def _by_peak(self, machine: Machine, sources: Sequence[Measured]) -> ReadingSpeed | None:
        """Moved by a vendor's peak figures, from the nearest machine of that vendor that was measured.

        One that this model was measured on comes before one that is itself reached by other models.
        """
        options = []
        for rank, source in enumerate(sources):
            for other in self._machines.values():
                ratio = 1.0 if other.id == source.machine.id else self._ratio(source.machine.id, other.id)
                peak = _peak_ratio(other, machine)
                if ratio is not None and peak is not None:
                    step = other.id != source.machine.id
                    options.append(((step, abs(math.log(peak)), rank, other.id), ratio * peak, source, other))
        if not options:
            return None
        (step, *_), ratio, source, other = min(options, key=lambda each: each[0])
        moved = scale_prefill(source.speed.r0_tps, source.speed.c, ratio)
        way = f"{source.machine.name} over {other.name}" if step else other.name
        note = f"moved from {way} by the vendor's peak figures"
        widened = ScaledPrefill(spread(moved.r0_tps, PEAK_SPREAD), spread(moved.c, PEAK_SPREAD))
        return ReadingSpeed(widened.r0_tps, widened.c, "peak", note, (), source.speed.sources)

    def _ratio(self, one: str, other: str) -> float | None:
        """How many times as fast `other` read the models measured on both; None if there is none."""
        mine, its = (self._rates(machine_id) for machine_id in (one, other))
        shared = [its[key] / mine[key] for key in sorted(mine.keys() & its.keys())]
        return _middle(shared) if shared and one != other else None

    def _rates(self, machine_id: str) -> dict[tuple[str, str, int], float]:
        """Shallow rates by model, quantisation and prompt size: those of one size can be compared."""
        if machine_id in self._known_rates:
            return self._known_rates[machine_id]
        found: dict[tuple[str, str, int], float] = {}
        for row in chain.from_iterable(rows for (id_, _), rows in self._rows.items() if id_ == machine_id):
            key = (row.model, row.quant, row.prompt_tokens or 0)
            if row.depth_tokens == 0 and key[2] >= 1024:
                found[key] = max(found.get(key, 0.0), row.tps)
        self._known_rates[machine_id] = found
        return found

    def _from_other_models(self, machine: Machine, model: ModelSpec) -> ReadingSpeed | None:
        """Models of the same kind on this machine: time per token follows the parameters that are used for it."""
        r0s, cs, names = [], [], []
        for (machine_id, name), rows in sorted(self._rows.items()):
            other = self._models[name]
            if machine_id != measured_as(machine) or other is None or other.is_mixture != model.is_mixture:
                continue
            for fit in _best_fits(rows):
                r0s.append(fit.r0_tps * other.active_parameters / model.active_parameters)
                cs.append(fit.c)
                names.append(name)
        if not r0s:
            return None
        note = f"from other models measured there ({', '.join(dict.fromkeys(names))}) by parameters used for a token"
        r0 = spread(as_interval(_middle(r0s)), MODEL_SPREAD)
        return ReadingSpeed(r0, spread(as_interval(_middle(cs)), _MODEL_C_SPREAD), "other_models", note)


def measured_as(machine: Machine) -> str:
    """The machine whose measurements stand for it: cards that share layers read no faster than one of them."""
    return machine.card or machine.id


def _best_fits(rows: Iterable[Benchmark]) -> tuple[PrefillFit, ...]:
    """One fit per engine; left out are those that saw one depth, or went half as deep, where others saw more."""
    engines: dict[tuple[str, str], list[PrefillPoint]] = defaultdict(list)
    for row in rows:
        tokens = row.prompt_tokens or 0
        engines[row.quant, row.engine].append(PrefillPoint(tokens, row.depth_tokens, tokens / row.tps))
    return _fits(tuple(tuple(points) for _, points in sorted(engines.items())))


@cache
def _fits(engines: tuple[tuple[PrefillPoint, ...], ...]) -> tuple[PrefillFit, ...]:
    fits = [fit for points in engines if (fit := fit_prefill(points)) is not None]
    told = [fit for fit in fits if fit.basis == "fit"] or fits
    deepest = max((fit.deepest_tokens for fit in told), default=0)
    # The law is tested to twice the fitted depth: a shallow sweep adds nothing but width to a deep one.
    return tuple(fit for fit in told if 2 * fit.deepest_tokens >= deepest)


def _middle(values: Sequence[float]) -> float:
    """Geometric mean; the plain mean where one is 0."""
    if min(values) <= 0:
        return sum(values) / len(values)
    return math.exp(sum(map(math.log, values)) / len(values))


def _peak_ratio(source: Machine, target: Machine) -> float | None:
    """Of the same figure of the same vendor."""
    if source.id == target.id or source.id.split("-")[0] != _vendor(target):
        return None
    mine, its = dict(source.compute), dict(target.compute)
    shared = sorted(mine.keys() & its.keys())
    return its[shared[0]] / mine[shared[0]] if shared else None


def _vendor(machine: Machine) -> str:
    return measured_as(machine).split("-")[0]


def read_s(speed: ReadingSpeed, new_tokens: float, cached_tokens: float = 0.0) -> float:
    """Middle estimate in seconds."""
    return float(prefill_s(new_tokens, cached_tokens, speed.r0_tps.mid, speed.c.mid))


__all__ = [
    "BUILD_SPREAD",
    "C_SPREAD",
    "R0_SPREAD",
    "Basis",
    "Confidence",
    "Measured",
    "ReadingSpeed",
    "Speeds",
    "case_speed",
    "measured_as",
    "read_s",
]
