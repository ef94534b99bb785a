from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest

from investigator.report import charts, density
from investigator.report.charts import NARROW, WIDE, Bars, CurvePlot, Limit, Paper, RowOfBars
from investigator.report.curve_chart import curve_chart
from investigator.report.memory_chart import memory_chart
from investigator.report.timeline_view import timeline_chart
from investigator.report.token_chart import MAX_TOKEN_ROWS, tokens_chart
from investigator.report.viewtypes import Chart

PAPERS = pytest.mark.parametrize("paper", [WIDE, NARROW], ids=["wide", "narrow"])


def inside(drawing: charts.Drawing) -> None:
    """Nothing is drawn outside of the paper."""
    for bar in drawing.bars:
        assert bar.x >= 0 and bar.x + bar.w <= drawing.width and bar.y >= 0 and bar.y + bar.h <= drawing.height
    for mark in (*drawing.lines, *drawing.symbols):
        assert 0 <= mark.x <= drawing.width and -1 <= mark.y <= drawing.height
        width = len(mark.label) * 6.3
        start = mark.lx - width if mark.anchor == "end" else mark.lx
        assert not mark.label or (start >= -1 and start + width <= drawing.width + 1)


@PAPERS
def test_bars_lie_end_to_end_and_limits_fit(paper: Paper) -> None:
    rows = (
        RowOfBars("a", (("cached", 10, ""), ("read", 30, ""), ("cut", 0, "")), "a"),
        RowOfBars("b", (("read", 80, ""),), "b"),
    )
    drawing = charts.draw_bars(Bars(rows, (Limit(100, "limit 100", "limit"),)), paper)
    first, second, third = drawing.bars
    assert first.x + first.w == pytest.approx(second.x, abs=0.05)
    assert third.w == pytest.approx(2 * (first.w + second.w), rel=0.01)
    assert drawing.lines[0].x > third.x + third.w
    inside(drawing)


@PAPERS
def test_limit_labels_keep_apart(paper: Paper) -> None:
    limits = tuple(Limit(at, f"window in force {at}", "limit") for at in (100, 101, 102, 103))
    drawing = charts.draw_bars(Bars((RowOfBars("a", (("read", 50, ""),), ""),), limits), paper)
    spots = [(line.lx - len(line.label) * 6.3 if line.anchor == "end" else line.lx, line.ly) for line in drawing.lines]
    assert len({y for _, y in spots}) == 4
    inside(drawing)


@PAPERS
def test_the_limit_line_is_part_of_the_axis(paper: Paper) -> None:
    plot = CurvePlot(
        ((1000, 5, "measured", ""),), (), ((0, 0, 0, 0), (2000, 20, 10, 30)), Limit(2200, "limit", "limit"), ()
    )
    drawing = charts.draw_curve(plot, paper)
    assert drawing.frame[1] < drawing.lines[0].y < drawing.frame[1] + 20
    inside(drawing)


def test_a_long_curve_is_trimmed_to_what_the_case_is_about() -> None:
    line = tuple((float(n), float(n), float(n), float(n)) for n in range(0, 1_000_000, 1000))
    drawing = charts.draw_curve(CurvePlot(((10_000, 10, "measured", ""),), (), line, None, ()), WIDE)
    assert drawing.line.count("L") <= 12


def both(chart: Chart | None) -> Chart:
    assert chart is not None
    inside(chart.wide)
    inside(chart.narrow)
    assert chart.title and chart.desc and chart.table.rows
    return chart


def test_the_incidents_charts(sample: ModuleType) -> None:
    incident = sample.incident()
    tokens = both(tokens_chart("t", incident.attempts, 3600))
    assert [line.label for line in tokens.wide.lines] == [
        "window in force 131,072",
        "native window = agent’s belief 262,144",
    ]
    assert [cls for cls, _ in tokens.wide.groups] == ["read", "cut", "cached"]
    curve = both(curve_chart("c", incident.curve, incident.attempts))
    assert [m.label for m in curve.wide.symbols if m.label] == ["131,072 → 542 s", "146,760 → 673 s"]
    assert [m.cls for m in curve.wide.symbols] == ["derived", "derived", "measured", "cross", "need", "need"]
    memory = both(memory_chart("m", incident.memory))
    assert "42.9 GiB of 48.0 GiB, fits" in memory.desc


def test_charts_of_nothing(sample: ModuleType) -> None:
    bare = sample.bare_incident()
    assert tokens_chart("t", bare.attempts, None) is None
    assert memory_chart("m", ()) is None
    assert timeline_chart("x", sample.empty(), bare) is None


def test_many_calls_show_the_largest(sample: ModuleType) -> None:
    chart = both(tokens_chart("t", sample.large(300).attempts, 3600))
    assert len(chart.wide.rows) == MAX_TOKEN_ROWS
    assert chart.table.note == "240 more rows left out"


def test_timeline_of_three_tries(sample: ModuleType) -> None:
    chart = both(timeline_chart("x", sample.diagnosis(), sample.incident()))
    assert {cls: len(bars) for cls, bars in chart.wide.groups} == {"call bad": 3, "prefill": 3, "abandoned": 3}
    assert [label for _, label in chart.wide.x_ticks][:2] == ["11:10", "11:15"]
    assert len([m for m in chart.wide.symbols if m.cls == "end"]) == 3
    prefill, abandoned = (dict(chart.wide.groups)[name][0] for name in ("prefill", "abandoned"))
    assert prefill.y == abandoned.y and prefill.x + prefill.w == pytest.approx(abandoned.x, abs=0.1)


def test_timeline_of_thousands_is_drawn_as_columns(sample: ModuleType) -> None:
    large = sample.large(2_000)
    chart = both(timeline_chart("x", large, large.incidents[0]))
    assert len(chart.wide.bars) < 1_500
    assert "at once on average" in chart.caption
    assert "667 failed calls" in chart.desc


def test_density_keeps_the_work() -> None:
    pieces = [density.Piece(10, 30, "prefill"), density.Piece(20, 40, "queue"), density.Piece(24, 24.5, "queue")]
    columns = density.shares(pieces, 10, 60)
    assert sum(column.get("prefill", 0) for column in columns) * density.COLUMN == pytest.approx(20)
    assert sum(column.get("queue", 0) for column in columns) * density.COLUMN == pytest.approx(20.5)
    bars, most = density.draw(pieces, (10, 60, 0), ("queue", "prefill"))
    assert most == pytest.approx(2.1)
    assert max(bar.h for bar in bars) <= density.HEIGHT


def test_mixed_times_are_no_trouble(sample: ModuleType) -> None:
    from datetime import UTC

    from investigator.report import render_html

    base = sample.diagnosis()
    spans = tuple(replace(s, start=s.start.replace(tzinfo=UTC)) for s in base.spans)
    assert render_html(replace(base, spans=spans)) == render_html(base)
