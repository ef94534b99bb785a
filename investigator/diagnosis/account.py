"""The account that ends a report: inputs by hash, what could not be used, what had to be assumed or stayed unpaired."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from investigator.casefile.case import Case
from investigator.diagnosis.incidents import Row
from investigator.diagnosis.model import Assumption, InputLine, InputProblem
from investigator.diagnosis.queries import query
from investigator.rulebook.pack import RuleSet

#: Commonest shapes of lines not understood that are shown per source.
SHAPES = 10


def input_lines(case: Case) -> tuple[InputLine, ...]:
    """Every source that was read, by path."""
    rows = case.connection.execute("FROM coverage ORDER BY source").fetchall()
    shapes = _shapes(case)
    found = []
    for path, format_, sha256, size_bytes, lines, facts, noise, foreign, unrecognised in rows:
        counts = (size_bytes, lines, facts, noise, foreign, unrecognised)
        found.append(InputLine(path, format_, sha256 or "", *counts, shapes=tuple(shapes.get(path, ())[:SHAPES])))
    return tuple(found)


def _shapes(case: Case) -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {}
    for path, shape, count in case.connection.execute(query("unrecognised_shapes")).fetchall():
        found.setdefault(path, []).append((shape, count))
    return found


def input_problems(case: Case, rules: RuleSet) -> tuple[tuple[InputProblem, ...], tuple[InputProblem, ...]]:
    """(what makes the result incomplete, what is only worth a note)."""
    rows = case.connection.execute("FROM meta.problems ORDER BY path, kind, message").fetchall()
    serious = [InputProblem(path, kind, message) for path, kind, message, harmless in rows if not harmless]
    notes = [InputProblem(path, kind, message) for path, kind, message, harmless in rows if harmless]
    serious += [InputProblem(p.path or "rules", "rule", p.message) for p in rules.problems]
    return tuple(serious), tuple(notes)


_NO_ZONE, _NO_YEAR = "these lines print no time zone", "these lines print no year"
#: Basis of a stream's times → what is taken for them, and why.
_TIMES = {
    "zone_of_transport": ("in the time zone of the journal or container log around them", _NO_ZONE),
    "zone_of_neighbours": ("in the time zone that other lines of the same log print", _NO_ZONE),
    "zone_given": ("in the time zone that was given", _NO_ZONE),
    "zone_of_other_logs": ("in the time zone of the other logs", _NO_ZONE),
    "year_of_neighbours": ("in the year of the nearest lines with a date", _NO_YEAR),
    "year_of_file": ("in the year in which the file was last written", _NO_YEAR),
    "boot_of_neighbours": ("counted from the start of the machine that other lines date", "these lines print no date"),
    "relative": ("seconds since the log began", "these lines print no time of day"),
    "unknown": ("as if they were UTC; the time between them holds", "nothing tells their time zone"),
}


def assumptions(case: Case) -> tuple[Assumption, ...]:
    """Zones, clock offsets and anchors that were assumed, each with its basis."""
    found = []
    for stream, basis in case.connection.execute(query("time_bases")).fetchall():
        taken, because = _TIMES.get(basis, (str(basis).replace("_", " "), _NO_ZONE))
        found.append(Assumption(f"times of {stream}", taken, because))
    for agent, offset, basis in case.connection.execute(query("clock_offsets")).fetchall():
        found.append(Assumption(f"clock of {agent}", f"{offset:+.1f} s against the server's", basis or "estimated"))
    return tuple(found)


def unpaired(rows: Sequence[Row]) -> Mapping[str, int]:
    """Attempts by which side saw them: both, server only, agent only."""
    counts = Counter(str(row["seen_by"]) for row in rows)
    return dict(sorted(counts.items()))
