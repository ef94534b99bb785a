"""Evidence lines with anchors, and the links to them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from investigator.diagnosis.model import AttemptRow, EvidenceLine, Incident
from investigator.report.language import _
from investigator.report.text import clipped
from investigator.report.viewtypes import EvidenceView, Link
from investigator.rulebook.findings import EvidenceRef

#: Tries of an incident whose lines are shown.
MAX_TRIES = 40
MAX_CHARS = 2_000
_NEIGHBOUR_CHARS = 600
_SUMMARY_CHARS = 240
_NAME_CHARS = 27
_STATES = {
    "kept": "",
    "fetched": "read from the source when the report was made",
    "rotated_away": "rotated away: the line is no longer in its source, its values were kept",
}


class Evidence:
    """The evidence of a diagnosis by place; `link` is total: a line that was not kept still shows where it was."""

    def __init__(self, lines: Iterable[EvidenceLine], wanted: Iterable[EvidenceRef], limit: int) -> None:
        """`wanted`: the places that the page cites, most important first; only those are shown, `limit` at most."""
        by_place = {(line.source, line.line_no): line for line in lines}
        places = [place for ref in dict.fromkeys(wanted) if (place := (ref.source, ref.line_no)) in by_place]
        self.left_out = max(len(places) - limit, 0)
        self._lines = [by_place[place] for place in sorted(places[:limit])]
        names = sorted({source for source, _ in by_place})
        self._numbers = {name: n for n, name in enumerate(names, 1)}
        self._known = {(line.source, line.line_no) for line in self._lines}
        self._short = _short_names(names)

    def link(self, ref: EvidenceRef) -> Link:
        """Where a number comes from, as an anchor of this page."""
        text = f"{self._short.get(ref.source, ref.source)}:{ref.line_no}"
        return Link(
            text,
            f"#{self._anchor(ref.source, ref.line_no)}" if (ref.source, ref.line_no) in self._known else None,
            str(ref),
        )

    def links(self, refs: Iterable[EvidenceRef], limit: int = 6) -> tuple[Link, ...]:
        """Links without repetition, in the order given; what exceeds `limit` is counted."""
        unique = list(dict.fromkeys(refs))
        more = len(unique) - limit
        extra = (
            (Link(f"+{more} {_('more')}", None, ", ".join(map(str, unique[limit : limit + 50]))),) if more > 0 else ()
        )
        return tuple(self.link(ref) for ref in unique[:limit]) + extra

    def views(self) -> tuple[EvidenceView, ...]:
        """All lines by source and number, each with its neighbours."""
        return tuple(self._view(line) for line in self._lines)

    def _view(self, line: EvidenceLine) -> EvidenceView:
        gone = line.state == "rotated_away" and not line.text
        text = _("(line no longer there)") if gone else clipped(line.text, MAX_CHARS)
        around = [
            *((no, clipped(t, _NEIGHBOUR_CHARS), False) for no, t in line.before),
            (line.line_no, text, True),
            *((no, clipped(t, _NEIGHBOUR_CHARS), False) for no, t in line.after),
        ]
        ref = EvidenceRef(line.source, line.line_no)
        return EvidenceView(
            self._anchor(line.source, line.line_no),
            self.link(ref).text,
            str(ref),
            text if len(text) <= _SUMMARY_CHARS else text[:_SUMMARY_CHARS] + "…",
            tuple(around),
            _(_STATES[line.state]) if _STATES[line.state] else "",
        )

    def _anchor(self, source: str, line_no: int) -> str:
        return f"e-{self._numbers.get(source, 0)}-{line_no}"


def failed_tries(incident: Incident) -> list[AttemptRow]:
    """The tries of an incident but those known to have been answered."""
    return [row for row in incident.attempts if row.columns.get("failed") is not False]


def cited(incidents: Iterable[Incident]) -> Iterator[EvidenceRef]:
    """The places that incidents cite: of all of them first what the findings rest on, then the tries."""
    shown = list(incidents)
    for incident in shown:
        for finding in incident.findings:
            for step in finding.steps:
                for operand in step.operands:
                    yield from operand.evidence
            yield from finding.evidence
        for hypothesis in incident.differential:
            yield from hypothesis.evidence
    for incident in shown:
        for row in failed_tries(incident)[:MAX_TRIES]:
            yield from row.evidence


def _short_names(names: Iterable[str]) -> Mapping[str, str]:
    """Base names without the middle of long ones, but more of the path where two files would look the same."""
    known = list(names)
    bases = {name: name.replace("\\", "/").rsplit("/", 1)[-1] or name for name in known}
    short = {name: _elided(base) for name, base in bases.items()}
    for longer in (bases, {name: name for name in known}):
        counts = Counter(short.values())
        short = {name: text if counts[text] == 1 else longer[name] for name, text in short.items()}
    return short


def _elided(name: str) -> str:
    return name if len(name) <= _NAME_CHARS else f"{name[:12]}…{name[-9:]}"


def common_root(paths: Iterable[str]) -> str:
    """The deepest folder that holds all paths, or '' when there is none."""
    known = list(paths)
    if len(known) < 2:
        return ""
    try:
        return os.path.commonpath(known)
    except ValueError:
        return ""
