"""Tickets as a step of `scan`: what is filed in which night, and what is tried again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fakes
import pytest

from investigator.config import Config, Settings
from investigator.scan.nights import Change, Seen, Told
from investigator.scan.run import Outcome
from investigator.tickets.nightly import attach_nightly

IDENTITY = "0123456789ab"
FIRST = datetime(2026, 2, 18, 3, 0, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    tickets = {"to": "gitlab", "project": "acme/agents", "when": "worse"}
    scan = {"case": str(tmp_path / "nightly.duckdb"), "reports": str(tmp_path / "reports")}
    return Config(Settings.model_validate({"scan": scan, "tickets": tickets}))


def _at(config: Config, url: str) -> Config:
    tickets = config.settings.tickets.model_copy(update={"url": url})
    return replace(config, settings=config.settings.model_copy(update={"tickets": tickets}))


def _night(number: int, change: Change, html: str, reports: Path) -> Outcome:
    page = f"{number}/{IDENTITY}.html"
    (reports / page).parent.mkdir(parents=True, exist_ok=True)
    (reports / page).write_text(html.replace("15 min", f"{14 + number} min"), encoding="utf-8")
    seen = Seen(IDENTITY, "Prompts too long", "window", "high", "Too long.", "m", "server.log", 3)
    told = (Told(seen, change, 1, number, None),)
    return Outcome(number, 1, 100, "", told, (), (), (), (), (), reports, (page,))


def test_nights(config: Config, html: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """New: filed. Continuing: nothing. Worse: a comment. A night that failed is made up for by the next one."""
    monkeypatch.setenv("INVESTIGATOR_GITLAB_TOKEN", "a-token-of-a-test")
    with fakes.serve(fakes.GitLab()) as server:

        def night(number: int, change: Change) -> tuple[str, ...]:
            outcome = _night(number, change, html, tmp_path / "reports")
            return attach_nightly(_at(config, server.url), outcome, FIRST + timedelta(days=number))

        assert night(1, "new") == () and len(server.issues) == 1
        comments = len(server.issues[0].comments)
        assert night(2, "continuing") == () and len(server.issues[0].comments) == comments
        assert night(3, "worse") == ()
        assert "17 min" in server.issues[0].comments[-1] and len(server.issues) == 1

        server.faults = [fakes.Fault("POST .*/uploads", 403, '{"message": "403 Forbidden"}', times=99)]
        (trouble,) = night(4, "worse")
        assert "403" in trouble
        server.faults = []
        assert night(5, "continuing") == () and "19 min" in server.issues[0].comments[-1]
        assert night(6, "gone") == () and len(server.issues) == 1


def test_no_token_is_told_not_raised(config: Config, html: str, tmp_path: Path) -> None:
    outcome = _night(1, "new", html, tmp_path / "reports")
    (trouble,) = attach_nightly(_at(config, "https://gitlab.example.org"), outcome, FIRST)
    assert "INVESTIGATOR_GITLAB_TOKEN" in trouble


def test_nothing_is_asked_without_a_tracker(html: str, tmp_path: Path) -> None:
    assert attach_nightly(Config(Settings()), _night(1, "new", html, tmp_path), FIRST) == ()
