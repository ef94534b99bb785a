"""The databases of Crush and Goose, built here row by row."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from investigator.formats.base import Format
from investigator.formats.crush_sqlite import CrushSqliteFormat
from investigator.formats.goose_sqlite import GooseSqliteFormat
from investigator.formats.registry import recognise
from tests.formats.agent_samples import adds_up, parse

CRUSH = """
CREATE TABLE sessions (id TEXT PRIMARY KEY, parent_session_id TEXT, title TEXT, prompt_tokens INTEGER);
CREATE TABLE messages (id TEXT PRIMARY KEY, session_id TEXT, role TEXT, parts TEXT, model TEXT, provider TEXT,
  is_summary_message INTEGER, created_at INTEGER, updated_at INTEGER, finished_at INTEGER);
"""
GOOSE = """
CREATE TABLE sessions (id TEXT PRIMARY KEY, provider_name TEXT, model_config_json TEXT);
CREATE TABLE messages (id INTEGER PRIMARY KEY, message_id TEXT, session_id TEXT, role TEXT, content_json TEXT,
  created_timestamp INTEGER, tokens INTEGER, metadata_json TEXT);
"""
FAILED = [
    {"type": "text", "data": {"text": ""}},
    {
        "type": "finish",
        "data": {"reason": "error", "time": 1793612044, "message": "Provider Error", "details": "connection refused"},
    },
]


def _image(path: Path, schema: str, rows: dict[str, list[tuple[object, ...]]]) -> bytes:
    with sqlite3.connect(path) as db:
        db.executescript(schema)
        for table, values in rows.items():
            for value in values:
                db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(value))})", value)
    db.close()
    return path.read_bytes()


def _crush(path: Path) -> bytes:
    done = json.dumps([{"type": "finish", "data": {"reason": "end_turn", "time": 1793611750}}])
    prompt = json.dumps([{"type": "text", "data": {"text": "fix it"}}])
    rows: dict[str, list[tuple[object, ...]]] = {
        "sessions": [("s", None, "t", 12345)],
        "messages": [
            ("m1", "s", "user", prompt, None, None, 0, 1793611740, 1793611740, None),
            ("m2", "s", "assistant", done, "coder", "ollama", 0, 1793611744, 1793611750, 1793611750),
            ("m3", "s", "assistant", json.dumps(FAILED), "coder", "ollama", 1, 1793611760000, 1793612044000, None),
            ("m4", "s", "assistant", "{broken", "coder", "ollama", 0, 1793612050, 1793612050, None),
        ],
    }
    return _image(path, CRUSH, rows)


def test_crush_messages_are_calls_in_seconds_or_milliseconds(tmp_path: Path) -> None:
    image = _crush(tmp_path / "crush.db")
    found = recognise(image, "x").format
    assert found is not None
    assert found.id == "crush-sqlite"
    [parsed] = parse(CrushSqliteFormat(), image)
    assert adds_up(parsed)
    calls = {call["record_id"]: call for call in parsed.facts["agent_call"].to_dicts()}
    done, failed, broken = (calls[name] for name in ("m2", "m3", "m4"))
    assert (done["finish_reason"], done["error_class"]) == ("stop", None)
    assert (done["ended_at"] - done["started_at"]).total_seconds() == 6
    assert (failed["finish_reason"], failed["error_class"]) == ("error", "connection_refused")
    assert (failed["ended_at"] - failed["started_at"]).total_seconds() == 284
    assert broken["finish_reason"] is None
    assert parsed.facts["agent_prompt"]["text_chars"].to_list() == [6]
    assert parsed.facts["compaction"].height == 1


def test_goose_answers_start_with_the_message_before(tmp_path: Path) -> None:
    text = json.dumps([{"type": "text", "text": "fix it"}])
    config = json.dumps({"model_name": "coder", "context_limit": 32768})
    rows: dict[str, list[tuple[object, ...]]] = {
        "sessions": [("s", "ollama", config)],
        "messages": [
            (1, "a", "s", "user", text, 1793611740, None, "{}"),
            (2, "b", "s", "assistant", text, 1793611790, 42, "{}"),
        ],
    }
    image = _image(tmp_path / "sessions.db", GOOSE, rows)
    found = recognise(image, "x").format
    assert found is not None
    assert found.id == "goose-sqlite"
    [parsed] = parse(GooseSqliteFormat(), image)
    [call] = parsed.facts["agent_call"].to_dicts()
    assert (call["provider"], call["model"], call["output_tokens"], call["start_basis"]) == (
        "ollama",
        "coder",
        42,
        "derived",
    )
    assert call["started_at"] == datetime(2026, 11, 2, 9, 29)
    [setting] = parsed.facts["agent_config"].to_dicts()
    assert (setting["setting"], setting["value_num"]) == ("context_window_tokens", 32768)


def test_goose_tells_tokens_and_times_of_an_answer_and_where_one_broke_off(tmp_path: Path) -> None:
    text = json.dumps([{"type": "text", "text": "it"}])
    inference = {"inference": {"provider": "openai", "requestedModel": "coder"}}
    usage = {
        "inputTokens": 4527,
        "outputTokens": 64,
        "cacheReadTokens": 0,
        "elapsedMs": 21183,
        "timeToFirstTokenMs": 20373,
    }
    stored = "2026-11-02 09:31:52"
    rows: dict[str, list[tuple[object, ...]]] = {
        "sessions": [("s", "ollama", "{}")],
        "messages": [
            (1, "a", "s", "user", text, 1793611740, None, "{}", stored),
            (2, "b", "s", "assistant", text, 1793611790, None, json.dumps({**inference, "usage": usage}), stored),
            (3, "c", "s", "assistant", text, 1793611890, None, json.dumps(inference), stored),
        ],
    }
    image = _image(
        tmp_path / "sessions.db", GOOSE.replace("metadata_json TEXT", "metadata_json TEXT, timestamp TEXT"), rows
    )
    [parsed] = parse(GooseSqliteFormat(), image)
    whole, broken = parsed.facts["agent_call"].to_dicts()
    assert (whole["input_tokens"], whole["output_tokens"], whole["first_token_s"], whole["finish_reason"]) == (
        4527, 64, 20.373, "stop",
    )  # fmt: skip
    assert whole["ended_at"] - whole["started_at"] == timedelta(seconds=21.183)
    assert (broken["finish_reason"], broken["ended_at"]) == ("error", datetime(2026, 11, 2, 9, 31, 52))


@pytest.mark.parametrize("fmt", [CrushSqliteFormat(), GooseSqliteFormat()], ids=lambda fmt: fmt.id)
@pytest.mark.parametrize("keep", [0, 16, 100, 5000])
def test_a_cut_database_is_counted_as_not_understood(fmt: Format, keep: int, tmp_path: Path) -> None:
    [parsed] = parse(fmt, _crush(tmp_path / "crush.db")[:keep])
    assert adds_up(parsed)
    assert parsed.unrecognised.height == 1
