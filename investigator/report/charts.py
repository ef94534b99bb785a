"""Geometry of the charts: where bars, lines and labels go. Pure; the SVG is written by templates/charts.j2.

Each chart is laid out twice, for a wide page and for a phone, because text in a scaled-down drawing cannot be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from investigator.report import scales
from investigator.report.text import number

#: Width in pixels of an average character of the charts' 11.5 px labels: only used to keep labels apart.
_CHAR = 6.3
_LEVEL = 15.0

#: Size in pixels of the label of a point: those nearer to each other than that would cover each other.
_LABEL_W, _LABEL_H = 110.0, 14.0


@dataclass(frozen=True, slots=True)
class Paper:
    """Size of the drawing and its margins, in pixels."""

    width: float
    left: float
    right: float
    ticks: int
    narrow: bool


WIDE = Paper(880, 150, 16, 8, False)
NARROW = Paper(328, 8, 8, 4, True)


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    w: float
    h: float
    cls: str
    tip: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A symbol or, with `x2`/`y2`, a line; `label` is set at `lx`, `ly`."""

    x: float
    y: float
    cls: str
    tip: str
    label: str = ""
    lx: float = 0
    ly: float = 0
    anchor: str = "start"
    x2: float | None = None
    y2: float | None = None


@dataclass(frozen=True, slots=True)
class Drawing:
    """One SVG: a frame with ticks, bars, lines and symbols, in drawing order."""

    width: float
    height: float
    frame: tuple[float, float, float, float]
    x_ticks: tuple[tuple[float, str], ...] = ()
    y_ticks: tuple[tuple[float, str], ...] = ()
    rows: tuple[Mark, ...] = ()
    bars: tuple[Bar, ...] = ()
    band: str = ""
    line: str = ""
    lines: tuple[Mark, ...] = ()
    symbols: tuple[Mark, ...] = ()

    @property
    def groups(self) -> tuple[tuple[str, tuple[Bar, ...]], ...]:
        """Bars by class, in the order in which the classes first appear: an SVG group has one colour."""
        found: dict[str, list[Bar]] = {}
        for bar in self.bars:
            found.setdefault(bar.cls, []).append(bar)
        return tuple((cls, tuple(bars)) for cls, bars in found.items())


@dataclass(frozen=True, slots=True)
class RowOfBars:
    """A labelled row: (class, amount, tip) laid end to end; `text` stands behind the last."""

    label: str
    parts: tuple[tuple[str, float, str], ...]
    text: str
    failed: bool = False
    most: float | None = None
    """What of the row lies beyond this amount is marked."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A labelled line across the chart."""

    at: float
    label: str
    cls: str


@dataclass(frozen=True, slots=True)
class Bars:
    """Horizontal bars against limits: tokens per call, memory per window."""

    rows: tuple[RowOfBars, ...]
    limits: tuple[Limit, ...]
    ticks: tuple[tuple[float, str], ...] = ()
    row_h: float = 20
    names_above: bool = False


def top_of(values: Sequence[float]) -> float:
    """Upper end of an axis: the limits are part of it, and a little air."""
    return max((v for v in values if v > 0), default=1.0) * 1.04


def draw_bars(chart: Bars, paper: Paper) -> Drawing:
    """Rows below each other, limits as lines through all of them with their labels on top."""
    if chart.names_above and not paper.narrow:
        paper = replace(paper, left=NARROW.left, narrow=True)
    sums = [sum(amount for _, amount, _ in row.parts) for row in chart.rows]
    plot_right = paper.width - paper.right
    scale = scales.Linear(0, top_of([*sums, *(limit.at for limit in chart.limits)]), paper.left, plot_right)
    labels, head = label_places([(scale(limit.at), limit.label) for limit in chart.limits], paper)
    label_h = 16.0 if paper.narrow else 0.0
    step = chart.row_h + 10 + label_h
    bottom = head + step * len(chart.rows)
    bars: list[Bar] = []
    names: list[Mark] = []
    for number_, row in enumerate(chart.rows):
        y = head + number_ * step + label_h + 3
        bars.extend(_parts(row, scale, y, chart.row_h))
        names.append(_row_name(row, y, chart.row_h, paper))
    lines = tuple(
        Mark(scale(limit.at), head - 2, limit.cls, limit.label, limit.label, lx, ly, anchor, scale(limit.at), bottom)
        for limit, (lx, ly, anchor) in zip(chart.limits, labels, strict=True)
    )
    every = 2 if paper.width < 500 else 1
    ticks = tuple((scale(at), text) for at, text in chart.ticks[::every])
    frame = (paper.left, head, plot_right, bottom)
    return Drawing(paper.width, bottom + 22, frame, ticks, (), tuple(names), tuple(bars), lines=lines)


def _parts(row: RowOfBars, scale: scales.Linear, y: float, height: float) -> list[Bar]:
    bars, done = [], 0.0
    for cls, amount, tip in row.parts:
        x, x2 = scale(done), scale(done + amount)
        done += amount
        if amount > 0:
            bars.append(Bar(x, y, round(max(x2 - x, 0.75), 2), height, cls, tip))
    if row.most is not None and done > row.most:
        bars.append(Bar(scale(row.most), y, round(scale(done) - scale(row.most), 2), height, "over", row.text))
    return bars


def _row_name(row: RowOfBars, y: float, height: float, paper: Paper) -> Mark:
    cls = "failed" if row.failed else "row"
    if paper.narrow:
        return Mark(paper.left, y - 5, cls, row.text, row.label)
    return Mark(paper.left - 10, y + height / 2 + 4, cls, row.text, row.label, anchor="end")


def label_places(wanted: Sequence[tuple[float, str]], paper: Paper) -> tuple[list[tuple[float, float, str]], float]:
    """Places of labels above the frame so that none covers another; and the height they take."""
    extents = []
    for x, text in wanted:
        width = len(text) * _CHAR
        start = x + 4 if x + 4 + width <= paper.width else x - 4 - width
        extents.append((max(start, 0.0), max(start, 0.0) + width))
    chosen = scales.levels(extents, 8)
    count = max(chosen, default=-1) + 1
    head = 8 + count * _LEVEL
    # The lines of higher labels pass between the lower ones, so the first level is the lowest.
    return [
        (
            round(start, 1) if start >= x else round(min(end, paper.width), 1),
            head - 6 - level * _LEVEL,
            "start" if start >= x else "end",
        )
        for (x, _), (start, end), level in zip(wanted, extents, chosen, strict=True)
    ], head


@dataclass(frozen=True, slots=True)
class CurvePlot:
    """Data of the prompt-tokens-against-seconds chart: y in seconds, x in tokens."""

    points: tuple[tuple[float, float, str, str], ...]
    crosses: tuple[tuple[float, float, str], ...]
    line: tuple[tuple[float, float, float, float], ...]
    limit: Limit | None
    marks: tuple[tuple[float, float, str], ...]


def draw_curve(plot: CurvePlot, paper: Paper) -> Drawing:
    """Measured points, the fitted curve with its band, the limit, and what the failed calls would have needed."""
    x_top = top_of(
        [
            *(p[0] for p in plot.points),
            *(c[0] for c in plot.crosses),
            *(m[0] for m in plot.marks),
            *(row[0] for row in plot.line),
        ]
    )
    x_top = _trimmed(plot, x_top)
    seen = [row for row in plot.line if row[0] <= x_top]
    y_top = top_of(
        [*(p[1] for p in plot.points), *(c[1] for c in plot.crosses), *(m[1] for m in plot.marks)]
        + [row[3] for row in seen]
        + ([plot.limit.at] if plot.limit else [])
    )
    left, height = (40.0 if paper.narrow else 64.0), (230.0 if paper.narrow else 330.0)
    right, top, bottom = paper.width - paper.right, 24.0, height - 36
    x, y = scales.Linear(0, x_top, left, right), scales.Linear(0, y_top, bottom, top)
    return Drawing(
        paper.width,
        height,
        (left, top, right, bottom),
        tuple((x(t), _thousands(t)) for t in scales.ticks(0, x_top, paper.ticks - 2)),
        tuple((y(t), number(t)) for t in scales.second_ticks(0, y_top, 6)),
        band=_band(seen, x, y),
        line=_path([(x(row[0]), y(row[1])) for row in seen]),
        lines=_limit_line(plot.limit, x, y, (left, right)),
        symbols=_symbols(plot, x, y, right),
    )


def _trimmed(plot: CurvePlot, x_top: float) -> float:
    """The curve may be given far beyond what the case is about: stop a little after the last thing shown."""
    shown = [*(p[0] for p in plot.points), *(c[0] for c in plot.crosses), *(m[0] for m in plot.marks)]
    return min(x_top, max(shown) * 1.18) if shown else x_top


def _symbols(plot: CurvePlot, x: scales.Linear, y: scales.Linear, right: float) -> tuple[Mark, ...]:
    found = [Mark(x(a), y(b), cls, tip) for a, b, cls, tip in plot.points]
    found += [Mark(x(a), y(b), "cross", tip) for a, b, tip in plot.crosses]
    taken: list[tuple[float, float]] = []
    for a, b, label in plot.marks:
        px, py = x(a), y(b)
        covered = any(abs(px - fx) < _LABEL_W and abs(py - fy) < _LABEL_H for fx, fy in taken)
        taken += [] if covered else [(px, py)]
        found.append(Mark(px, py, "need", label, "" if covered else label, px - 9, py - 7, "end"))
    return tuple(found)


def _limit_line(limit: Limit | None, x: scales.Linear, y: scales.Linear, ends: tuple[float, float]) -> tuple[Mark, ...]:
    if limit is None:
        return ()
    at = y(limit.at)
    # At the top of the frame stands the name of the axis.
    label_y = at - 6 if at > 44 else at + 14
    return (Mark(ends[0], at, limit.cls, limit.label, limit.label, ends[0] + 6, label_y, "start", ends[1], at),)


def _thousands(tokens: float) -> str:
    return f"{tokens / 1000:,.0f}k" if tokens else "0"


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{a:g},{b:g}" for a, b in points) if len(points) > 1 else ""


def _band(rows: Sequence[tuple[float, float, float, float]], x: scales.Linear, y: scales.Linear) -> str:
    if len(rows) < 2:
        return ""
    there = [(x(row[0]), y(row[3])) for row in rows]
    back = [(x(row[0]), y(row[2])) for row in reversed(rows)]
    return _path([*there, *back]) + "Z"
