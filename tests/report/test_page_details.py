"""Small things that a reader stumbles over: clocks without fractions, columns of unknowns, damage of milliseconds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from types import ModuleType

import pytest

from investigator.diagnosis.model import Hypothesis, Verdict
from investigator.report import render_html
from investigator.report.charts import CurvePlot, Mark, _symbols
from investigator.report.columns import column
from investigator.report.finding_view import _explains
from investigator.report.html import _prose
from investigator.report.incident_view import impact_tiles
from investigator.report.scales import Linear, time_ticks
from investigator.report.text import duration, model_name, quantity
from investigator.report.viewmodel import page

NOON = datetime(2026, 2, 18, 12, 0)


@pytest.mark.parametrize(("span_s", "labels"), [(2.0, ["12:00:00.0", "12:00:00.5"]), (4.0, ["12:00:00", "12:00:01"])])
def test_ticks_closer_than_a_second_differ(span_s: float, labels: list[str]) -> None:
    found = [label for _, label in time_ticks(NOON, NOON + timedelta(seconds=span_s), 4, 0)]
    assert found[:2] == labels
    assert len(set(found)) == len(found)


def test_labels_of_close_points_do_not_cover_each_other() -> None:
    plot = CurvePlot(points=(), crosses=(), line=(), marks=((100.0, 5.0, "a"), (101.0, 5.1, "b"), (100.0, 90.0, "c")), limit=None)  # fmt: skip
    scale = Linear(0, 200, 0, 200)
    found: tuple[Mark, ...] = _symbols(plot, scale, scale, 200)
    assert [mark.label for mark in found] == ["a", "", "c"]
    assert [mark.tip for mark in found] == ["a", "b", "c"]


def test_backticks_are_code_and_everything_stays_escaped() -> None:
    assert _prose("see `ollama list` & `<b>`") == "see <code>ollama list</code> &amp; <code>&lt;b&gt;</code>"
    assert _prose("one ` alone") == "one ` alone"


def test_short_times_are_milliseconds() -> None:
    assert quantity(0.0009, "s").text == "0.9 ms"
    assert quantity(0.0, "s").text == "0 s"


def test_damage_of_milliseconds_is_not_told(sample: ModuleType) -> None:
    incident = sample.diagnosis().incidents[0]
    impact = replace(incident.impact, wall_s=0.004, server_s=0.004, server_share=1.0)
    labels = [tile.label for tile in impact_tiles(replace(incident, impact=impact))]
    assert "spent waiting in vain" not in labels
    assert "of the server’s busy time" not in labels
    told = [tile.label for tile in impact_tiles(replace(incident, impact=replace(impact, wall_s=4.0)))]
    assert "spent waiting in vain" in told


def test_columns_that_are_known_of_no_try_are_left_out(sample: ModuleType) -> None:
    whole = sample.diagnosis()
    incident = whole.incidents[0]
    rows = [replace(row, columns={**row.columns, "cached_tokens": None}) for row in incident.attempts]
    html = render_html(replace(whole, incidents=(replace(incident, attempts=tuple(rows)),)))
    assert 'data-label="from cache"' not in html
    assert 'data-label="asked"' in html


def test_a_stored_file_is_named_by_the_beginning_of_its_hash() -> None:
    assert model_name("/home/dev/.ollama/models/blobs/sha256-" + "ab" * 32) == "sha256-abababababab…"
    assert model_name("library/qwen3:8b") == "library/qwen3:8b"


def test_what_to_collect_is_listed_once_and_named_by_its_numbers(sample: ModuleType) -> None:
    base = sample.diagnosis()
    undecided = Hypothesis(
        "a", None, "A", "cannot_tell", (), ("not known: asked_tokens, slots",), "one; two; three", ()
    )
    other = replace(undecided, rule="b", collect="two; three; four")
    incident = replace(base.incidents[0], differential=(undecided, other))
    view = page(replace(base, incidents=(incident,))).incidents[0]
    assert view.collects == ("one", "two", "three", "four")
    assert [h.collect_numbers for h in view.differential] == [((1, 3),), ((2, 4),)]
    assert view.differential[0].cons == ("not known: the length of the prompt, slots",)


def test_a_number_and_its_unit_stay_on_one_line(sample: ModuleType) -> None:
    base = sample.diagnosis()
    text = render_html(replace(base, verdict=Verdict("cause_found", "It took 14 min 57 s of 300 s for 4 steps.")))
    assert "It took 14\u00a0min\u00a057\u00a0s of 300\u00a0s for 4 steps." in text


def test_a_side_without_a_log_has_no_lane(sample: ModuleType) -> None:
    base = sample.diagnosis()
    view = page(replace(base, spans=tuple(span for span in base.spans if span.lane == "agent"))).incidents[0]
    assert view.timeline is not None and view.timeline.title == "What the agent did"
    assert [row.label for row in view.timeline.wide.rows] == ["agent calls"]


def test_nothing_that_failed_is_no_nought(sample: ModuleType) -> None:
    base = sample.diagnosis()
    incident = replace(base.incidents[0], impact=replace(base.incidents[0].impact, failed_calls=0, failed_attempts=0))
    view = page(replace(base, incidents=(incident, incident)))
    assert [tile.label for tile in view.tiles] == ["incidents", "calls read"]
    assert {finding.explains for finding in view.incidents[0].sums} == {""}


def test_what_explains_no_failure_is_folded_beside_one_that_does(sample: ModuleType) -> None:
    base = sample.diagnosis()
    first, *others = base.incidents[0].causes
    causes = (first, *(replace(line, explains=0) for line in others))
    view = page(replace(base, incidents=(replace(base.incidents[0], causes=causes),))).incidents[0]
    titles = [finding.title for finding in view.sums]
    assert titles == [first.title] and others and {line.title for line in others} <= {f.title for f in view.others}


def test_counts_have_no_unit_and_short_times_no_nought() -> None:
    assert quantity(29, "count").text == "29" and quantity(0.00087, "s").text == "0.87 ms"
    assert duration(0.00087) == "0.87 ms" and column("decode_s") == "writing time" and column("odd_tokens") == "odd"


def test_a_cause_without_arithmetic_is_no_sum(sample: ModuleType) -> None:
    base = sample.diagnosis()
    incident = base.incidents[0]
    bare = tuple(replace(finding, steps=()) for finding in incident.findings)
    text = render_html(replace(base, incidents=(replace(incident, findings=bare),)))
    assert "<h3>The cause</h3>" in text and "<h3>The sum</h3>" not in text and '<ol class="sum">' not in text
    assert "<h3>The sum</h3>" in render_html(base)


def test_healthy_bears_no_severity(sample: ModuleType) -> None:
    base = sample.diagnosis()
    assert page(base).severity is not None
    assert page(replace(base, verdict=Verdict("healthy", "All calls were answered."))).severity is None


def test_a_choice_between_cases_is_no_sum_to_check(sample: ModuleType) -> None:
    base = sample.diagnosis()
    incident = base.incidents[0]
    first, *others = incident.findings
    chosen = replace(first.steps[0], expr="if 401 = 401 or unknown is known: 1, else unknown")
    told = replace(first, steps=(chosen, *first.steps[1:]))
    text = render_html(replace(base, incidents=(replace(incident, findings=(told, *others)),)))
    assert "else unknown" not in text


@pytest.mark.parametrize(
    ("explains", "alone", "words"),
    [
        (3, 3, "explains 3 of 3 failed calls"),
        (3, 1, "explains 3 of 3 failed calls, 1 alone"),
        (2, 0, "explains 2 of 3 failed calls, none alone"),
        (0, 0, "beside the failures"),
    ],
)
def test_how_many_calls_a_cause_explains_and_how_many_alone(
    sample: ModuleType, explains: int, alone: int, words: str
) -> None:
    incident = sample.diagnosis().incidents[0]
    line = replace(incident.causes[0], explains=explains, alone=alone)
    assert _explains(line, incident) == words
    assert _explains(None, incident) == ""
