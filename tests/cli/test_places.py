"""`investigate` without a path: what it finds by system and variables, the question, and what is read."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from investigator.sources.places import Around, System, find, known_places

from .conftest import ROOT, Run

pytestmark = pytest.mark.usefixtures("few_rules")

OPENCLAW = ROOT / "fixtures" / "founding-incident" / "openclaw"


def around(home: Path, system: System = "linux", **env: str) -> Around:
    return Around(system, home, home / "project", {"TMPDIR": str(home / "tmp"), **env}, home / "root")


def put(path: Path, text: str = "x\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("system", "env", "file", "what"),
    [
        ("linux", {}, ".ollama/logs/server.log", "Ollama"),
        ("macos", {}, ".ollama/logs/server-1.log", "Ollama"),
        ("windows", {"LOCALAPPDATA": "{home}/Local"}, "Local/Ollama/server.log", "Ollama"),
        ("linux", {}, "root/etc/systemd/system/ollama.service.d/override.conf", "Ollama"),
        ("linux", {}, ".openclaw/agents/main/sessions/a.jsonl", "OpenClaw"),
        ("linux", {"OPENCLAW_STATE_DIR": "{home}/state"}, "state/agents/main/agent/openclaw-agent.sqlite", "OpenClaw"),
        ("windows", {}, "tmp/openclaw-1000/openclaw-2026-11-02.log", "OpenClaw"),
        ("linux", {"CODEX_HOME": "{home}/cx"}, "cx/sessions/2026/11/02/rollout-1.jsonl", "Codex CLI"),
        ("linux", {"XDG_DATA_HOME": "{home}/d"}, "d/opencode/opencode.db", "OpenCode"),
        ("macos", {}, ".local/share/opencode/log/opencode.log", "OpenCode"),
        (
            "macos",
            {},
            "Library/Application Support/Cursor/User/globalStorage/saoudrizwan.claude-dev/tasks/1/ui.json",
            "Cline",
        ),
        ("linux", {}, ".config/Code/User/globalStorage/rooveterinaryinc.roo-cline/tasks/1/ui.json", "Roo Code"),
        ("windows", {"APPDATA": "{home}/R"}, "R/Block/goose/data/sessions/sessions.db", "Goose"),
        ("linux", {"XDG_STATE_HOME": "{home}/s"}, "s/goose/logs/llm_request.0.jsonl", "Goose"),
        ("linux", {}, "project/.aider.chat.history.md", "Aider"),
        ("linux", {}, "project/.crush/crush.db", "Crush"),
        ("linux", {"DATA_DIR": "{home}/webui"}, "webui/webui.db", "Open WebUI"),
    ],
)
def test_each_place_is_found(tmp_path: Path, system: System, env: dict[str, str], file: str, what: str) -> None:
    home = tmp_path / "a [home]"
    (home / "project").mkdir(parents=True)
    path = put(home / file)
    os.utime(path, (1_795_000_000, 1_795_000_000))
    filled = {name: value.format(home=home) for name, value in env.items()}
    [found] = find(known_places(around(home, system, **filled)))
    assert (found.what, found.files, found.size_bytes, found.newest_s) == (what, 1, 2, 1_795_000_000)


def test_files_of_keys_and_other_systems_are_not_found(tmp_path: Path) -> None:
    for file in (".codex/auth.json", ".pi/agent/auth.json", ".openclaw/credentials/x.json", "Local/Ollama/server.log"):
        put(tmp_path / file)
    assert find(known_places(around(tmp_path, "linux", LOCALAPPDATA=str(tmp_path / "Local")))) == ()


def test_every_place_says_where_it_is_documented(tmp_path: Path) -> None:
    for system in ("linux", "macos", "windows"):
        assert all(place.patterns and place.source for place in known_places(around(tmp_path, system)))


@pytest.fixture
def fake_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with one agent's files, on a machine that has no journal of Ollama."""
    home = tmp_path / "home"
    # Without the log and the sessions that failed: what would have helped is not asked here.
    shutil.copytree(OPENCLAW, home / ".openclaw", ignore=shutil.ignore_patterns("*.log", "[12abc]*.jsonl"))
    put(home / ".claude" / "settings.json", '{"theme": "dark"}\n')
    for name in list(os.environ):
        if name.startswith(("XDG_", "OPENCLAW_", "CLAUDE_", "CODEX_", "OLLAMA_")) and name != "XDG_CACHE_HOME":
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TMPDIR", str(home / "no-temp"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("investigator.cli.places.shutil.which", lambda name: None)
    return home


def formats_of(run: Run) -> dict[str, str]:
    """What the case holds: path of each source and its format."""
    told = run("query", "found.duckdb", "SELECT path, format FROM meta.sources", "--format", "json")
    return {row["path"]: row["format"] for row in json.loads(told.stdout)}


def test_yes_reads_what_was_found(run: Run, fake_home: Path) -> None:
    result = run("investigate", "--yes", "--case", "found.duckdb", "-o", "why.json")
    assert "~/.openclaw/agents/main/sessions" in result.stderr
    assert {"openclaw-session", "openclaw-config"} <= set(formats_of(run).values())
    # settings.json of another kind was found by us, not named by the user: no news.
    assert "settings.json" not in result.stderr.replace("~/.claude/settings.json", "")
    assert result.exit_code in (0, 1)


def test_nobody_to_ask(run: Run, fake_home: Path) -> None:
    result = run("investigate")
    assert result.exit_code == 2
    assert "OpenClaw" in result.stderr and "--yes" in result.stderr
    assert not list(Path.cwd().glob("*.html"))


@pytest.mark.parametrize(("answer", "codes"), [("n\n", {130}), ("y\n", {0, 1})])
def test_the_question(run: Run, fake_home: Path, monkeypatch: pytest.MonkeyPatch, answer: str, codes: set[int]) -> None:
    monkeypatch.setattr("investigator.cli.places.sys", _Terminal())
    result = run("investigate", "--no-case", stdin=answer)
    assert "Read these?" in result.stderr
    assert result.exit_code in codes
    assert bool(list(Path.cwd().glob("*.html"))) is (answer == "y\n")


class _Terminal:
    """`sys` as far as the question needs it."""

    platform = sys.platform

    class stdin:
        @staticmethod
        def isatty() -> bool:
            return True


def test_nothing_found(run: Run, tmp_path: Path, fake_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "empty"))
    monkeypatch.setattr("investigator.sources.places.find", lambda places: ())
    result = run("investigate", "--yes")
    assert result.exit_code == 2
    assert "no PATH given" in result.stderr and "Ollama" in result.stderr


JOURNAL = """#!/bin/sh
line='2026-11-02T09:12:03.000000+0100 box ollama[7]: [GIN] 2026/11/02 - 09:12:03 | 200 | 1.5s | 127.0.0.1 | POST "/api/chat"'
echo "$line"
"""


def test_the_journal_is_read(run: Run, fake_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (fake_home / "bin").mkdir()
    put(fake_home / "bin" / "journalctl", JOURNAL).chmod(0o755)
    (fake_home / "no-temp").mkdir()
    monkeypatch.setenv("PATH", f"{fake_home / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("investigator.cli.places.shutil.which", lambda name: str(fake_home / "bin" / name))
    result = run("investigate", "--yes", "--case", "found.duckdb", "-o", "why.json")
    assert "journalctl --unit ollama" in result.stderr and "2026-11-02 08:12Z" in result.stderr
    [journal] = [path for path in formats_of(run) if path.endswith("ollama.journal.log")]
    assert formats_of(run)[journal] == "ollama-server"
