"""The databases of agents, built here row by row: facts, compressed rows, a write-ahead log, damage."""

from __future__ import annotations

import gzip
import json
import sqlite3
from pathlib import Path

import pytest
import zstandard

from investigator.formats.base import SourceInfo
from investigator.formats.openclaw_sqlite import OpenClawSqliteFormat
from investigator.formats.opencode_sqlite import KILO_SQLITE, OpenCodeSqliteFormat
from investigator.formats.registry import recognise
from investigator.sources.chunks import Chunk
from investigator.sources.sqlite_image import apply_wal
from investigator.sources.streams import ChunkReader, SourceStream
from tests.formats.agent_samples import adds_up, parse

EVENTS = [
    {"type": "session", "version": 4, "id": "s-1", "timestamp": "2026-11-23T01:53:19.425Z", "cwd": "/home/u/p"},
    {
        "type": "message",
        "id": "a",
        "timestamp": "2026-11-23T01:54:19.425Z",
        "message": {
            "role": "assistant",
            "content": [],
            "api": "openai-completions",
            "provider": "llamacpp",
            "model": "small",
            "stopReason": "error",
            "errorMessage": "Connection error.",
            "timestamp": 1795398809425,
        },
    },
]


def _openclaw(path: Path) -> bytes:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE transcript_events (session_id TEXT, seq INTEGER, event_json TEXT, event_zstd BLOB)")
        db.execute("INSERT INTO transcript_events VALUES ('s-1', 0, ?, NULL)", [json.dumps(EVENTS[0])])
        packed = zstandard.ZstdCompressor().compress(json.dumps(EVENTS[1]).encode())
        db.execute("INSERT INTO transcript_events VALUES ('s-1', 1, NULL, ?)", [packed])
        db.execute("INSERT INTO transcript_events VALUES ('s-1', 2, '{broken', NULL)")
    db.close()
    return path.read_bytes()


def test_openclaw_rows_plain_and_compressed(tmp_path: Path) -> None:
    image = _openclaw(tmp_path / "a.sqlite")
    found = recognise(image, "x")
    assert found.format is not None
    assert found.format.id == "openclaw-sqlite"
    [parsed] = parse(OpenClawSqliteFormat(), image)
    assert adds_up(parsed)
    [call] = parsed.facts["agent_call"].to_dicts()
    assert (call["session_id"], call["line_no"], call["error_class"]) == ("s-1", 2, "connection_error")
    assert (call["ended_at"] - call["started_at"]).total_seconds() == 50
    assert parsed.unrecognised["shape"].to_list() == ["not JSON"]


def test_a_database_comes_in_pieces(tmp_path: Path) -> None:
    image = _openclaw(tmp_path / "a.sqlite")
    parser = OpenClawSqliteFormat().parser(SourceInfo(7, "x"))
    first = parser.feed(Chunk(image[:5000], 0, 1, False))
    second = parser.feed(Chunk(image[5000:], 5000, 2, True))
    assert first.lines == 0
    assert second.facts["agent_call"].height == 1


def test_a_view_in_the_place_of_a_table_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    endless = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n) SELECT 's', i, '{}', NULL FROM n"
    with sqlite3.connect(path) as db:
        db.execute(f"CREATE VIEW transcript_events (session_id, seq, event_json, event_zstd) AS {endless}")
    db.close()
    [parsed] = parse(OpenClawSqliteFormat(), path.read_bytes())
    assert parsed.unrecognised["shape"].to_list() == ["database: no table transcript_events"]


@pytest.mark.parametrize("keep", [0, 10, 100, 3000, 8000])
def test_a_cut_database_is_counted_as_not_understood(tmp_path: Path, keep: int) -> None:
    image = _openclaw(tmp_path / "a.sqlite")[:keep]
    [parsed] = parse(OpenClawSqliteFormat(), image)
    assert adds_up(parsed)
    assert parsed.unrecognised.height >= 1


@pytest.mark.parametrize(
    ("reader", "other"), [(OpenCodeSqliteFormat(), KILO_SQLITE), (KILO_SQLITE, OpenCodeSqliteFormat())]
)
def test_opencode_messages_that_only_the_write_ahead_log_holds(
    tmp_path: Path, reader: OpenCodeSqliteFormat, other: OpenCodeSqliteFormat
) -> None:
    path = tmp_path / reader.file
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE session (id TEXT, time_compacting INTEGER)")
    db.execute("CREATE TABLE message (id TEXT, session_id TEXT, time_created INTEGER, data TEXT)")
    db.execute("CREATE TABLE part (id TEXT, message_id TEXT, data TEXT)")
    data = {
        "role": "assistant",
        "providerID": "ollama",
        "modelID": "m",
        "tokens": {"input": 0, "output": 0, "cache": {"read": 0, "write": 0}},
        "time": {"created": 1793611747818, "completed": 1793613613806},
        "error": {"name": "APIError", "data": {"message": "Provider response headers timed out after 300000ms"}},
    }
    user = {"role": "user", "time": {"created": 1793611747000}}
    rows = [("m1", "s", 1, json.dumps(user)), ("m2", "s", 2, json.dumps(data))]
    db.executemany("INSERT INTO message VALUES (?, ?, ?, ?)", rows)
    db.execute("INSERT INTO part VALUES ('p', 'm1', ?)", [json.dumps({"type": "text", "text": "hello"})])
    db.commit()
    image = apply_wal(path.read_bytes(), (tmp_path / f"{reader.file}-wal").read_bytes())
    db.close()
    assert reader.recognise(image, path.name) > 0.8 > other.recognise(image, path.name)
    [parsed] = parse(reader, image, path.name)
    [call] = parsed.facts["agent_call"].to_dicts()
    assert call["agent"] == reader.agent
    assert (call["error_class"], call["input_tokens"], call["finish_reason"]) == ("timeout", None, "error")
    assert round((call["ended_at"] - call["started_at"]).total_seconds(), 3) == 1865.988
    assert parsed.facts["agent_prompt"]["text_chars"].to_list() == [5]


@pytest.mark.parametrize("cut", [0, 31, 40, 5000])
def test_a_cut_log_leaves_the_database_as_it_was(tmp_path: Path, cut: int) -> None:
    image = _openclaw(tmp_path / "a.sqlite")
    wal = (b"\x37\x7f\x06\x82" + bytes(4) + (4096).to_bytes(4, "big") + bytes(20) + b"\x01" * 6000)[:cut]
    assert apply_wal(image, wal)[20:] == image[20:]


@pytest.mark.parametrize("packed", [False, True])
def test_a_database_is_opened_together_with_the_log_beside_it(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "a.sqlite"
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE transcript_events (session_id TEXT, seq INTEGER, event_json TEXT, event_zstd BLOB)")
    db.execute("INSERT INTO transcript_events VALUES ('s-1', 0, ?, NULL)", [json.dumps(EVENTS[1])])
    db.commit()
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(path.read_bytes())
    log = (tmp_path / "a.sqlite-wal").read_bytes()
    db.close()
    beside = tmp_path / ("copy.sqlite-wal.gz" if packed else "copy.sqlite-wal")
    beside.write_bytes(gzip.compress(log) if packed else log)
    with SourceStream(copy) as stream:
        chunk = ChunkReader(stream).read()
    assert chunk is not None
    assert OpenClawSqliteFormat().parser(SourceInfo(7, "x")).feed(chunk).facts["agent_call"].height == 1
