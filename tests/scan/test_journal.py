"""The journal's entries are spooled; the spool's last whole line says where to go on."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from investigator.errors import InputProblem
from investigator.scan import journal
from investigator.scan.journal import fetch, spool_path

# Prints the entries after --after-cursor of a list of ten, and remembers its arguments.
PROGRAM = """#!/bin/sh
after=0
echo "$@" >> {log}
while [ $# -gt 0 ]; do [ "$1" = --after-cursor ] && after=${{2#c}}; shift; done
i=$((after + 1))
last=$(cat {last})
while [ $i -le $last ]; do echo "{{\\"__CURSOR\\":\\"c$i\\",\\"MESSAGE\\":\\"line $i\\"}}"; i=$((i + 1)); done
"""


@pytest.fixture
def command(tmp_path: Path) -> Path:
    program = tmp_path / "journalctl"
    program.write_text(PROGRAM.format(log=tmp_path / "log", last=tmp_path / "last"))
    program.chmod(0o755)
    return program


def said(spool: Path) -> list[str]:
    return [json.loads(line)["MESSAGE"] for line in spool.read_text().splitlines()]


def entries(tmp_path: Path, last: int) -> None:
    (tmp_path / "last").write_text(str(last))


def test_each_entry_once(tmp_path: Path, command: Path) -> None:
    entries(tmp_path, 3)
    spool = fetch(tmp_path / "spool", "ollama.service", str(command), since="2 days ago")
    entries(tmp_path, 5)
    fetch(tmp_path / "spool", "ollama.service", str(command))
    fetch(tmp_path / "spool", "ollama.service", str(command))
    assert said(spool) == [f"line {n}" for n in range(1, 6)]
    assert "--since 2 days ago" in (tmp_path / "log").read_text().splitlines()[0]
    assert stat.S_IMODE(spool.stat().st_mode) == 0o600


def test_a_half_written_entry_is_fetched_again(tmp_path: Path, command: Path) -> None:
    entries(tmp_path, 3)
    spool = fetch(tmp_path / "spool", "u", str(command))
    text = spool.read_text()
    spool.write_text(text[: text.rindex("{") + 20])
    fetch(tmp_path / "spool", "u", str(command))
    assert said(spool) == ["line 1", "line 2", "line 3"]


def test_a_large_spool_steps_aside(tmp_path: Path, command: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SPOOL_BYTES", 60)
    entries(tmp_path, 3)
    spool = fetch(tmp_path / "spool", "u", str(command))
    entries(tmp_path, 4)
    fetch(tmp_path / "spool", "u", str(command))
    assert said(spool) == ["line 4"]
    assert said(spool_path(tmp_path / "spool", "u").with_name(spool.name + ".1")) == ["line 1", "line 2", "line 3"]


def test_without_journalctl(tmp_path: Path) -> None:
    with pytest.raises(InputProblem, match="not installed"):
        fetch(tmp_path, "u", str(tmp_path / "nothing"))
