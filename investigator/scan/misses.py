"""Rules that did not fire but came near: how near, and whether it gets nearer from night to night."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LEAST_NIGHTS = 3


@dataclass(frozen=True, slots=True)
class Miss:
    """The nearest that a rule came tonight to its limit: 1 is the limit. `text`: the sum in words."""

    rule: str
    place: str
    model: str
    ratio: float
    text: str


@dataclass(frozen=True, slots=True)
class Warning_:
    """A miss worth a word. per_night: mean relative change of the ratio, None without enough nights; `nights_left`
    until the limit at that pace."""

    miss: Miss
    per_night: float | None
    nights_left: float | None


def warnings(
    tonight: Sequence[Miss], history: Mapping[tuple[str, str, str], Sequence[float]], closest: float
) -> tuple[Warning_, ...]:
    """Misses at `closest` of their limit or more, the nearest first."""
    near = sorted((miss for miss in tonight if closest <= miss.ratio < 1), key=lambda m: (-m.ratio, m.rule, m.place))
    return tuple(_warning(miss, history.get((miss.rule, miss.place, miss.model), ())) for miss in near)


def _warning(miss: Miss, before: Sequence[float]) -> Warning_:
    values = [*before, miss.ratio]
    if len(values) < LEAST_NIGHTS:
        return Warning_(miss, None, None)
    slope = _slope(values)
    mean = sum(values) / len(values)
    left = (1 - miss.ratio) / slope if slope > 0 else None
    return Warning_(miss, slope / mean if mean else None, left)


def _slope(values: Sequence[float]) -> float:
    """Least squares over the nights, per night."""
    middle = (len(values) - 1) / 2
    mean = sum(values) / len(values)
    return sum((n - middle) * (v - mean) for n, v in enumerate(values)) / sum(
        (n - middle) ** 2 for n in range(len(values))
    )
