"""The overview: incidents × nights, and nothing of a log comes alive in it."""

from __future__ import annotations

import re
from typing import Any

from investigator.scan.baselines import Drop, Measure
from investigator.scan.misses import Miss, Warning_
from investigator.scan.overview import Overview, lines, render, shown, sparkline, trends, warning_text


def row(night: int, identity: str, change: str, **more: Any) -> dict[str, Any]:
    values = {
        "night": night, "identity": identity, "change": change, "title": f"title of {identity}", "cause": None,
        "severity": "high", "sentence": "s", "model": "m", "place": "server.log", "failed_calls": 2, "first_night": 1,
        "nights": night, "report": f"n{night}/{identity}.html",
    }  # fmt: skip
    return values | more


def page(**more: Any) -> Overview:
    history = [row(1, "a", "new"), row(2, "a", "gone"), row(2, "b", "new", severity="low"), row(2, "c", "new")]
    nights = ((1, "18 Feb", "night 1"), (2, "19 Feb", "night 2"))
    values = {
        "tool_version": "0",
        "nights": nights,
        "lines": lines(history, [1, 2]),
        "trends": (),
        "warnings": (),
        "notes": (),
    }
    return Overview(**(values | more))


def test_open_ones_first_then_the_severest() -> None:
    assert [line.title for line in page().lines] == ["title of c", "title of b", "title of a"]
    assert [cell.word if cell else "" for cell in page().lines[2].cells] == ["new", "gone"]


def test_it_loads_nothing_and_is_the_same_twice() -> None:
    html = render(page())
    assert html == render(page())
    assert "<script" not in html
    assert not re.search(r'(?:src|href)="(?:https?:)?//', html)
    assert "default-src 'none'" in html
    assert "2 open incidents" in html


def test_text_of_logs_stays_text() -> None:
    evil = "<img src=x onerror=alert(1)>{{ 7*7 }}\x1b[31m"
    history = [row(1, "a", "new", title=evil, sentence=evil, place=evil, model=evil)]
    html = render(page(lines=lines(history, [1]), notes=(shown(evil),)))
    assert "<img" not in html
    assert "{{ 7*7 }}" in html
    assert "\x1b" not in html


def test_a_drop_says_by_how_much() -> None:
    drop = Drop(Measure("server.log", "m", "prefill_tps", 300.0, 9), 400.0, 5, 0.25)
    (trend,) = trends({("server.log", "m", "prefill_tps"): [410.0, 400.0, 390.0, 300.0]}, [drop])
    assert (trend.last, trend.worse) == ("300 tokens/s", "25% worse than its last 5 nights")


def test_a_warning_reads_as_a_sentence() -> None:
    text = warning_text(Warning_(Miss("slow", "server.log", "m", 0.92, "276 s of 300 s"), 0.04, 2.0))
    assert (
        text
        == "slow came to 0.92 of its limit for m (server.log): 276 s of 300 s; +4% a night, the limit in about 2 nights"
    )


def test_sparkline_stays_on_its_paper() -> None:
    points = [tuple(map(float, point.split(","))) for point in sparkline([0.0, 5.0, 10.0]).split()]
    assert points == [(0.0, 18.0), (48.0, 10.0), (96.0, 2.0)]
    assert sparkline([0.0]) == "0,18"
