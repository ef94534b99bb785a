"""Tonight's speed and errors against the last nights, per server and model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

Kind = Literal["prefill_tps", "decode_tps", "load_s", "failed_share"]

#: Measures that are worse when they are larger.
_LARGER_IS_WORSE = frozenset({"load_s", "failed_share"})
#: A share of failures below this is not worth a word.
_SHARE_FLOOR = 0.02
#: Nights that a baseline needs, and samples that a night's measure needs.
LEAST_NIGHTS, LEAST_SAMPLES = 3, 5
#: How many median absolute deviations a measure must be off, besides the share that the configuration asks for.
_DEVIATIONS = 3.0


@dataclass(frozen=True, slots=True)
class Measure:
    """A night's median of one kind for one (place, model); `samples` requests went into it."""

    place: str
    model: str
    kind: Kind
    value: float
    samples: int


@dataclass(frozen=True, slots=True)
class Drop:
    """A measure that got worse. usual: median of the last nights; change: relative, positive is worse."""

    measure: Measure
    usual: float
    nights: int
    change: float


def drops(
    tonight: Sequence[Measure], history: Mapping[tuple[str, str, Kind], Sequence[float]], worse_by: float
) -> tuple[Drop, ...]:
    """Measures worse than usual by more than `worse_by` and by more than their usual spread, worst first."""
    found = [
        drop
        for measure in tonight
        if measure.samples >= LEAST_SAMPLES
        and (drop := _drop(measure, history.get((measure.place, measure.model, measure.kind), ()), worse_by))
    ]
    return tuple(sorted(found, key=lambda d: (-d.change, d.measure.place, d.measure.model, d.measure.kind)))


def _drop(measure: Measure, before: Sequence[float], worse_by: float) -> Drop | None:
    if len(before) < LEAST_NIGHTS:
        return None
    usual = median(before)
    spread = median(abs(value - usual) for value in before)
    sign = 1 if measure.kind in _LARGER_IS_WORSE else -1
    off = sign * (measure.value - usual)
    floor = _SHARE_FLOOR if measure.kind == "failed_share" else usual
    change = off / max(floor, usual) if max(floor, usual) > 0 else 0.0
    if change <= worse_by or off <= _DEVIATIONS * spread:
        return None
    return Drop(measure, usual, len(before), change)
