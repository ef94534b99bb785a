"""A disk that is full, a folder that is read-only, a file that vanishes: told clearly, and nothing is lost."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import duckdb
import pytest

from investigator.casefile.case import Case
from investigator.casefile.follow import follow
from investigator.casefile.places import Places, place_of
from investigator.errors import CaseProblem
from investigator.exits import Exit

LINE = '[GIN] 2026/02/18 - 11:00:{:02} | 200 |  1.5s |       127.0.0.1 | POST     "/api/chat"\n'


class Full:
    """A connection whose commits fail as they do on a full disk."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def execute(self, sql: str, *arguments: Any) -> Any:
        if sql == "COMMIT":
            raise duckdb.TransactionException('Failed to commit: Could not write file "x.wal": No space left on device')
        return self._connection.execute(sql, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "server.log").write_text("".join(LINE.format(n) for n in range(20)))
    return folder


def count(path: Path) -> int:
    with Case(path) as case:
        return int(case.connection.execute("SELECT count(*) FROM facts.http_request").fetchall()[0][0])


def test_disk_full_then_room_again(tmp_path: Path, logs: Path) -> None:
    path = tmp_path / "nightly.duckdb"
    with Case(path) as case:
        good, case.connection = case.connection, Full(case.connection)  # type: ignore[assignment]
        with pytest.raises(CaseProblem, match="cannot be written: No space left on device") as caught:
            follow([logs], case)
        case.connection = good
    assert caught.value.exit_code is Exit.INCOMPLETE
    assert count(path) == 0
    with Case(path) as case:
        follow([logs], case)
    assert count(path) == 20


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_read_only_folder(tmp_path: Path, logs: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(CaseProblem, match="cannot be opened"):
        Case(folder / "nightly.duckdb")


def test_a_source_that_vanishes_is_a_problem_of_its_own(
    tmp_path: Path, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = logs / "other.log"
    gone.write_text(LINE.format(59))

    def vanishing(location: Path) -> Any:
        if location == gone:
            gone.unlink()
        return place_of(location)

    monkeypatch.setattr("investigator.casefile.follow.place_of", vanishing)
    with Case(tmp_path / "nightly.duckdb") as case:
        report = follow([logs], case)
        assert [(problem.path, problem.kind) for problem in report.problems] == [("other.log", "missing")]
        assert Places(case).at(logs / "server.log") is not None
    assert count(tmp_path / "nightly.duckdb") == 20
