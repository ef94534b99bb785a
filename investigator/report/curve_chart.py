"""Prompt tokens against seconds of reading: measured, fitted, and what the failed calls would have taken."""

from __future__ import annotations

from collections.abc import Sequence

from investigator.diagnosis.model import AttemptRow, Curve
from investigator.report import charts, scales
from investigator.report.cells import capped, num, text_cell, tokens_cell
from investigator.report.charts import NARROW, WIDE, CurvePlot, Limit
from investigator.report.language import _
from investigator.report.text import number, plural
from investigator.report.viewtypes import Cell, Chart, Table, Tag

#: More symbols than these would be a blot; the table says how many there are.
_MAX_CROSSES, _MAX_POINTS = 60, 300


def curve_chart(anchor: str, curve: Curve, attempts: Sequence[AttemptRow]) -> Chart | None:
    """Prompt tokens against seconds of reading."""
    if not curve.points and not curve.line:
        return None
    gave_up = [
        row
        for row in attempts
        if row.columns.get("failed") is True and num(row, "read_tokens") and num(row, "duration_s")
    ]
    crosses = sorted({(num(r, "read_tokens") or 0.0, num(r, "duration_s") or 0.0) for r in gave_up})[:_MAX_CROSSES]
    line = [(x, *sorted(values)) for x, *values in curve.line]
    plain = [(x, middle) for x, _, middle, _ in line]
    needs = sorted({v for r in gave_up for c in ("read_tokens", "asked_tokens") if (v := num(r, c))})[-2:]
    marks = tuple(
        (n, y, f"{number(int(n))} → {seconds_text(y)}")
        for n in needs
        if (y := scales.interpolated(plain, n)) is not None
    )
    plot = CurvePlot(
        tuple(
            (x, y, label, f"{number(int(x))} tokens in {seconds_text(y)} ({label})")
            for x, y, label in curve.points[:_MAX_POINTS]
        ),
        tuple((x, y, f"{number(int(x))} tokens: given up after {seconds_text(y)}") for x, y in crosses),
        tuple((x, middle, low, high) for x, low, middle, high in line),
        None if curve.limit_s is None else Limit(curve.limit_s, f"{_('limit')} {seconds_text(curve.limit_s)}", "limit"),
        marks,
    )
    legend = [
        Tag(label, _(f"{label} request"))
        for label in ("measured", "derived", "estimated")
        if any(p[2] == label for p in curve.points)
    ]
    legend += [Tag("fit", "fit with its interval")] if curve.line else []
    legend += [Tag("cross", "given up")] if crosses else []
    legend += [Tag("need", "what it would have taken")] if marks else []
    needed = ", ".join(m[2] for m in marks)
    words = f" {_('A call like the failed ones would take')}: {needed}." if marks else ""
    told = _("{requests} and the fitted curve for {model}.")
    desc = told.format(requests=plural(len(curve.points), "timed request"), model=curve.model) + words
    return Chart(
        anchor,
        "How long reading a prompt takes on this machine",
        desc,
        charts.draw_curve(plot, WIDE),
        charts.draw_curve(plot, NARROW),
        tuple(legend),
        _curve_table(curve, plot),
        curve.note,
        y_label="seconds",
        x_label="prompt tokens",
    )


def seconds_text(value: float) -> str:
    """Seconds as the charts say them: whole ones from 100 s on."""
    return f"{value:,.0f} s" if value >= 100 else f"{number(round(value, 1))} s"


def _curve_table(curve: Curve, plot: CurvePlot) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (tokens_cell(x), text_cell(f"{y:,.1f}", f"{y} s", numeric=True), text_cell(label), text_cell("request"))
        for x, y, label in curve.points
    ]
    rows += [
        (tokens_cell(x), text_cell(f"{y:,.1f}", f"{y} s", numeric=True), text_cell("measured"), text_cell("given up"))
        for x, y, _ in plot.crosses
    ]
    step = max(len(plot.line) // 12, 1)
    rows += [
        (
            tokens_cell(x),
            text_cell(f"{y:,.1f} ({lo:,.1f} – {hi:,.1f})", f"{y} s", numeric=True),
            text_cell("estimated"),
            text_cell("fit"),
        )
        for x, y, lo, hi in plot.line[::step]
    ]
    return capped(("prompt tokens", "seconds", "label", "what"), rows, lambda row: row)
