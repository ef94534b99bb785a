"""A user's own mapping files: named with --mapping or kept in the settings folder, and mistakes in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Run

pytestmark = pytest.mark.usefixtures("few_rules")

MAPPING = """\
id: my-agent
title: my agent, call log
agent: my-agent
recognise:
  - [kind, at, llm.model]
records:
  - when: {kind: [answer, failure]}
    table: agent_call
    stamp: at
    errors: [error.text]
    columns:
      model: llm.model
      started_at: {path: at, before: ms, scale: 0.001}
      ended_at: at
      finish_reason: {path: kind, map: {answer: stop, failure: error}}
"""
LINES = (
    {"kind": "answer", "at": "2026-11-02T09:00:10Z", "ms": 4000, "llm": {"model": "m:1b"}},
    {
        "kind": "failure",
        "at": "2026-11-02T09:05:10Z",
        "ms": 300000,
        "llm": {"model": "m:1b"},
        "error": {"text": "Request timed out."},
    },
)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A mapping file and a log of the agent that it describes; the user's settings folder is empty."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    mapping, log = tmp_path / "own.yaml", tmp_path / "calls.jsonl"
    mapping.write_text(MAPPING, encoding="utf-8")
    log.write_text("".join(json.dumps(line) + "\n" for line in LINES), encoding="utf-8")
    return mapping, log


def test_without_the_mapping_the_file_is_unknown(run: Run, own: tuple[Path, Path]) -> None:
    result = run("coverage", own[1], "--json")
    assert result.exit_code == 3 and "text of no known format" in result.stderr


def test_mapping_named_on_the_command_line(run: Run, own: tuple[Path, Path], tmp_path: Path) -> None:
    mapping, log = own
    [source] = json.loads(run("coverage", log, "--mapping", mapping, "--json").stdout)
    assert (source["format"], source["facts"], source["unrecognised"]) == ("my-agent", 2, 0)
    case = tmp_path / "own.duckdb"
    assert run("ingest", log, "--case", case, "--mapping", mapping).exit_code == 0
    report = run("investigate", log, "--mapping", mapping, "--json", "--no-case")
    assert report.exit_code in (0, 1), report.stderr
    assert "my-agent" in report.stdout
    sql = "SELECT model, finish_reason, error_class FROM facts.agent_call ORDER BY ended_at"
    rows = run("query", case, sql, "--format", "json")
    assert rows.exit_code == 0, rows.output
    assert [row["error_class"] for row in json.loads(rows.stdout)] == [None, "timeout"]


def test_mapping_kept_in_the_settings_folder(run: Run, own: tuple[Path, Path], tmp_path: Path) -> None:
    mapping, log = own
    kept = tmp_path / "settings" / "investigator" / "mappings"
    kept.mkdir(parents=True)
    mapping.rename(kept / "own.yaml")
    [source] = json.loads(run("coverage", log, "--json").stdout)
    assert source["format"] == "my-agent"


@pytest.mark.parametrize("command", ["coverage", "investigate", "ingest"])
def test_a_mistake_is_told_with_file_and_line(run: Run, own: tuple[Path, Path], tmp_path: Path, command: str) -> None:
    mapping, log = own
    mapping.write_text(MAPPING.replace("table: agent_call", "table: agent_cal"), encoding="utf-8")
    more = ["--case", tmp_path / "c.duckdb"] if command == "ingest" else []
    result = run(command, log, "--mapping", mapping, *more)
    assert result.exit_code == 2
    assert f"{mapping}:8: no table 'agent_cal' (did you mean 'agent_call'?)" in result.stderr
    assert "docs/mapping.md" in result.stderr


def test_a_mapping_that_is_not_there(run: Run, own: tuple[Path, Path]) -> None:
    result = run("coverage", own[1], "--mapping", "nowhere.yaml")
    assert result.exit_code == 2 and "nowhere.yaml: cannot be read" in result.stderr
