"""Texts of rules: what they may contain and how values read."""

from __future__ import annotations

import pytest

from investigator.rulebook.quantity import Quantity, say, say_exact
from investigator.rulebook.templates import MAX_TEXT_CHARS, check_template, render

NAMES = {
    "asked": Quantity(146760, "tokens"),
    "time": Quantity(366.9, "s"),
    "limit": Quantity(300.0, "s"),
    "kv": Quantity(25769803776, "bytes"),
    "rate": Quantity(436.8933, "tps"),
    "share": Quantity(0.1069, "ratio"),
    "slow": Quantity(2.889e-8, "s/tok2"),
    "gone": Quantity(None, "s"),
    "model": Quantity("v-128k"),
    "yes": Quantity(True),
    "count": Quantity(3),
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ asked }}", "146,760 tokens"),
        ("{{ asked | thousands }}", "146,760"),
        ("{{ asked | number }}", "146760"),
        ("{{ time }}", "6 min 7 s"),
        ("{{ time | seconds }}", "366.9 s"),
        ("{{ time | seconds(0) }}", "367 s"),
        ("{{ limit }}", "5 min"),
        ("{{ limit | seconds }}", "300 s"),
        ("{{ time | exact }}", "366.9 s"),
        ("{{ time | round_up(60) }}", "7 min"),
        ("{{ time | round_up(60) | number }}", "420"),
        ("{{ limit | round_up(60) | number }}", "300"),
        ("{{ asked | round_down(1000) | tokens }}", "146,000 tokens"),
        ("{{ rate | round }}", "437 tokens/s"),
        ("{{ rate | round | rate }}", "437 tokens/s"),
        ("{{ kv }}", "24.0 GiB"),
        ("{{ kv | gib }}", "24.0 GiB"),
        ("{{ kv | gb }}", "25.8 GB"),
        ("{{ share | percent }}", "11 %"),
        ("{{ slow }}", "2.889e-8 s/token²"),
        ("{{ gone }}", "unknown"),
        ("{{ gone | seconds }}", "unknown"),
        ("{{ gone | round_up(60) | number }}", "unknown"),
        ("{{ gone | or_else('a while') }}", "a while"),
        ("{{ model | or_else('M') }}", "v-128k"),
        ("{{ model }}", "v-128k"),
        ("{{ yes }}", "yes"),
        ("{% if gone %}a{% else %}b{% endif %}", "b"),
        ("{% if count > 1 %}{{ count }} tries{% endif %}", "3 tries"),
        ("{% if time > limit and model == 'v-128k' %}over{% endif %}", "over"),
        ("{% if not gone %}no{% endif %}", "no"),
        ("{% if gone > 1 %}a{% elif yes %}b{% endif %}", "b"),
        ("a < b & {{ model }}", "a < b & v-128k"),
    ],
)
def test_render(template: str, text: str) -> None:
    assert check_template(template, NAMES) == []
    assert render(template, NAMES) == text


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ 'a' * 10**10 }}", "`mul` is not allowed"),
        ("{{ 10**10 }}", "`pow` is not allowed"),
        ("{{ 'a' ~ 'b' }}", "`concat` is not allowed"),
        ("{{ 1 + 1 }}", "`add` is not allowed"),
        ("{% for x in model %}{{ x }}{% endfor %}", "`for` is not allowed"),
        ("{% set x = 1 %}", "`assign` is not allowed"),
        ("{{ model.__class__ }}", "`getattr` is not allowed"),
        ("{{ model['x'] }}", "`getitem` is not allowed"),
        ("{{ model() }}", "`call` is not allowed"),
        ("{% include 'x' %}", "`include` is not allowed"),
        ("{% import 'x' as y %}", "`import` is not allowed"),
        ("{% extends 'x' %}", "`extends` is not allowed"),
        ("{% macro m() %}{% endmacro %}", "`macro` is not allowed"),
        ("{% raw %}{{ x }}{% endraw %}{{ [1] }}", "`list` is not allowed"),
        ("{{ model if yes }}", "`condexpr` is not allowed"),
        ("{{ model is none }}", "`test` is not allowed"),
        ("{{ nope }}", "`nope` is neither"),
        ("{{ model | center(99999999) }}", "no filter is called `center`"),
        ("{{ model | upper }}", "no filter is called `upper`"),
        ("{{ range }}", "`range` is neither"),
        ("{{ model", "template:"),
    ],
)
def test_refused(template: str, says: str) -> None:
    assert any(says in complaint.message for complaint in check_template(template, NAMES))


def test_the_line_of_a_complaint() -> None:
    (complaint,) = check_template("one\ntwo {{ nope }}\nthree", NAMES)
    assert (complaint.line, complaint.word) == (2, "nope")


def test_a_long_text_is_cut() -> None:
    assert len(render("{{ model }}", {"model": Quantity("x" * (MAX_TEXT_CHARS + 5))})) == MAX_TEXT_CHARS


def test_values_are_not_templates() -> None:
    assert render("{{ model }}", {"model": Quantity("{{ asked }} <script>")}) == "{{ asked }} <script>"


@pytest.mark.parametrize(
    ("value", "unit", "words", "exact"),
    [
        (375, "s", "6 min 15 s", "375 s"),
        (0.4, "s", "0.4 s", "0.4 s"),
        (400.0, "tps", "400 tokens/s", "400 tokens/s"),
        (0.1, None, "0.1", "0.1"),
        (1234.56, None, "1,234.6", "1,234.6"),
        (None, "tokens", "unknown", "unknown"),
        (float("inf"), "s", "without limit", "without limit"),
        (float("nan"), "tps", "unknown", "unknown"),
        (False, None, "no", "no"),
    ],
)
def test_values(value: float | None, unit: str | None, words: str, exact: str) -> None:
    assert say_exact(value, unit) == exact
    assert words == exact if unit != "s" or value == float("inf") else say(value, unit) == words
