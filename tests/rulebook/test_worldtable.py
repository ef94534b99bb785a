"""Outcomes of many worlds kept as numbers: the same answers as rows would give."""

from __future__ import annotations

import numpy as np
import pytest

from investigator.rulebook.worldtable import ERROR, OUTCOMES, Said, WorldRow, WorldTable


def said(*outcomes: str, **reasons: str) -> Said:
    """An outcome per attempt, `-` for none; reasons as a0="…"."""
    codes = np.array([0 if each == "-" else OUTCOMES.index(each) for each in outcomes], np.int8)
    return Said(codes, {int(place[1:]): why for place, why in reasons.items()})


@pytest.mark.parametrize(
    ("by_rule", "saved"),
    [
        (["quiet", "quiet"], "yes"),
        (["quiet", "-"], "yes"),
        (["-", "-"], "might"),
        (["quiet", "might"], "might"),
        (["quiet", "not_evaluated"], "might"),
        (["quiet", "error"], "might"),
        (["fired", "error"], "no"),
        (["quiet", "fired"], "no"),
    ],
)
def test_saved(by_rule: list[str], saved: str) -> None:
    table = WorldTable(("a",), {"w": {f"r{n}": said(each) for n, each in enumerate(by_rule)}})
    assert table.saved("w", "a") == saved
    assert table.saves("w") == [saved]


def test_who_was_not_asked_of_might_be_saved() -> None:
    table = WorldTable(("a",), {"w": {"r": said("fired")}})
    assert table.saved("w", "b") == table.saved("v", "a") == "might"
    assert table.of("w", "b") == ()


@pytest.mark.parametrize(
    ("looks", "joined"),
    [
        (["fired", "fired", "fired"], "fired"),
        (["quiet", "quiet"], "quiet"),
        (["quiet", "fired", "quiet"], "might"),
        (["quiet", "not_evaluated"], "not_evaluated"),
        (["-", "fired"], "fired"),
        (["-", "-"], "-"),
    ],
)
def test_several_looks_are_one_answer(looks: list[str], joined: str) -> None:
    answer = Said.joined([said(each) for each in looks])
    assert answer.codes.tolist() == said(joined).codes.tolist()


def test_rows_and_reasons() -> None:
    mine = WorldTable(("b", "a"), {"w": {"r": said("not_evaluated", "-", a0="no rate")}})
    other = WorldTable(("b", "a"), {"w": {"q": said("might", "fired")}})
    assert mine.with_rules_of(other).rows == (
        WorldRow("w", "a", "q", "fired"),
        WorldRow("w", "b", "q", "might", "inside the interval of the reading speed"),
        WorldRow("w", "b", "r", "not_evaluated", "no rate"),
    )
    assert mine.with_rules_of(other).rules("w", ("might", "not_evaluated")) == {"q", "r"}
    assert mine.rules("w", ("fired",)) == frozenset()


def test_the_same_of_each_attempt() -> None:
    table = WorldTable(("a", "b"), {"w": {"r": Said.everywhere(2, ERROR, "it broke")}})
    assert [(row.outcome, row.reason) for row in table.rows] == [("error", "it broke")] * 2
