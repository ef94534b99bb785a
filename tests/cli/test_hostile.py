"""What a stranger wrote into a log is text, in every output."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from .conftest import ROOT, Run

pytestmark = pytest.mark.usefixtures("few_rules")

MARKUP = '<script>alert("x")</script> {{ 7*7 }} {% raw %} [bold red]rich[/] </pre>'
ESCAPES = "\x1b[31mred\x1b]8;;http://x.example\x07link\x1b]8;;\x07 \u202eevil\u202c \x9b2J"
SECRET = "sk-ant-api03-Zx9Zx9Zx9Zx9Zx9Zx9Zx9"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def hostile_log(tmp_path: Path) -> Path:
    """The log of a crash with hostile lines around each line of it that is an error or a warning."""
    log = ROOT / "fixtures" / "logs" / "runner-crash" / "server.log"
    lines = []
    for line in log.read_text(encoding="utf-8").splitlines():
        lines.append(line)
        if "level=ERROR" in line or "level=WARN" in line or "panic" in line:
            lines += [f"{MARKUP} {ESCAPES} Authorization: Bearer {SECRET}"]
    path = tmp_path / "server.log"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("format_", ["html", "md", "json"])
def test_reports(run: Run, hostile_log: Path, format_: str) -> None:
    result = run("investigate", hostile_log, "-o", "-", "--format", format_)
    assert result.exit_code in (0, 1, 3), result.stderr
    text = result.stdout_bytes.decode("utf-8")
    assert not RAW.search(text)
    assert SECRET not in text
    assert "alert(" in text, "the hostile line is not in the report, so this test shows nothing"
    if format_ == "html":
        assert "<script" not in text.lower()
    if format_ == "json":
        assert MARKUP in " ".join(
            neighbour for line in json.loads(text)["evidence"] for _, neighbour in line["before"] + line["after"]
        )


@pytest.mark.parametrize(
    "args",
    [
        ("investigate", "server.log"),
        ("coverage", "server.log"),
        ("coverage", "server.log", "--json"),
    ],
)
def test_terminal(run: Run, hostile_log: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    result = run(*args)
    assert not RAW.search(result.stdout) and not RAW.search(result.stderr)
    assert SECRET not in result.stdout + result.stderr
    if args[0] == "coverage":
        assert "[bold red]rich[/]" in result.stdout


def test_query(run: Run, hostile_log: Path) -> None:
    run("ingest", hostile_log, "--case", "a.duckdb")
    for format_ in ("table", "csv", "json"):
        answer = run("query", "a.duckdb", "FROM meta.unrecognised", "--format", format_)
        assert answer.exit_code == 0, answer.stderr
        assert "{{ 7*7 }}" in answer.stdout and SECRET not in answer.stdout
        if format_ != "csv":  # a file gets what stands there
            assert not RAW.search(answer.stdout)


def test_hostile_file_name(run: Run, tmp_path: Path) -> None:
    odd = tmp_path / "\x1b[31m[bold]x.log"
    odd.write_bytes(b"\x00\x01")
    result = run("coverage", odd)
    assert result.exit_code == 3
    assert "⟨ESC⟩[31m[bold]x.log: a binary file" in result.stderr and "\x1b" not in result.stderr
