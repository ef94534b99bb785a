"""Nothing is lost and nothing is doubled: not by a crash, not by a second run, not by a copy."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from investigator.casefile.case import Case
from investigator.casefile.evidence import cite
from investigator.casefile.ingest import IngestReport, ingest
from investigator.errors import CaseProblem
from investigator.formats.base import Begun, Parsed
from investigator.sources.chunks import Chunk
from tests.casefile.lines_format import LinesParser, recognise

LINES = "".join(f"OK /{n}\n# remark {n}\nwhat is {n}?\n" for n in range(60))


@pytest.fixture(autouse=True)
def lines_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("investigator.casefile.ingest.recognise", recognise)


def paths(case: Case) -> list[tuple[str, int, int]]:
    return case.connection.execute("SELECT path, line_no, byte_offset FROM facts.http_request ORDER BY ALL").fetchall()


def account(case: Case) -> list[tuple[object, ...]]:
    return case.connection.execute(
        "SELECT path, complete, lines, fact_lines, noise_lines, foreign_lines, unrecognised_lines FROM meta.sources"
    ).fetchall()


def kinds(report: IngestReport) -> list[str]:
    return [problem.kind for problem in report.problems]


class Killed(BaseException):
    """What a kill looks like from inside: nothing after it runs."""


def dying_after(chunks: int):  # type: ignore[no-untyped-def]
    left = [chunks]

    def progress(path: str, done: int, size: int) -> None:
        left[0] -= 1
        if left[0] <= 0:
            raise Killed

    return progress


def test_every_line_is_accounted_for(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(LINES)
    with Case(None) as case:
        ingest([tmp_path], case)
        assert account(case) == [("a.log", True, 180, 60, 60, 0, 60)]


@pytest.mark.parametrize("chunk_bytes", [10, 64, 1000, 10**6])
def test_facts_do_not_depend_on_the_chunks(tmp_path: Path, chunk_bytes: int) -> None:
    (tmp_path / "a.log").write_text(LINES)
    with Case(None) as whole, Case(None) as cut:
        ingest([tmp_path], whole)
        ingest([tmp_path], cut, chunk_bytes=chunk_bytes)
        assert paths(cut) == paths(whole)
        assert account(cut) == account(whole)


@pytest.mark.parametrize("chunks", [1, 2, 7, 12])
@pytest.mark.parametrize("name", ["a.log", "a.log.gz"])
def test_after_a_crash_a_second_run_gives_what_one_clean_run_gives(tmp_path: Path, name: str, chunks: int) -> None:
    data = LINES.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    with Case(None) as clean:
        ingest([tmp_path / name], clean, chunk_bytes=100)
        expected = paths(clean), account(clean)
    case_path = tmp_path / "case.duckdb"
    with Case(case_path) as case, pytest.raises(Killed):
        ingest([tmp_path / name], case, dying_after(chunks), chunk_bytes=100)
    with Case(case_path) as case:
        ingest([tmp_path / name], case, chunk_bytes=100)
        assert (paths(case), account(case)) == expected


@pytest.mark.parametrize("line", [1, 40, 100])
def test_nothing_is_stored_of_what_follows_a_chunk_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: int
) -> None:
    (tmp_path / "a.log").write_text(LINES)
    with Case(None) as clean:
        ingest([tmp_path], clean, chunk_bytes=100)
        expected = paths(clean), account(clean)

    def begin(self: LinesParser, chunk: Chunk) -> Begun:
        def finish() -> Parsed:
            ends = chunk.first_line_no + chunk.data.count(b"\n")
            if chunk.first_line_no <= line < ends:
                raise ArithmeticError("a defect")
            return self.feed(chunk)

        return Begun(len(chunk.data), finish)

    with Case(None) as case:
        with monkeypatch.context() as broken, pytest.raises(ArithmeticError):
            broken.setattr(LinesParser, "begin", begin, raising=False)
            ingest([tmp_path], case, chunk_bytes=100)
        assert all(stored < line for _path, stored, _offset in paths(case))
        ingest([tmp_path], case, chunk_bytes=100)
        assert (paths(case), account(case)) == expected


def test_a_second_run_reads_nothing_again(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(LINES)
    with Case(None) as case:
        ingest([tmp_path], case)
        before = paths(case)
        report = ingest([tmp_path], case)
        assert (report.read, report.known) == ((), ("a.log",))
        assert paths(case) == before


def test_a_file_that_has_grown_is_read_anew_and_counted_once(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("OK /1\nOK /2")
    with Case(None) as case:
        ingest([log], case)
        log.write_text("OK /1\nOK /22\nOK /3\n")
        ingest([log], case)
        assert [row[0] for row in paths(case)] == ["/1", "/22", "/3"]


def test_a_copy_is_counted_once_and_two_files_that_begin_alike_are_two(tmp_path: Path) -> None:
    start = "OK /same\n" * 200
    (tmp_path / "a.log").write_text(start + "OK /a\n")
    (tmp_path / "b.log").write_text(start + "OK /a\n")
    (tmp_path / "c.log").write_text(start + "OK /c\n")
    with Case(None) as case:
        report = ingest([tmp_path], case)
        assert report.read == ("a.log", "c.log")
        assert [(p.path, p.kind, p.harmless) for p in report.problems] == [("b.log", "duplicate", True)]
        assert len(paths(case)) == 402


def test_what_cannot_be_used_is_said_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "good.log").write_text(LINES)
    (tmp_path / "empty.log").write_text("")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(LINES.encode() * 50)[:-40])
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\x00\x00")
    (tmp_path / "prose.txt").write_text("It was a dark night.\n")
    files = [tmp_path / name for name in ("good.log", "empty.log", "cut.gz", "picture.png", "prose.txt", "gone.log")]
    with Case(None) as case:
        report = ingest(files, case)
        found = {problem.path: problem.kind for problem in report.problems}
        assert found == {
            str(tmp_path / "gone.log"): "missing",
            "empty.log": "empty",
            "cut.gz": "damaged",
            "picture.png": "not_recognised",
            "prose.txt": "not_recognised",
        }
        assert report.read == ("good.log",)
        assert case.connection.execute("SELECT count(*) FROM meta.problems").fetchone() == (5,)
        # What came before the damage is there.
        assert len(paths(case)) > 60


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(LINES)
    (tmp_path / "a.log").chmod(0)
    with Case(None) as case:
        assert kinds(ingest([tmp_path], case)) == ["unreadable"]


def test_files_found_in_a_folder_need_not_be_logs(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("remember the milk\n")
    with Case(None) as case:
        assert [problem.harmless for problem in ingest([tmp_path], case).problems] == [True]


def test_a_kept_line_and_a_fetched_line_with_their_neighbours(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(LINES)
    with Case(None) as case:
        ingest([tmp_path], case)
        lines = cite(case, [("a.log", 6), ("a.log", 7), ("a.log", 9999)])
        assert (lines["a.log", 6].text, lines["a.log", 6].state) == ("what is 1?", "kept")
        fetched = lines["a.log", 7]
        assert (fetched.text, fetched.state) == ("OK /2", "fetched")
        assert [n for n, _ in fetched.before] == [4, 5, 6] and [n for n, _ in fetched.after] == [8, 9, 10]
        assert lines["a.log", 9999].state == "rotated_away"
        (tmp_path / "a.log").write_text("OK other\n" * 300)
        assert cite(case, [("a.log", 7)])["a.log", 7].state == "rotated_away"


def test_a_case_is_private_and_says_when_it_is_none(tmp_path: Path) -> None:
    path = tmp_path / "x.case.duckdb"
    Case(path).close()
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(CaseProblem, match="no such case"):
        Case(tmp_path / "none.duckdb", read_only=True)
    (tmp_path / "text.duckdb").write_text("no database at all, just text that is long enough to look at" * 20)
    with pytest.raises(CaseProblem):
        Case(tmp_path / "text.duckdb")
