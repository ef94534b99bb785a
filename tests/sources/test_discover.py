"""Files are found in a stable order, each once, and shown relative to the inputs' common root."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from investigator.sources.discover import discover


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def shown(*inputs: str | Path) -> list[str]:
    return [candidate.path for candidate in discover(inputs).candidates]


def test_a_folder_is_walked_with_hidden_files_and_without_repositories(tmp_path: Path) -> None:
    make(tmp_path, "b.log", ".openclaw/a.jsonl", ".git/HEAD", "node_modules/x/y.log", "sub/c.log")
    assert shown(tmp_path) == [".openclaw/a.jsonl", "b.log", "sub/c.log"]


def test_a_single_file_is_shown_by_its_name(tmp_path: Path) -> None:
    make(tmp_path, "server.log")
    assert shown(tmp_path / "server.log") == ["server.log"]


def test_two_folders_are_shown_below_their_common_root(tmp_path: Path) -> None:
    make(tmp_path, "ollama/server.log", "agent/session.jsonl")
    assert shown(tmp_path / "ollama", tmp_path / "agent") == ["agent/session.jsonl", "ollama/server.log"]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    make(tmp_path, "server.log")
    found = discover([tmp_path, tmp_path / "server.log"]).candidates
    assert [(c.path, c.named) for c in found] == [("server.log", True)]


def test_a_glob_that_the_shell_did_not_expand(tmp_path: Path) -> None:
    make(tmp_path, "server.log", "server-1.log", "notes.txt")
    assert shown(str(tmp_path / "server*.log")) == ["server-1.log", "server.log"]


@pytest.mark.parametrize(("name", "kind"), [("nowhere.log", "missing"), ("no-*.log", "missing"), ("empty", "no_files")])
def test_what_is_not_there_becomes_a_problem_and_the_rest_is_read(tmp_path: Path, name: str, kind: str) -> None:
    make(tmp_path, "logs/server.log")
    (tmp_path / "empty").mkdir()
    found = discover([tmp_path / name, tmp_path / "logs"])
    assert [p.kind for p in found.problems] == [kind]
    assert len(found.candidates) == 1


def test_standard_input_is_spooled() -> None:
    (candidate,) = discover(["-"], io.BytesIO(b"line\n")).candidates
    assert candidate.path == "stdin"
    assert candidate.location.read_bytes() == b"line\n"
    os.unlink(candidate.location)
