"""What the rules say in many worlds: a small number per rule, world and attempt, and reasons where there are any.

A search looks at hundreds of worlds of hundreds of attempts with a dozen rules each: as rows these would be millions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast

import numpy as np
import numpy.typing as npt

WorldOutcome: TypeAlias = Literal["fired", "quiet", "not_evaluated", "error", "might"]
Saved: TypeAlias = Literal["yes", "might", "no"]
Codes: TypeAlias = npt.NDArray[np.int8]

#: Place in the list is the code; the first stands for an attempt that the rule has nothing to say of.
OUTCOMES: tuple[str, ...] = ("", "quiet", "might", "not_evaluated", "error", "fired")
NOTHING, QUIET, MIGHT, NOT_EVALUATED, ERROR, FIRED = range(len(OUTCOMES))
_MIGHT_REASON = "inside the interval of the reading speed"


@dataclass(frozen=True, slots=True)
class WorldRow:
    """What one rule says of one attempt in one world; `reason` names what is missing or went wrong."""

    world_id: str
    attempt_id: str
    rule: str
    outcome: WorldOutcome
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What one rule says under some changes. codes: one per attempt. reasons: by place of the attempt."""

    codes: Codes
    reasons: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def everywhere(cls, attempts: int, code: int, reason: str) -> Said:
        """The same of each attempt."""
        return cls(np.full(attempts, code, np.int8), dict.fromkeys(range(attempts), reason))

    @classmethod
    def joined(cls, looks: Sequence[Said]) -> Said:
        """Several looks at the same attempts as one answer: where they disagree it is `might`."""
        codes = np.stack([look.codes for look in looks])
        fired, quiet = (codes == FIRED).any(0), (codes == QUIET).any(0)
        unknown = (codes == NOT_EVALUATED).any(0)
        choices = [unknown, fired & ~quiet, quiet & ~fired, fired & quiet]
        answer = np.select(choices, [NOT_EVALUATED, FIRED, QUIET, MIGHT], NOTHING).astype(np.int8)
        reasons: dict[int, str] = {}
        for look in reversed(looks):
            reasons.update(look.reasons)
        return cls(answer, reasons)

    def reason(self, place: int) -> str | None:
        """Why it is not quiet or fired."""
        return _MIGHT_REASON if self.codes[place] == MIGHT else self.reasons.get(place)


@dataclass(frozen=True, slots=True)
class WorldTable:
    """By world, in the order asked for, and rule. A rule that says nothing of an attempt has no row for it."""

    attempt_ids: tuple[str, ...]
    said: Mapping[str, Mapping[str, Said]]
    _places: dict[str, int] = field(default_factory=dict, repr=False, compare=False)

    @property
    def rows(self) -> tuple[WorldRow, ...]:
        """Rows by world, attempt, rule."""
        return tuple(
            row for world_id in self.said for id_ in sorted(self.attempt_ids) for row in self.of(world_id, id_)
        )

    def of(self, world_id: str, attempt_id: str) -> tuple[WorldRow, ...]:
        """What the rules say of one attempt in one world."""
        place = self._place(attempt_id)
        return () if place is None else tuple(self._rows(world_id, attempt_id, place))

    def saved(self, world_id: str, attempt_id: str) -> Saved:
        """`yes` if every rule that looked at it is quiet, `no` if one fires, else `might`. No rule looked: `might`."""
        place = self._place(attempt_id)
        return "might" if place is None else self.saves(world_id)[place]

    def saves(self, world_id: str) -> list[Saved]:
        """`saved` of every attempt, in the order of `attempt_ids`."""
        looks = [said.codes for said in self.said.get(world_id, {}).values()]
        if not looks:
            return ["might"] * len(self.attempt_ids)
        codes = np.stack(looks)
        fired = (codes == FIRED).any(0)
        calm = (codes <= QUIET).all(0) & (codes == QUIET).any(0)
        return cast("list[Saved]", np.select([fired, calm], ["no", "yes"], "might").tolist())

    def rules(self, world_id: str, outcomes: Sequence[WorldOutcome]) -> frozenset[str]:
        """The rules that say one of these of any attempt in a world."""
        codes = [OUTCOMES.index(outcome) for outcome in outcomes]
        said = self.said.get(world_id, {})
        return frozenset(rule for rule, each in said.items() if np.isin(each.codes, codes).any())

    def with_rules_of(self, other: WorldTable) -> WorldTable:
        """What rules said in another table of the same attempts, added world by world."""
        said = {world_id: {**rules, **other.said.get(world_id, {})} for world_id, rules in self.said.items()}
        return WorldTable(self.attempt_ids, said)

    def _place(self, attempt_id: str) -> int | None:
        if not self._places:
            self._places.update({id_: place for place, id_ in enumerate(self.attempt_ids)})
        return self._places.get(attempt_id)

    def _rows(self, world_id: str, attempt_id: str, place: int) -> Iterator[WorldRow]:
        for rule, said in sorted(self.said.get(world_id, {}).items()):
            code = int(said.codes[place])
            if code != NOTHING:
                outcome = cast("WorldOutcome", OUTCOMES[code])
                yield WorldRow(world_id, attempt_id, rule, outcome, said.reason(place))
