"""A scan reads what is new, whatever happened to the files since: facts are those of one reading of everything."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from investigator.casefile.case import Case
from investigator.casefile.follow import FollowReport, follow


def line(n: int) -> str:
    minute, second = divmod(n, 60)
    return f'[GIN] 2026/02/18 - 11:{minute:02}:{second:02} | 200 |  1.5s |       127.0.0.1 | POST     "/api/chat"\n'


def lines(first: int, last: int) -> str:
    return "".join(line(n) for n in range(first, last))


class Nightly:
    """A folder of logs and the case that scans of it fill."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "logs"
        self.folder.mkdir()
        self.case = folder / "nightly.duckdb"

    def log(self, name: str = "server.log") -> Path:
        return self.folder / name

    def append(self, text: str, name: str = "server.log") -> None:
        with self.log(name).open("a", encoding="utf-8", newline="") as file:
            file.write(text)

    def scan(self) -> FollowReport:
        with Case(self.case) as case:
            return follow([self.folder], case)

    def seconds(self) -> list[int]:
        """Each request that the case knows, by its stamp in seconds after 11:00; doubled ones are there twice."""
        with Case(self.case) as case:
            rows = case.connection.execute(
                "SELECT minute(stamp) * 60 + second(stamp) FROM facts.http_request"
            ).fetchall()
        return sorted(second for (second,) in rows)


@pytest.fixture
def nightly(tmp_path: Path) -> Nightly:
    made = Nightly(tmp_path)
    made.append(lines(0, 40))
    made.scan()
    return made


def rename(n: Nightly) -> None:
    n.append(lines(40, 45))
    n.log().rename(n.log("server-1.log"))
    n.append(lines(45, 60))


def rename_twice(n: Nightly) -> None:
    rename(n)
    n.log("server-1.log").rename(n.log("server-2.log"))
    n.log().rename(n.log("server-1.log"))
    n.append(lines(60, 70))


def number(n: Nightly) -> None:
    n.append(lines(40, 45))
    n.log().rename(n.log("server.log.1"))
    n.append(lines(45, 60))


def date(n: Nightly) -> None:
    n.append(lines(40, 45))
    n.log().rename(n.log("server.log-20260218"))
    n.append(lines(45, 60))


def copy_and_truncate(n: Nightly) -> None:
    n.append(lines(40, 45))
    shutil.copy(n.log(), n.log("server.log.1"))
    os.truncate(n.log(), 0)
    n.append(lines(45, 60))


def pack(n: Nightly) -> None:
    n.append(lines(40, 45))
    n.log("server.log.1.gz").write_bytes(gzip.compress(n.log().read_bytes()))
    n.log().unlink()
    n.append(lines(45, 60))


def pack_later(n: Nightly) -> None:
    number(n)
    n.scan()
    n.log("server.log.2.gz").write_bytes(gzip.compress(n.log("server.log.1").read_bytes()))
    n.log("server.log.1").unlink()
    n.log().rename(n.log("server.log.1"))
    n.append(lines(60, 61))


def newer_name(n: Nightly) -> None:
    n.append(lines(40, 45))
    n.append(lines(45, 60), "server1.log")


def delete_what_was_read(n: Nightly) -> None:
    n.log().unlink()
    n.append(lines(40, 60))


def clock_goes_back(n: Nightly) -> None:
    n.append(lines(40, 60))
    os.utime(n.log(), (1_000_000, 1_000_000))


def half_a_line(n: Nightly) -> None:
    text = line(40)
    n.append(text[:30])
    n.scan()
    n.append(text[30:] + lines(41, 60))


def half_a_line_then_rotated(n: Nightly) -> None:
    n.append(lines(40, 44) + line(44).rstrip("\n"))
    n.scan()
    n.log().rename(n.log("server.log.1"))
    n.append(lines(45, 60))
    n.scan()


CHANGES: dict[Callable[[Nightly], None], int] = {
    rename: 60,
    rename_twice: 70,
    number: 60,
    date: 60,
    copy_and_truncate: 60,
    pack: 60,
    pack_later: 61,
    newer_name: 60,
    delete_what_was_read: 60,
    clock_goes_back: 60,
    half_a_line: 60,
    half_a_line_then_rotated: 60,
}


@pytest.mark.parametrize("change, last", CHANGES.items(), ids=[change.__name__ for change in CHANGES])
def test_each_line_once(nightly: Nightly, change: Callable[[Nightly], None], last: int) -> None:
    change(nightly)
    nightly.scan()
    assert nightly.seconds() == list(range(last))
    again = nightly.scan()
    assert (again.growths, nightly.seconds()) == ((), list(range(last)))


def test_only_the_new_bytes_are_read(nightly: Nightly) -> None:
    size = nightly.log().stat().st_size
    nightly.append(lines(40, 60))
    report = nightly.scan()
    (growth,) = report.growths
    assert (growth.state, growth.from_bytes, growth.read_bytes) == ("grown", size, nightly.log().stat().st_size - size)


def test_a_truncated_log_is_a_gap(nightly: Nightly) -> None:
    nightly.log().write_text(lines(50, 55))
    report = nightly.scan()
    assert nightly.seconds() == [*range(40), *range(50, 55)]
    assert "server.log: was cut or replaced" in report.gaps[0]


def test_a_document_that_is_written_anew_replaces_what_it_said(tmp_path: Path) -> None:
    nightly = Nightly(tmp_path)
    window = nightly.folder / ".aider.model.metadata.json"
    text = '{\n  "openai/small": {\n    "max_input_tokens": 8192,\n    "litellm_provider": "openai"\n  }\n}\n'
    window.write_text(text)
    nightly.scan()
    window.write_text(text.replace("8192", "16384"))
    report = nightly.scan()
    with Case(nightly.case) as case:
        values = case.connection.execute("SELECT value_num FROM facts.agent_config").fetchall()
        sources = case.connection.execute("SELECT count(*) FROM meta.sources").fetchall()
    assert [growth.state for growth in report.growths] == ["replaced"]
    assert (values, sources) == ([(16384.0,)], [(1,)])


def test_what_is_no_log_is_looked_at_once(nightly: Nightly) -> None:
    nightly.append("a shopping list\n", "notes.txt")
    assert nightly.scan().growths == ()
    assert nightly.scan().problems == ()


def test_paths_stay_unique(nightly: Nightly) -> None:
    for first in range(40, 55, 5):
        nightly.log().write_text(lines(first, first + 5))
        nightly.scan()
    with Case(nightly.case) as case:
        paths = [path for (path,) in case.connection.execute("SELECT path FROM meta.sources ORDER BY path").fetchall()]
    assert paths == ["server.log", "server.log~1", "server.log~2", "server.log~3"]
