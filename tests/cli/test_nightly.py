"""scan, config, schedule and reports as an operator types them."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from investigator.scan.lock import scan_lock

from .conftest import ROOT, Run

pytestmark = pytest.mark.usefixtures("few_rules")

CONFIG = """
[scan]
sources = ["logs"]
case = "nightly.duckdb"
reports = "reports"

[notify]
urls = ["slack://TokenA/TokenB/TokenC", "$ALERT_URL"]
healthcheck = "https://ping.example.org/uuid"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    (tmp_path / "investigator.toml").write_text(CONFIG)
    return tmp_path


def test_config_show_hides_what_is_secret(run: Run, folder: Path) -> None:
    result = run("config", "show")
    shown = json.loads(result.stdout)
    assert shown["scan"]["lookback"] == "1d"
    assert shown["notify"]["urls"][0] == "slack://…"
    assert "TokenA" not in result.output
    assert "uuid" not in result.output


def test_config_check_tells_every_fault(run: Run, folder: Path) -> None:
    (folder / "investigator.toml").write_text("[scan]\nsorces = []\nnice = 99\n")
    result = run("config", "check")
    assert result.exit_code == 2
    assert "investigator.toml:2:1: unknown key 'sorces'" in result.stderr
    assert "investigator.toml:3:1: scan.nice" in result.stderr


def test_config_schema_is_one(run: Run) -> None:
    assert json.loads(run("config", "schema").stdout)["properties"]["scan"]


def test_schedule_show_names_the_configuration(run: Run, folder: Path) -> None:
    result = run("schedule", "show", "--kind", "systemd-user", "--at", "02:15")
    assert "OnCalendar=*-*-* 02:15:00" in result.stdout
    assert f"--config {folder / 'investigator.toml'}" in result.stdout


def test_without_sources_there_is_nothing_to_scan(run: Run) -> None:
    result = run("scan")
    assert result.exit_code == 2
    assert "sources" in result.stderr


def test_a_second_scan_is_refused(run: Run, folder: Path) -> None:
    with scan_lock(folder / "nightly.duckdb.lock", datetime.now(UTC)):
        result = run("scan")
    assert result.exit_code == 75
    assert "another scan is running: process" in result.stderr


def test_dry_run_changes_nothing(run: Run, folder: Path) -> None:
    shutil.copy(ROOT / "fixtures" / "logs" / "runner-crash" / "server.log", folder / "logs")
    before = sorted(folder.rglob("*"))
    result = run("scan", "--dry-run")
    assert result.exit_code == 0
    assert str(folder / "logs" / "server.log") in result.stdout
    assert sorted(folder.rglob("*")) == before


def test_a_night_then_an_unchanged_one(run: Run, folder: Path) -> None:
    (folder / "investigator.toml").write_text(
        '[scan]\nsources = ["logs"]\ncase = "nightly.duckdb"\nreports = "reports"\n'
    )
    shutil.copy(ROOT / "fixtures" / "logs" / "runner-crash" / "server.log", folder / "logs")
    first = run("scan", "--json")
    outcome = json.loads(first.stdout)
    assert first.exit_code == 1
    assert "runner_crash" in {incident["cause"] for incident in outcome["incidents"]}
    assert (folder / "reports" / outcome["pages"][0]).is_file()
    assert (folder / "reports" / "index.html").is_file()
    again = run("scan", "--json")
    assert (again.exit_code, json.loads(again.stdout)["read_bytes"]) == (0, 0)
    assert run("reports", "prune").stdout == "removed 0 pages\n"


@pytest.mark.parametrize("when", ["the day before", "Feb 32nd of never"])
def test_since_is_understood_or_refused(run: Run, folder: Path, when: str) -> None:
    result = run("scan", "--since", when)
    assert result.exit_code == 2
    assert "no moment" in result.stderr
