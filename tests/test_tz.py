"""From a log in a bundle to the report: the zone that a user gives, and what was assumed, are told."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from investigator.errors import UsageProblem
from investigator.pipeline import investigate
from investigator.rulebook.pack import RuleSet

ACCESS = '[GIN] 2026/02/18 - 11:15:{:02} | 200 |      4.1s |       127.0.0.1 | POST     "/api/chat"\n'


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "logs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("server.log", "".join(ACCESS.format(n) for n in range(5)))
    return path


@pytest.mark.parametrize(
    ("tz", "basis"),
    [("Europe/Berlin", "in the time zone that was given"), (None, "as if they were UTC; the time between them holds")],
)
def test_what_was_assumed_is_shown(bundle: Path, tz: str | None, basis: str) -> None:
    diagnosis = investigate([bundle], rules=RuleSet(()), tz=tz)
    assert [(a.about, a.value) for a in diagnosis.assumptions] == [("times of logs.zip!server.log", basis)]
    assert diagnosis.zone_offset_s == (3600 if tz else None)


def test_a_zone_that_does_not_exist_is_a_problem_of_use(bundle: Path) -> None:
    with pytest.raises(UsageProblem, match="Europe/Atlantis"):
        investigate([bundle], tz="Europe/Atlantis")
