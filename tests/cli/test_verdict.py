"""The verdict on one screen, from a diagnosis made by hand."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console
from rich.text import Text

from investigator.cli.verdict import Section, fit, print_verdict
from investigator.diagnosis.model import Diagnosis, Verdict
from tests.report.sample import HOSTILE, diagnosis

REPORT = "a-folder-with-a-long-name/" * 4 + "report.html"


def printed(told: Diagnosis, width: int = 80, *, terminal: bool = False, no_color: bool = False) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=terminal, no_color=no_color, markup=False, highlight=False)
    print_verdict(console, told, REPORT, "a.case.duckdb")
    return file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_fits_one_screen(width: int) -> None:
    lines = printed(diagnosis(), width).splitlines()
    assert len(lines) <= 24
    assert max(len(line) for line in lines if REPORT not in line) <= min(width, 100)
    assert any(line.endswith(REPORT) for line in lines), "a path is never cut"


def test_holds_what_decides() -> None:
    text = " ".join(printed(diagnosis()).split())
    for part in (
        "Cause found",
        "severity high",
        "366.9 s",
        "≈ 541.7 s",
        "Memory did not fit",
        "saves 3 of 3",
        "847 lines",
    ):
        assert part in text
    assert text.index("run limit 300 s → 900 s alone") < text.index("Fix")


def test_many_incidents_still_fit() -> None:
    one = diagnosis()
    many = replace(one, incidents=(one.incidents[0],) * 9)
    text = printed(many)
    assert len(text.splitlines()) <= 24 and "Also" in text


@pytest.mark.parametrize(("kind", "sign"), [("healthy", "✔"), ("insufficient", "…"), ("unexplained", "?")])
def test_without_incidents(kind: str, sign: str) -> None:
    told = replace(diagnosis(), incidents=(), verdict=Verdict(kind, "Nothing to see."))  # type: ignore[arg-type]
    lines = printed(told).splitlines()
    assert lines[0].startswith(sign) and lines[1] == "Nothing to see."
    assert [line.split()[0] for line in lines[3:] if line.strip() and not line.startswith(" ")][:1] == ["Report"]


def test_foreign_text_is_no_markup_and_no_escape() -> None:
    told = replace(diagnosis(), verdict=Verdict("unexplained", f"[bold]{HOSTILE}"))
    text = printed(told, 100)
    assert "[bold]<script>" in text and "\x1b" not in text and "\u202e" not in text


@pytest.mark.parametrize(
    ("terminal", "no_color", "coloured"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_colour_only_where_wanted(terminal: bool, no_color: bool, coloured: bool) -> None:
    text = printed(diagnosis(), terminal=terminal, no_color=no_color)
    assert ("\x1b[1;31m" in text) is coloured


def section(lines: int, least: int, rank: int) -> Section:
    return Section("x", (Text("x"),) * lines, least, rank)


@pytest.mark.parametrize(
    ("sections", "room", "expected"),
    [
        ([section(3, 1, 0), section(3, 1, 1)], 2, [1, 1]),
        ([section(3, 1, 1), section(3, 1, 0)], 4, [1, 3]),
        ([section(3, 1, 0), section(3, 1, 1)], 99, [3, 3]),
        ([section(0, 2, 0), section(5, 2, 1)], 3, [0, 3]),
        ([section(3, 2, 0)], 1, [2]),
    ],
)
def test_fit(sections: list[Section], room: int, expected: list[int]) -> None:
    assert fit(sections, room) == expected


def test_speaks_the_reports_language() -> None:
    file = io.StringIO()
    console = Console(file=file, width=80, markup=False, highlight=False)
    print_verdict(console, diagnosis(), REPORT, None, lang="de")
    text = file.getvalue()
    assert "Ursache gefunden · Schwere hoch" in text and "Ausgeschlossen" in text and "366,9 s" in text
    assert "Ruled out" not in text and max(len(line) for line in text.splitlines() if REPORT not in line) <= 80


def test_a_cause_that_explains_nothing_is_not_summed() -> None:
    base = diagnosis()
    first, *others = base.incidents[0].causes
    causes = (first, *(replace(line, explains=0) for line in others))
    assert "366.9 s" in printed(base)
    assert printed(replace(base, incidents=(replace(base.incidents[0], causes=causes),)))
