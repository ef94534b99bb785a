"""What became of every line of a case: the account that `investigator coverage` prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from investigator.casefile.case import Case
from investigator.casefile.frames import read_frame

Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """Lines not understood that look alike, and the first of them."""

    shape: str
    lines: int
    first_line: int
    sample: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """One source. lines = facts + sum(noise) + foreign + unrecognised; `complete`: read to its end."""

    path: str
    format: str
    lines: int
    facts: int
    noise: tuple[tuple[str, int], ...]
    foreign: int
    unrecognised: int
    complete: bool
    shapes: tuple[Shape, ...]


def coverage(case: Case, shapes: int = 10) -> tuple[Coverage, ...]:
    """The account of every source, by path; at most `shapes` shapes of lines not understood are listed of each."""
    noise = _by_source(case, "FROM meta.noise ORDER BY lines DESC, kind")
    unknown = _by_source(case, "FROM meta.unrecognised ORDER BY lines DESC, shape")
    return tuple(
        Coverage(
            path=row["path"],
            format=row["format"],
            lines=row["lines"],
            facts=row["fact_lines"],
            noise=tuple((each["kind"], each["lines"]) for each in noise.get(row["source_id"], ())),
            foreign=row["foreign_lines"],
            unrecognised=row["unrecognised_lines"],
            complete=row["complete"],
            shapes=tuple(_shape(each) for each in unknown.get(row["source_id"], ())[:shapes]),
        )
        for row in read_frame(case.connection, "FROM meta.sources ORDER BY path").to_dicts()
    )


def _shape(row: Row) -> Shape:
    return Shape(row["shape"], row["lines"], row["first_line"], row["sample"])


def _by_source(case: Case, sql: str) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in read_frame(case.connection, sql).to_dicts():
        found.setdefault(row["source_id"], []).append(row)
    return found
