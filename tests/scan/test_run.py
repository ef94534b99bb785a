"""Nights in a row: what is new, what goes on, what is gone, and what a killed scan leaves to the next one."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from investigator import __version__
from investigator.casefile.case import Case
from investigator.casefile.follow import follow
from investigator.config import load_config
from investigator.pipeline import builtin_rules
from investigator.scan.book import Versions
from investigator.scan.run import Outcome, scan

NIGHT = datetime(2026, 2, 18, 3, 30, tzinfo=UTC)
CONFIG = '[scan]\nsources = ["logs"]\ncase = "nightly.duckdb"\nreports = "reports"\nfail_on = "medium"\n'


class Nightly:
    """A folder with logs and a configuration; each call is a night."""

    def __init__(self, folder: Path, fixtures: Path) -> None:
        self.folder, self._fixtures = folder, fixtures / "logs"
        (folder / "logs").mkdir()
        (folder / "investigator.toml").write_text(CONFIG)
        self._night = 0

    def put(self, fixture: str, name: str = "server.log") -> None:
        """The fixture's log goes on in `name`."""
        with (self.folder / "logs" / name).open("ab") as file:
            for path in sorted((self._fixtures / fixture).rglob("*.log")):
                file.write(path.read_bytes())

    def __call__(self) -> Outcome:
        self._night += 1
        return scan(load_config(self.folder / "investigator.toml"), NIGHT + timedelta(days=self._night))


@pytest.fixture
def nightly(tmp_path: Path, fixtures_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Nightly:
    """Judged by a few rules: all of them take a second each night."""
    few = builtin_rules().only(["crash-ruled-out", "model-not-found", "out-of-gpu-memory", "runner-crash"])
    monkeypatch.setattr("investigator.scan.judge.builtin_rules", lambda _: few)
    return Nightly(tmp_path, fixtures_dir)


def changes(outcome: Outcome) -> list[tuple[str | None, str]]:
    return [(told.seen.cause, told.change) for told in outcome.told]


def test_new_then_quiet_then_gone(nightly: Nightly) -> None:
    nightly.put("runner-crash")
    first = nightly()
    assert ("runner_crash", "new") in changes(first)
    assert first.exit_code == 1
    page = first.pages[0]
    assert "server.log:" in (first.reports / page).read_text()
    quiet = nightly()
    assert (quiet.read_bytes, changes(quiet), quiet.exit_code) == (0, [], 0)
    shutil.rmtree(nightly.folder / "logs")
    (nightly.folder / "logs").mkdir()
    nightly.put("healthy-day")
    assert set(changes(nightly())) == {(cause, "gone") for cause, _ in changes(first)}
    index = (first.reports / "index.html").read_text()
    assert "No open incident" in index
    assert page in index


def test_a_scan_that_was_killed_before_it_judged_is_made_up_for(nightly: Nightly) -> None:
    nightly.put("runner-crash")
    with Case(nightly.folder / "nightly.duckdb") as case:
        follow([nightly.folder / "logs"], case)
    outcome = nightly()
    assert outcome.read_bytes == 0
    assert ("runner_crash", "new") in changes(outcome)


def test_when_only_the_rules_changed_the_scan_says_so(nightly: Nightly, monkeypatch: pytest.MonkeyPatch) -> None:
    nightly.put("runner-crash")
    nightly()
    monkeypatch.setattr("investigator.scan.run.versions_of", lambda _: Versions(__version__, "other rules", "x"))
    again = nightly()
    assert again.reason == "judged anew, because of the rules and the catalogue"
    assert ("runner_crash", "continuing") in changes(again)
    assert again.reason in (again.reports / "index.html").read_text()
