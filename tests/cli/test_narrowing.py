"""--since, --until, --last, --run and --model by the command line: judged and shown, but all of it read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from investigator.casefile.case import Case
from investigator.cli import main

from .conftest import FOUNDING, Run

pytestmark = pytest.mark.usefixtures("few_rules")

FAILURE = ("--since", "2026-02-18 11:00", "--until", "2026-02-18 12:00")


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The founding incident, read: each test judges it anew."""
    case = tmp_path_factory.mktemp("narrowing") / "why.case.duckdb"
    result = CliRunner().invoke(main, ["ingest", *FOUNDING, "--case", str(case)], prog_name="investigator")
    assert result.exit_code == 0, result.stderr
    return case


def test_a_report_of_an_hour(run: Run, case: Path) -> None:
    result = run("report", case, *FAILURE, "-o", "-", "--format", "json")
    found = json.loads(result.stdout)
    assert result.exit_code == 1, result.stderr
    assert found["narrowed"]["since"] == "2026-02-18 11:00:00 UTC+01:00"
    assert found["narrowed"]["kept"] == len(found["attempts"]) == 4 < found["narrowed"]["total"]
    assert found["incidents"][0]["impact"]["failed_calls"] == 3


def test_outside_of_the_failure_all_is_well_and_the_case_keeps_everything(run: Run, case: Path) -> None:
    result = run("analyze", case, "--until", "2026-02-17")
    assert result.exit_code == 0 and "Healthy" in result.stdout and "Narrowed" in result.stdout
    with Case(case, read_only=True) as opened:
        assert opened.connection.sql("SELECT count(*) FROM derived.attempts").fetchall() == [(34,)]


def test_nothing_in_the_span(run: Run, case: Path) -> None:
    result = run("analyze", case, "--since", "2027-01-01")
    assert "None of the 34 model calls is in what was asked for." in " ".join(result.stdout.split())


REFUSED = {
    "--model nonesuch": "there is v-128k",
    "--run nonesuch": "no call belongs to a run or session 'nonesuch'",
    "--last soon": "write it as 90m, 2h or 3d",
    "--since never": "no moment",
    "--since yesterday --last 2h": "exclude each other",
    "--since 2026-02-18 --until 2026-02-17": "--since is after --until",
}


@pytest.mark.parametrize(("options", "words"), REFUSED.items())
def test_what_cannot_be_asked(run: Run, case: Path, options: str, words: str) -> None:
    result = run("analyze", case, *options.split())
    assert result.exit_code == 2 and words in result.stderr and not result.stdout
