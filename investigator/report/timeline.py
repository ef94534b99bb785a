"""Geometry of the timeline: both sides on one clock, readable with five spans and with five thousand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from investigator.diagnosis.model import TimelineMark, TimelineSpan
from investigator.report import density, scales
from investigator.report.charts import Bar, Drawing, Mark, Paper, label_places
from investigator.report.language import _, figures_in
from investigator.report.text import duration, local
from investigator.report.translated import composed
from investigator.report.words import OUTCOMES, SPAN_KINDS

LANES = (("agent", "agent calls"), ("server", "server requests"))
#: At most this many rows a lane: what needs more is laid over the last row.
MAX_ROWS = 6
#: Kinds in drawing order: an abandoned prefill lies under the next request.
KINDS = ("abandoned", "call", "request", "queue", "load", "prefill", "decode")
_ROW, _GAP, _BAR = 22.0, 14.0, 15.0
_MAX_MARKS = 24
#: A lane of more spans is drawn as columns.
MAX_BARS = 240
#: Classes in the order in which they are drawn: what failed lies at the bottom of a column.
STACK = ("call bad", "request bad", *KINDS)


class Timed(NamedTuple):
    """A span with its times in seconds since the epoch."""

    start: float
    end: float
    cls: str
    span: TimelineSpan


@dataclass(frozen=True, slots=True)
class Timeline:
    """What to draw: spans in order of time, and marks, between start and end."""

    spans: tuple[Timed, ...]
    marks: tuple[TimelineMark, ...]
    start: datetime
    end: datetime
    zone_offset_s: int | None


class TimelineDrawing(NamedTuple):
    """The drawing, and words for the lanes that are drawn as columns."""

    drawing: Drawing
    notes: tuple[str, ...]


def lanes_of(spans: Iterable[TimelineSpan]) -> tuple[tuple[str, str], ...]:
    """The lanes that have something in them: a side without a log gets no empty one."""
    used = {span.lane for span in spans}
    return tuple((lane, title) for lane, title in LANES if lane in used)


def span_class(span: TimelineSpan) -> str:
    """CSS class of a span: its kind, and for calls and whole requests whether they failed."""
    kind = span.kind if span.kind in KINDS else "request"
    bad = kind in ("call", "request") and span.outcome not in ("ok", "cut_by_length", "unknown", "")
    return f"{kind} bad" if bad else kind


def timed(spans: Iterable[TimelineSpan]) -> tuple[Timed, ...]:
    """Spans in order of time."""
    found = [Timed(_at(span.start), _at(span.end), span_class(span), span) for span in spans]
    return tuple(sorted(found, key=lambda t: (t.start, t.end, t.span.attempt_id or "", t.span.kind, t.span.label)))


def draw_timeline(chart: Timeline, paper: Paper) -> TimelineDrawing:
    """Two lanes, one row per overlapping request, neighbours closer than a pixel merged."""
    left = paper.left if not paper.narrow else 8.0
    right = paper.width - paper.right
    base, zone = _at(chart.start), chart.zone_offset_s
    x = scales.Linear(0, max(_at(chart.end) - base, 1e-6), left, right)
    marks = chart.marks[:_MAX_MARKS]
    named = _named(marks, paper)
    places, head = label_places([(x(_at(m.at) - base), m.label) for m in named], paper)
    place_of = dict(zip(named, places, strict=True))
    bars: list[Bar] = []
    names: list[Mark] = []
    notes: list[str] = []
    y = head + (16 if paper.narrow else 4)
    for lane, title in lanes_of(t.span for t in chart.spans):
        drawn = _lane([t for t in chart.spans if t.span.lane == lane], x, base, (left, right, y), zone)
        name = _(title)
        names.append(_lane_name(name, y, drawn.height, paper))
        bars.extend(drawn.bars)
        notes += [f"{name[:1].upper()}{name[1:]}: {drawn.note}."] if drawn.note else []
        y += drawn.height + _GAP + (16 if paper.narrow else 0)
    bottom = y - _GAP / 2 - (16 if paper.narrow else 0)
    drawing = Drawing(
        paper.width,
        bottom + 22,
        (left, head, right, bottom),
        _ticks(chart, x, base, paper),
        (),
        tuple(names),
        tuple(bars),
        symbols=_crosses(bars),
        lines=tuple(_mark(m, x(_at(m.at) - base), head, bottom, place_of.get(m)) for m in marks),
    )
    return TimelineDrawing(drawing, tuple(notes))


def _named(marks: Sequence[TimelineMark], paper: Paper) -> list[TimelineMark]:
    """Marks that get their label printed: all of a few; of many, or on a phone, the first of each label."""
    unique = list(dict.fromkeys(marks))
    if len(unique) <= 3 and not paper.narrow:
        return unique
    return list({m.label: m for m in reversed(unique)}.values())[::-1][:4]


def _crosses(bars: Sequence[Bar]) -> tuple[Mark, ...]:
    """A cross at the end of each failed call: failure must not be a matter of colour only."""
    if len(bars) > 60:
        return ()
    ended = [bar for bar in bars if bar.cls.endswith("bad") and bar.w >= 14]
    return tuple(Mark(bar.x + bar.w - 8, bar.y + bar.h / 2, "end", bar.tip) for bar in ended)


def _at(moment: datetime) -> float:
    return local(moment, 0).timestamp()


def _ticks(chart: Timeline, x: scales.Linear, base: float, paper: Paper) -> tuple[tuple[float, str], ...]:
    found = scales.time_ticks(chart.start, chart.end, paper.ticks, chart.zone_offset_s)
    return tuple((x(_at(moment) - base), label) for moment, label in found)


def _lane_name(title: str, y: float, height: float, paper: Paper) -> Mark:
    if paper.narrow:
        return Mark(paper.left, y - 3, "row", title, title)
    return Mark(paper.left - 10, y + height / 2 + 4, "row", title, title, anchor="end")


def _mark(mark: TimelineMark, x: float, head: float, bottom: float, place: tuple[float, float, str] | None) -> Mark:
    lx, ly, anchor = place or (0.0, 0.0, "start")
    return Mark(x, head - 2, mark.kind, mark.label, mark.label if place else "", lx, ly, anchor, x, bottom)


class _Lane(NamedTuple):
    bars: list[Bar]
    height: float
    note: str


def _lane(
    spans: Sequence[Timed], x: scales.Linear, base: float, frame: tuple[float, float, float], zone: int | None
) -> _Lane:
    """A bar for each of a few spans, the spans of one attempt in one row; columns for many."""
    if len(spans) > MAX_BARS:
        pieces = [density.Piece(x(t.start - base), x(t.end - base), t.cls) for t in spans]
        bars, most = density.draw(pieces, frame, STACK)
        return _Lane(bars, density.HEIGHT, density.caption(len(spans), most))
    groups: dict[str, list[Timed]] = {}
    for n, one in enumerate(spans):
        groups.setdefault(one.span.attempt_id or f"\0{n}", []).append(one)
    extents = [(x(min(t.start for t in g) - base), x(max(t.end for t in g) - base)) for g in groups.values()]
    rows = [min(row, MAX_ROWS - 1) for row in scales.levels(extents, 0)]
    pairs = [(one, row) for group, row in zip(groups.values(), rows, strict=True) for one in group]
    pairs.sort(key=lambda pair: STACK.index(pair[0].cls))
    bars = [_bar(one, x, base, frame[2] + row * _ROW + 3, zone) for one, row in pairs]
    return _Lane(bars, (max(rows, default=0) + 1) * _ROW, "")


def span_words(span: TimelineSpan) -> tuple[str, str, str]:
    """What it is, of what, and how it ended."""
    route, comma, rest = span.label.partition(", ")
    return (
        _(SPAN_KINDS.get(span.kind, span.kind)),
        # A request whose route and model nobody knows is called that.
        (_(route) if route == "request" else route) + comma + composed(figures_in(rest)),
        _(OUTCOMES.get(span.outcome, span.outcome.replace("_", " "))),
    )


def _bar(one: Timed, x: scales.Linear, base: float, y: float, zone: int | None) -> Bar:
    left, right = x(one.start - base), x(one.end - base)
    span = one.span
    when = f"{local(span.start, zone):%H:%M:%S} – {local(span.end, zone):%H:%M:%S}"
    kind, label, outcome = span_words(span)
    tip = f"{kind}: {label}, {when}, {duration(one.end - one.start)}, {outcome}"
    # What failed is seen however short it was.
    least = 3.0 if one.cls.endswith("bad") else 1.0
    return Bar(left, y, round(max(right - left, least), 2), _BAR, one.cls, tip)
