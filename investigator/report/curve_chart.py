"""Prompt tokens against seconds of reading: measured, fitted, and what the failed calls would have taken."""

from __future__ import annotations

from collections.abc import Sequence

from investigator.diagnosis.model import AttemptRow, Curve
from investigator.report import charts, scales
from investigator.report.cells import capped, num, text_cell, tokens_cell
from investigator.report.charts import NARROW, WIDE, CurvePlot, Limit
from investigator.report.language import _, figures
from investigator.report.text import model_name, number, plural
from investigator.report.viewtypes import Cell, Chart, Table, Tag

#: More symbols than these would be a blot; the table says how many there are.
_GAVE_UP = ("client_closed_before_first_byte", "open_at_end")
_MAX_CROSSES, _MAX_POINTS = 60, 300


def curve_chart(anchor: str, curve: Curve, attempts: Sequence[AttemptRow]) -> Chart | None:
    """Prompt tokens against seconds of reading."""
    if not curve.points and not curve.line:
        return None
    plot = _plot(curve, attempts)
    needed = ", ".join(mark[2] for mark in plot.marks)
    words = f" {_('A call like the failed ones would take')}: {needed}." if needed else ""
    told = _("{requests} and the fitted curve for {model}.").format(
        requests=plural(len(curve.points), "timed request"), model=model_name(curve.model)
    )
    return Chart(
        anchor,
        "How long reading a prompt takes on this machine",
        told.replace("….", "…") + words,
        charts.draw_curve(plot, WIDE),
        charts.draw_curve(plot, NARROW),
        _legend(curve, plot),
        _curve_table(curve, plot),
        curve.note,
        y_label="seconds",
        x_label="prompt tokens",
    )


def _plot(curve: Curve, attempts: Sequence[AttemptRow]) -> CurvePlot:
    """Measured points, calls that were given up, the fit with its interval, the limit, what the failed ones need."""
    failed = [row for row in attempts if row.columns.get("failed") is True]
    # Only whoever left before the first byte may have given up the reading.
    left = [row for row in failed if row.columns.get("outcome") in _GAVE_UP]
    gave_up = [row for row in left if num(row, "read_tokens") and num(row, "duration_s")]
    crosses = sorted({(num(r, "read_tokens") or 0.0, num(r, "duration_s") or 0.0) for r in gave_up})[:_MAX_CROSSES]
    line = [(x, *sorted(values)) for x, *values in curve.line]
    plain = [(x, middle) for x, _, middle, _ in line]
    needs = sorted({v for r in gave_up for c in ("read_tokens", "asked_tokens") if (v := num(r, c))})[-2:]
    ends = [_needed(n, y, gave_up, curve) for n in needs if (y := scales.interpolated(plain, n)) is not None]
    limit = curve.limit_s
    return CurvePlot(
        tuple((x, y, label, f"{_timed(x, y)} ({_(label)})") for x, y, label in curve.points[:_MAX_POINTS]),
        tuple((x, y, f"{number(int(x))} {_('tokens')}: {_('given up after')} {seconds_text(y)}") for x, y in crosses),
        tuple((x, middle, low, high) for x, low, middle, high in line),
        None if limit is None else Limit(limit, f"{_('limit')} {seconds_text(limit)}", "limit"),
        tuple(ends),
    )


def _needed(tokens: float, seconds: float, tries: Sequence[AttemptRow], curve: Curve) -> tuple[float, float, str]:
    """What a prompt of that size takes: by the law, or longer where a request waited longer for its slot."""
    smaller = [row for row in tries if (num(row, "read_tokens") or 0.0) <= tokens]
    held = max((num(row, "slot_held_s") or 0.0 for row in smaller), default=0.0)
    least = f"{_('at least')} " if curve.lower_bound or held > seconds else ""
    seconds = max(seconds, held)
    return tokens, seconds, f"{number(int(tokens))} → {least}{seconds_text(seconds)}"


def _timed(tokens: float, seconds: float) -> str:
    return _("{tokens} tokens in {time}").format(tokens=number(int(tokens)), time=seconds_text(seconds))


def _legend(curve: Curve, plot: CurvePlot) -> tuple[Tag, ...]:
    """One entry for each kind of sign that is on the paper."""
    labels = [label for label in ("measured", "derived", "estimated") if any(p[2] == label for p in curve.points)]
    legend = [Tag(label, _(f"request, {label}")) for label in labels]
    legend += [Tag("fit", "fit with its interval")] if curve.line else []
    legend += [Tag("cross", "given up")] if plot.crosses else []
    legend += [Tag("need", "what it would have taken")] if plot.marks else []
    return tuple(legend)


def seconds_text(value: float) -> str:
    """Seconds as the charts say them: whole ones from 100 s on."""
    return f"{number(round(value))} s" if value >= 100 else f"{number(round(value, 1))} s"


def _curve_table(curve: Curve, plot: CurvePlot) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            tokens_cell(x),
            _seconds_cell(y),
            text_cell(_(label)),
            text_cell(_("request")),
        )
        for x, y, label in curve.points
    ]
    rows += [
        (
            tokens_cell(x),
            _seconds_cell(y),
            text_cell(_("measured")),
            text_cell(_("given up")),
        )
        for x, y, _tip in plot.crosses
    ]
    step = max(len(plot.line) // 12, 1)
    rows += [
        (
            tokens_cell(x),
            text_cell(_interval(y, lo, hi), figures(f"{y:,} s"), numeric=True),
            text_cell(_("estimated")),
            text_cell(_("fit")),
        )
        for x, y, lo, hi in plot.line[::step]
    ]
    return capped(("prompt tokens", "seconds", "label", "what"), rows, lambda row: row)


def _seconds_cell(value: float) -> Cell:
    return text_cell(number(round(value, 1)), figures(f"{value:,} s"), numeric=True)


def _interval(middle: float, low: float, high: float) -> str:
    return f"{number(round(middle, 1))} ({number(round(low, 1))} – {number(round(high, 1))})"
