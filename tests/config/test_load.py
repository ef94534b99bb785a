"""The configuration: where it is found, what it means, and how its faults are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from investigator.config import find_config, load_config
from investigator.config.load import ConfigProblems
from investigator.errors import ConfigProblem

GOOD = """
[scan]
sources = ["/var/log/ollama/*.log", "~/.openclaw"]
journal = ["ollama.service"]
case = "nightly.case.duckdb"
lookback = "36h"
memory = "512 MB"

[scan.keep]
age = "4w"

[notify]
urls = ["$NTFY_URL"]
when = "new"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "investigator.toml"


def test_units_become_numbers(file: Path) -> None:
    file.write_text(GOOD)
    config = load_config(file)
    scan = config.settings.scan
    assert (scan.lookback, scan.memory, scan.keep.age) == (129_600, 512_000_000, 2_419_200)
    assert config.resolved(scan.case) == file.parent / "nightly.case.duckdb"
    assert config.settings.notify.when == "new"


def test_without_a_file_all_is_as_built_in() -> None:
    assert load_config(None).settings.scan.sources == ()


FAULTS = {
    "unknown key, with the nearest": (
        '[scan]\nsorces = ["x"]\n',
        "2:1: unknown key 'sorces'",
        "did you mean 'sources'?",
    ),
    "unknown table": ("[scna]\n", "1:2: unknown key 'scna'", "did you mean 'scan'?"),
    "nested": ('[scan]\n[scan.keep]\nage = "3 lightyears"\n', "3:1: scan.keep.age: no unit of time", ""),
    "a number without unit": ("[scan]\nlookback = 36\n", "2:1: scan.lookback: a number with its unit", ""),
    "not one of the choices": ('[notify]\nwhen = "sometimes"\n', "2:1: notify.when: Input should be 'new'", ""),
    "dotted keys": ('scan.keep.age = "x"\n', "1:1: scan.keep.age", ""),
    "after a long text": (
        '[private]\nnote = """\n[scan]\nlookback = 1\n"""\n[scan]\nnice = 99\n',
        "7:1: scan.nice",
        "",
    ),
    "no TOML": ("[scan\n", "1:6: not TOML", "correct the line"),
}


@pytest.mark.parametrize("text, where, hint", FAULTS.values(), ids=FAULTS.keys())
def test_faults_point_at_their_line(file: Path, text: str, where: str, hint: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigProblem) as caught:
        load_config(file)
    assert f"{file}:{where}" in str(caught.value)
    assert hint in str(caught.value)


def test_all_faults_at_once(file: Path) -> None:
    file.write_text('[notify]\nwhen = "x"\n[scan]\nnice = 99\nbogus = 1\n')
    with pytest.raises(ConfigProblems) as caught:
        load_config(file)
    assert [problem.line for problem in caught.value.problems] == [2, 4, 5]


def test_nearest_file_wins(tmp_path: Path) -> None:
    here, users = tmp_path / "here", tmp_path / "users"
    here.mkdir()
    users.mkdir()
    assert find_config(here, users) is None
    (users / "config.toml").write_text(GOOD)
    assert find_config(here, users) == users / "config.toml"
    project = here / "pyproject.toml"
    project.write_text("[tool.other]\n")
    assert find_config(here, users) == users / "config.toml"
    project.write_text('[tool.investigator.scan]\nlookback = "2d"\n')
    assert find_config(here, users) == project
    assert load_config(project).settings.scan.lookback == 172_800
    (here / "investigator.toml").write_text(GOOD)
    assert find_config(here, users) == here / "investigator.toml"


def test_fault_in_a_pyproject(tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text('[project]\nname = "x"\n\n[tool.investigator.scan]\nlookbak = "2d"\n')
    with pytest.raises(ConfigProblems, match=r"pyproject\.toml:5:1: unknown key 'lookbak'"):
        load_config(project)
