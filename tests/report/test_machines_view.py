"""The machines of an incident on the page: the sentence before any row, prices with dates, no column that says nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from types import ModuleType

import pytest

from investigator.catalog import Price
from investigator.report import render_html, render_json, render_markdown
from investigator.report.machines_view import machines_view


def test_the_sentence_comes_before_the_first_price(sample: ModuleType) -> None:
    for text in (render_html(sample.diagnosis()), render_markdown(sample.diagnosis())):
        assert 0 < text.index("No purchase fixes this incident by itself") < text.index("4,699")


def test_rows_beyond_the_best_are_folded(sample: ModuleType) -> None:
    view = machines_view("m", sample.machines())
    assert view is not None
    assert ([row.name for row in view.rows[:2]], len(view.rows)) == (["Mac Studio M2 Ultra", "DGX Spark"], 6)
    assert (len(view.others), view.others_label) == (2, "2 more machines")


def test_where_none_helps_the_sentence_is_enough(sample: ModuleType) -> None:
    table = sample.machines()
    rows = tuple(replace(row, with_window=None) for row in table.rows)
    view = machines_view("m", replace(table, window_tokens=None, rows=rows))
    assert view is not None
    assert (view.rows, len(view.others), view.others_label) == ((), 8, "8 machines")
    assert "settings as they were" in view.heads


def test_what_fails_everywhere_needs_no_column(sample: ModuleType) -> None:
    table = sample.machines()
    view = machines_view("m", table)
    assert view is not None and "settings as they were" not in view.heads
    differing = replace(table, rows=(replace(table.rows[0], alone="might"), *table.rows[1:]))
    view = machines_view("m", differing)
    assert view is not None and "settings as they were" in view.heads
    assert {len(row.cells) for row in (*view.rows, *view.others)} == {len(view.heads) - 1}


@pytest.mark.parametrize(
    ("row", "cell", "text", "sub"),
    [
        pytest.param(0, 0, "—", "", id="nobody buys what he has"),
        pytest.param(1, 0, "$4,699", "2026-02, raised from 3999", id="price with date and status"),
        pytest.param(2, 0, "$120?", "2025-01", id="a price that was not verified"),
        pytest.param(0, 1, "41.8 / 48.0 GiB", "", id="what fits needs no remark"),
        pytest.param(2, 1, "41.8 / 12.0 GiB", "does not fit", id="does not fit"),
        pytest.param(1, 2, "≈ 3.3 min", "2.4 – 4.5 min", id="one unit for estimate and bounds"),
        pytest.param(2, 2, "not known", "", id="no measurement"),
        pytest.param(1, 4, "medium", "measured there", id="confidence"),
        pytest.param(2, 4, "high", "from the sizes alone", id="sizes need no measurement"),
    ],
)
def test_cells(sample: ModuleType, row: int, cell: int, text: str, sub: str) -> None:
    view = machines_view("m", sample.machines())
    assert view is not None
    shown = view.rows[row].cells[cell]
    assert (shown.value.text if shown.value else "", shown.sub) == (text, sub)


@pytest.mark.parametrize(
    ("status", "sub"),
    [(None, "2026-08"), ("current", "2026-08"), ("current; 16 GB is slower", "2026-08, 16 GB is slower")],
)
def test_a_current_offer_needs_no_word(sample: ModuleType, status: str | None, sub: str) -> None:
    table = sample.machines()
    row = replace(table.rows[1], price=Price(1299, "2026-08", True, status))
    view = machines_view("m", replace(table, rows=(row,)))
    assert view is not None and view.rows[0].cells[0].sub == sub


def test_json_holds_bytes_and_seconds(sample: ModuleType) -> None:
    table = json.loads(render_json(sample.diagnosis()))["incidents"][0]["machines"]
    spark = table["rows"][1]
    assert (spark["price"]["amount"], spark["reading_s"]["high"], spark["with_window"]) == (4699, 268, "passes")
    assert spark["need_bytes"]["mid"] == pytest.approx(41.8 * 2**30)


def test_an_incident_without_machines_has_no_section(sample: ModuleType) -> None:
    d = sample.diagnosis()
    bare = replace(d, incidents=tuple(replace(i, machines=None) for i in d.incidents))
    assert "another machine" not in render_html(bare) + render_markdown(bare)
    assert json.loads(render_json(bare))["incidents"][0]["machines"] is None
