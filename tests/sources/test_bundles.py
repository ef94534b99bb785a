"""Bundles are read member by member, and cannot be made to fill memory, disk or time."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import zstandard

from investigator.casefile.case import Case
from investigator.casefile.evidence import cite
from investigator.casefile.ingest import ingest
from investigator.sources import bundles
from investigator.sources.bundles import stat_of
from investigator.sources.discover import Discovery, discover
from investigator.sources.streams import ChunkReader, SourceStream

SLOG = 'time=2026-02-18T11:15:{:02}.000+01:00 level=WARN source=runner.go:131 msg="truncating input prompt" limit=1 prompt=2 new=1\n'
FILES = {
    "logs/server.log": b"one\ntwo\n",
    "./logs/server-1.log": b"old\n",
    "a b/\xc3\xa4.log".encode().decode(): b"x\n",
}


def zip_of(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tar_of(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("logs/link.log")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
    return out.getvalue()


PACKERS: dict[str, Callable[[Mapping[str, bytes]], bytes]] = {
    "b.zip": zip_of,
    "b.tar": tar_of,
    "b.tar.gz": lambda files: gzip.compress(tar_of(files)),
    "b.tgz": lambda files: gzip.compress(tar_of(files)),
    "b.tar.xz": lambda files: lzma.compress(tar_of(files)),
    "b.tar.zst": lambda files: zstandard.compress(tar_of(files)),
}


def contents(found: Discovery) -> dict[str, bytes]:
    read = {}
    for candidate in found.candidates:
        with SourceStream(candidate.location) as stream:
            read[candidate.path] = stream.read(1 << 20)
    return read


@pytest.mark.parametrize("packer", PACKERS)
def test_every_member_is_a_source(tmp_path: Path, packer: str) -> None:
    (tmp_path / packer).write_bytes(PACKERS[packer](FILES))
    found = discover([tmp_path])
    assert contents(found) == {f"{packer}!{name}": data for name, data in FILES.items()}
    assert not found.problems
    sizes = {c.path.partition("!")[2]: stat_of(c.location).size_bytes for c in found.candidates}
    assert sizes == {name: len(data) for name, data in FILES.items()}


@pytest.mark.parametrize("packer", PACKERS)
def test_members_are_ingested_cited_and_known_again(tmp_path: Path, packer: str) -> None:
    log = "".join(SLOG.format(n) for n in range(40)).encode()
    (tmp_path / packer).write_bytes(PACKERS[packer]({"server.log": log, "old.log.gz": gzip.compress(b"x\n" + log)}))
    with Case(None) as case:
        report = ingest([tmp_path], case, chunk_bytes=1000)
        assert set(report.read) == {f"{packer}!server.log", f"{packer}!old.log.gz"}
        line = cite(case, [(f"{packer}!server.log", 7)])[(f"{packer}!server.log", 7)]
        assert line.text == SLOG.format(6).rstrip()
        assert set(ingest([tmp_path], case).known) == set(report.read)


def test_a_file_with_the_mark_in_its_name_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_bytes(zip_of(FILES))
    (tmp_path / "wow!server.log").write_bytes(b"mine\n")
    assert contents(discover([tmp_path]))["wow!server.log"] == b"mine\n"


def test_a_bundle_in_a_bundle_is_told_and_not_opened(tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_bytes(zip_of({"inner.zip": zip_of(FILES), "server.log": b"x\n"}))
    found = discover([tmp_path / "b.zip"])
    assert list(contents(found)) == ["b.zip!server.log"]
    assert [(p.path, p.kind) for p in found.problems] == [("b.zip!inner.zip", "unsupported")]


@pytest.mark.parametrize("packer", ["b.zip", "b.tar.gz", "b.tar.zst"])
def test_a_bomb_is_stopped(tmp_path: Path, packer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "FREE_BYTES", 100_000)
    monkeypatch.setattr(bundles, "MOST_RATIO", 100)
    (tmp_path / packer).write_bytes(PACKERS[packer]({"server.log": SLOG.format(1).encode() * 100_000}))
    with Case(None) as case:
        report = ingest([tmp_path / packer], case)
    assert [p.kind for p in report.problems] == ["damaged"]
    assert "times its size" in report.problems[0].message


def test_a_bomb_of_one_file_gives_its_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "FREE_BYTES", 1_000_000)
    path = tmp_path / "server.log.gz"
    path.write_bytes(gzip.compress(b"x\n" * 30_000_000))
    with SourceStream(path) as stream:
        assert 0 < len(stream.read(60_000_000)) < 10_000_000
        assert "times its size" in str(stream.damage)


def test_a_line_without_end_is_not_read_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("investigator.sources.streams.LONGEST_LINE_BYTES", 5000)
    path = tmp_path / "server.log"
    path.write_bytes(b"x" * 20_000)
    with SourceStream(path) as stream, pytest.raises(OSError, match="line 1 is longer"):
        ChunkReader(stream, 1000).read()


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "MOST_MEMBERS", 2)
    (tmp_path / "b.zip").write_bytes(zip_of(FILES))
    assert [p.kind for p in discover([tmp_path / "b.zip"]).problems] == ["damaged"]


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_a_cut_bundle_is_a_problem_and_no_crash(tmp_path: Path, packer: str, keep: float) -> None:
    data = PACKERS[packer]({f"{n}.log": bytes(str(n), "ascii") * 999 + b"\n" for n in range(20)})
    (tmp_path / packer).write_bytes(data[: int(len(data) * keep)])
    with Case(None) as case:
        ingest([tmp_path], case)


def test_an_encrypted_member_is_a_problem(tmp_path: Path) -> None:
    data = bytearray(zip_of({"server.log": b"x\n"}))
    for magic, flags_at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + flags_at] |= 1
    (tmp_path / "b.zip").write_bytes(data)
    with Case(None) as case:
        report = ingest([tmp_path], case)
    assert [(p.path, p.kind) for p in report.problems] == [("b.zip!server.log", "damaged")]


def test_documents_that_are_zips_by_form_are_not_opened(tmp_path: Path) -> None:
    (tmp_path / "notes.docx").write_bytes(zip_of(FILES))
    assert [c.path for c in discover([tmp_path / "notes.docx"]).candidates] == ["notes.docx"]
