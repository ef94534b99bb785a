"""A lane of the timeline with too many spans to draw each: how many were at work, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from investigator.report.charts import Bar
from investigator.report.language import _, figures
from investigator.report.text import plural
from investigator.report.words import SPAN_KINDS

#: Width of a column in pixels, and height of a lane.
COLUMN, HEIGHT = 5.0, 64.0


class Piece(NamedTuple):
    """A span on the paper: from x to x2, of a class."""

    x: float
    x2: float
    cls: str


def shares(pieces: Sequence[Piece], left: float, right: float) -> list[dict[str, float]]:
    """Mean number of spans at work in each column, by class."""
    columns: list[dict[str, float]] = [{} for _ in range(max(int((right - left) / COLUMN), 1))]
    for piece in pieces:
        first = min(int((piece.x - left) / COLUMN), len(columns) - 1)
        last = min(int((piece.x2 - left) / COLUMN), len(columns) - 1)
        for n in range(max(first, 0), last + 1):
            start = left + n * COLUMN
            inside = min(piece.x2, start + COLUMN) - max(piece.x, start)
            if inside > 0:
                columns[n][piece.cls] = columns[n].get(piece.cls, 0.0) + inside / COLUMN
    return columns


def draw(pieces: Sequence[Piece], frame: tuple[float, float, float], order: Sequence[str]) -> tuple[list[Bar], float]:
    """Stacked columns for (left, right, top), and how many spans the full height stands for."""
    left, right, top = frame
    columns = shares(pieces, left, right)
    most = max((sum(column.values()) for column in columns), default=0.0) or 1.0
    bars: list[Bar] = []
    for n, column in enumerate(columns):
        y = top + HEIGHT
        for cls in sorted(column, key=lambda c: (order.index(c), c)):
            height = column[cls] / most * HEIGHT
            y -= height
            tip = _tip(cls, column[cls])
            bars.append(Bar(round(left + n * COLUMN, 2), round(y, 2), COLUMN - 0.5, round(height, 2), cls, tip))
    return bars, most


def _tip(cls: str, mean: float) -> str:
    kind, _space, bad = cls.partition(" ")
    word = SPAN_KINDS.get(kind, kind)
    name = _(f"{word}, failed" if bad else word)
    return _("{name}: {mean} at once on average").format(name=name, mean=figures(f"{mean:.1f}"))


def caption(spans: int, most: float) -> str:
    """What the columns mean."""
    told = _("the columns show how many were at work, at most {most} at once on average")
    return f"{plural(spans, 'span')}: {told.format(most=figures(f'{most:,.1f}'))}"
