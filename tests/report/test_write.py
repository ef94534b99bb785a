from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from investigator.errors import DeliveryProblem
from investigator.report import write_report


def test_writes_whole_and_private(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.write_text("old")
    target.chmod(0o644)
    write_report(target, "neu ü\n")
    assert target.read_bytes() == "neu ü\n".encode()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["report.html"]


def test_does_not_follow_a_link(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    link = tmp_path / "report.html"
    link.symlink_to(other)
    write_report(link, "x")
    assert other.read_text() == "mine" and not link.is_symlink()


def test_says_where_it_could_not(tmp_path: Path) -> None:
    with pytest.raises(DeliveryProblem, match="cannot be written") as caught:
        write_report(tmp_path / "missing" / "report.html", "x")
    assert caught.value.hint is not None


def test_a_directory_in_the_way_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(DeliveryProblem):
        write_report(tmp_path / "report.html", "x")
    assert os.listdir(tmp_path) == ["report.html"]
