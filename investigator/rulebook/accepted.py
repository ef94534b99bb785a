"""Mutants that a rule lists as beyond its row tests (`accepted_mutants`), matched with those that survived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from investigator.rulebook.model import Rule
from investigator.rulebook.yamlpos import Path


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mistake that no test noticed: `change` in `line` of the rule's file, which is part of `at`."""

    line: int
    at: str
    change: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """Survivors without and with a reason, and the paths of entries that no survivor fits (any more)."""

    unexplained: tuple[Survivor, ...]
    accepted: tuple[Survivor, ...]
    stale: tuple[Path, ...]


def settle(rule: Rule, survivors: Sequence[Survivor]) -> Settled:
    """Each change that is listed accepts one survivor: of two equal ones, both must be listed."""
    left, accepted, stale = list(survivors), [], []
    for number, entry in enumerate(rule.accepted_mutants):
        for place, change in enumerate(entry.changes):
            wanted = entry.at, " ".join(change.split())
            found = next((each for each in left if (each.at, each.change) == wanted), None)
            if found is None:
                stale.append(("accepted_mutants", number, "changes", place))
            else:
                left.remove(found)
                accepted.append(Survivor(found.line, found.at, found.change, entry.reason))
    return Settled(tuple(left), tuple(accepted), tuple(stale))


def place_of(rule: Rule, path: Path) -> str:
    """`at` of a mutant: match, verdict, merge, steps.NAME or params.NAME."""
    if path[0] == "steps" and isinstance(path[1], int):
        return f"steps.{rule.steps[path[1]].name}"
    return f"params.{path[1]}" if path[0] == "params" else str(path[0])
