"""The overview of the nights: incidents × nights, trends, early warnings. Plain records → one page without script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any

from investigator.report.redact import Redactor
from investigator.report.scales import Linear
from investigator.report.shell import environment, sheet
from investigator.report.text import number, visible
from investigator.rulebook.findings import SEVERITIES
from investigator.scan.baselines import Drop, Kind
from investigator.scan.misses import Warning_

#: Sign and word of each change; the sign is told apart by its form, not by its colour.
SIGNS: Mapping[str, tuple[str, str]] = {
    "new": ("●", "new"),
    "worse": ("▲", "worse"),
    "continuing": ("■", "continuing"),
    "better": ("▼", "better"),
    "gone": ("○", "gone"),
}
_UNITS = {"prefill_tps": "tokens/s", "decode_tps": "tokens/s", "load_s": "s", "failed_share": "of the calls"}
_NAMES = {"prefill_tps": "prefill", "decode_tps": "decode", "load_s": "load time", "failed_share": "failed"}
_SPARK_WIDTH, _SPARK_HEIGHT, _SPARK_EDGE = 96, 20, 2


@dataclass(frozen=True, slots=True)
class Cell:
    """An incident in one night: sign, word and failed calls; `report` is the page's path."""

    sign: str
    word: str
    calls: int
    report: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """An incident over the nights; cells by night, '' where nothing was said of it."""

    title: str
    sentence: str
    severity: str
    place: str
    model: str
    is_open: bool
    nights: int
    cells: tuple[Cell | None, ...]
    spark: str
    report: str | None


@dataclass(frozen=True, slots=True)
class Trend:
    """A measure over the nights."""

    place: str
    model: str
    name: str
    last: str
    usual: str
    spark: str
    worse: str


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the page shows."""

    tool_version: str
    nights: tuple[tuple[int, str, str], ...]
    lines: tuple[Line, ...]
    trends: tuple[Trend, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


def shown(text: str) -> str:
    """Text that may come from a log: masked, with control characters made visible."""
    return visible(Redactor().mask(text))


def lines(history: Sequence[Mapping[str, Any]], nights: Sequence[int]) -> tuple[Line, ...]:
    """History rows → one line per incident: open ones first, the severest first, then the longest known."""
    by_identity: dict[str, list[Mapping[str, Any]]] = {}
    for row in history:
        by_identity.setdefault(row["identity"], []).append(row)
    made = [_line(rows, nights) for rows in by_identity.values()]
    return tuple(sorted(made, key=_order))


def _order(line: Line) -> tuple[object, ...]:
    severity = SEVERITIES.index(line.severity) if line.severity in SEVERITIES else 0
    return not line.is_open, -severity, -line.nights, line.title, line.place


def _line(rows: Sequence[Mapping[str, Any]], nights: Sequence[int]) -> Line:
    last, by_night = rows[-1], {row["night"]: row for row in rows}
    cells = tuple(_cell(by_night[night]) if night in by_night else None for night in nights)
    calls = [0 if cell is None or cell.word == "gone" else cell.calls for cell in cells]
    return Line(
        title=shown(last["title"]),
        sentence=shown(last["sentence"]),
        severity=last["severity"],
        place=shown(last["place"]),
        model=shown(last["model"] or ""),
        is_open=last["change"] != "gone",
        nights=last["nights"],
        cells=cells,
        spark=sparkline(calls) if any(calls) else "",
        report=next((row["report"] for row in reversed(rows) if row["report"]), None),
    )


def _cell(row: Mapping[str, Any]) -> Cell:
    sign, word = SIGNS[row["change"]]
    return Cell(sign, word, row["failed_calls"], row["report"])


def trends(measures: Mapping[tuple[str, str, Kind], Sequence[float]], drops: Sequence[Drop]) -> tuple[Trend, ...]:
    """Measures of the nights with their sparkline; what got worse tonight says by how much."""
    worse = {(d.measure.place, d.measure.model, d.measure.kind): d for d in drops}
    made = []
    for (place, model, kind), values in sorted(measures.items()):
        drop = worse.get((place, model, kind))
        middle = sorted(values)[len(values) // 2]
        made.append(
            Trend(
                shown(place), shown(model), _NAMES[kind], said(kind, values[-1]), said(kind, middle), sparkline(values),
                f"{drop.change:.0%} worse than its last {drop.nights} nights" if drop else "",
            )
        )  # fmt: skip
    return tuple(made)


def said(kind: str, value: float) -> str:
    """A measure with its unit."""
    return f"{value:.1%} {_UNITS[kind]}" if kind == "failed_share" else f"{number(round(value, 1))} {_UNITS[kind]}"


def warning_text(warning: Warning_) -> str:
    """`prefill at 0.92 of the limit, +4 % a night`."""
    miss = warning.miss
    text = (
        f"{miss.rule} came to {miss.ratio:.2f} of its limit for {miss.model or 'a server'} ({miss.place}): {miss.text}"
    )
    if warning.per_night is not None and warning.per_night > 0:
        text += f"; {warning.per_night:+.0%} a night"
    if warning.nights_left is not None:
        text += f", the limit in about {max(1, round(warning.nights_left))} nights"
    return text


def sparkline(values: Sequence[float]) -> str:
    """Points of an SVG polyline, from 0 at the bottom to the largest value at the top."""
    across = Linear(0, max(1, len(values) - 1), 0, _SPARK_WIDTH)
    up = Linear(0, max(values, default=0.0) or 1.0, _SPARK_HEIGHT - _SPARK_EDGE, _SPARK_EDGE)
    return " ".join(f"{across(n):g},{up(value):g}" for n, value in enumerate(values))


def render(overview: Overview) -> str:
    """The page. The same overview gives the same bytes."""
    more = files(__package__).joinpath("templates", "overview.css").read_text(encoding="utf-8")
    style, policy = sheet(more)
    template = environment("investigator.scan").get_template("overview.html.j2")
    return template.render(
        page=overview, style=style, policy=policy, signs=SIGNS, width=_SPARK_WIDTH, height=_SPARK_HEIGHT
    )


def day(moment: datetime) -> str:
    """Column head of a night."""
    return moment.strftime("%d %b").lstrip("0")
