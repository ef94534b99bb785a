from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.report import text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (146760, "146,760"), (0, "0"), (-5, "-5"), (300.0, "300"), (366.9, "366.9"), (327.68, "327.7"), (2.5, "2.50"),
        (0.107, "0.107"), (2.889e-8, "2.889e-8"), (1e-9, "1e-9"), (float("inf"), "∞"), (float("nan"), "not known"),
    ],
)  # fmt: skip
def test_number(value: float, shown: str) -> None:
    assert text.number(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"), (0.42, "0.42 s"), (9.994, "9.99 s"), (18.5, "18.5 s"), (59.94, "59.9 s"), (59.96, "1 min"), (60, "1 min"),
        (299.9, "5 min"), (375, "6 min 15 s"), (3599.6, "1 h"), (7500, "2 h 5 min"), (273600, "3 d 4 h"), (-90, "−1 min 30 s"),
        (float("inf"), "for ever"),
    ],
)  # fmt: skip
def test_duration(seconds: float, shown: str) -> None:
    assert text.duration(seconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 bytes"), (1023, "1,023 bytes"), (1024, "1.0 KiB"), (24 * 2**30, "24.0 GiB"), (3 * 2**40, "3,072.0 GiB")],
)
def test_size(count: float, shown: str) -> None:
    assert text.size(count) == shown


@pytest.mark.parametrize(
    ("value", "unit", "shown", "exact"),
    [
        (146760, "tokens", "146,760 tokens", "146,760 tokens"),
        (366.9, "s", "366.9 s", "366.9 s = 6 min 7 s"),
        (400.0, "tps", "400 tokens/s", "400.0 tokens/s"),
        (0.1069, "ratio", "10.7 %", "0.1069"),
        (1.81, "ratio", "1.81", "1.81"),
        (24 * 2**30, "bytes", "24.0 GiB", "25,769,803,776 bytes"),
        (None, "tokens", "not known", "not known"),
        (True, None, "yes", "true"),
        ("f16", None, "f16", "f16"),
    ],
)
def test_quantity(value: float | str | None, unit: str | None, shown: str, exact: str) -> None:
    assert text.quantity(value, unit) == (shown, exact)


def test_clock_is_the_servers_and_says_so() -> None:
    moment = datetime(2026, 2, 18, 10, 15, 22, 500_000)
    assert text.clock(moment, 3600) == ("11:15:22", "2026-02-18 11:15:22.500+01:00")
    assert text.clock(moment.replace(tzinfo=UTC), 3600) == text.clock(moment, 3600)
    assert text.clock(moment.replace(tzinfo=timezone(timedelta(hours=1))), 3600).text == "10:15:22"
    assert text.clock(None, 3600).text == "not known"
    assert [text.zone_name(s) for s in (None, 0, 3600, -12600)] == ["UTC", "UTC", "UTC+01:00", "UTC−03:30"]


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("a\x1b[31mb", "a⟨ESC⟩[31mb"), ("a\r\nb", "a⟨CR⟩\nb"), ("\u202eevil", "⟨U+202E⟩evil"), ("a\u200bb", "a⟨U+200B⟩b"),
        ("tab\tstays", "tab\tstays"), ("é ü 漢 🙂", "é ü 漢 🙂"), ("\x9b1m", "⟨U+009B⟩1m"), ("\ufeff", "⟨U+FEFF⟩"),
        ("\ud800", "⟨U+D800⟩"), ("\U000e0041", "⟨U+E0041⟩"),
    ],
)  # fmt: skip
def test_visible(given_text: str, shown: str) -> None:
    assert text.visible(given_text) == shown


@given(st.text())
def test_visible_leaves_nothing_that_acts(given_text: str) -> None:
    shown = text.visible(given_text)
    assert text.visible(shown) == shown
    assert not any((ord(c) < 32 and c not in "\t\n") or 0x202A <= ord(c) <= 0x202E for c in shown)


def test_clipped_says_how_much_is_missing() -> None:
    assert text.clipped("abc", 3) == "abc"
    assert text.clipped("a" * 3000, 10) == "a" * 10 + " … (2,990 more characters)"
