"""The smallest value of a change that is enough: hundreds of worlds of the hardest attempts, narrowed a few times."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from investigator.diagnosis.incidents import Row
from investigator.diagnosis.levers import Candidate

#: A search looks at the hardest attempts only, about as many as this; what it finds is replayed with all.
SEARCH_ATTEMPTS = 200

#: A search looks at this many values at once and narrows this many times: 14,400 s to 4 s.
SEARCH_STEPS = 7
SEARCH_ROUNDS = 4

Fate = Literal["saved", "might", "lost"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One candidate with its SQL value."""

    candidate: Candidate
    expr: str


class Search:
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


def hardest(attempts: Sequence[Row]) -> list[Row]:
    """The attempts of those pieces of work that ask for most, in the given order; all where there are few."""
    if len(attempts) <= SEARCH_ATTEMPTS:
        return list(attempts)
    works: dict[str, list[Row]] = {}
    for row in attempts:
        works.setdefault(str(row["work_id"] or row["call_id"]), []).append(row)
    hardness = {work: max(_asks(row) for row in rows) for work, rows in works.items()}
    chosen: set[str] = set()
    count = 0
    for work in sorted(works, key=lambda work: (hardness[work], work), reverse=True):
        if count >= SEARCH_ATTEMPTS:
            break
        chosen.add(work)
        count += len(works[work])
    return [row for row in attempts if str(row["work_id"] or row["call_id"]) in chosen]


def _asks(row: Row) -> tuple[float, float]:
    """How hard an attempt is to save: its tokens, then how little time it had."""
    limit = row["timeout_s"]
    return _number(row["asked_tokens"] or row["read_tokens"] or 0), -_number(math.inf if limit is None else limit)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
