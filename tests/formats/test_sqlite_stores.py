"""Databases beside transcripts, built here row by row."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from investigator.formats.base import Parsed
from investigator.formats.registry import recognise
from tests.formats.agent_samples import adds_up, parse

ERROR = {
    "message": "We’re currently experiencing high demand, which may cause temporary errors.",
    "codexErrorInfo": "x",
}
ANSWER = {
    "id": "m-2",
    "parentId": "m-1",
    "role": "assistant",
    "model": "qwen3-coder:30b",
    "timestamp": 1793611490,
    "content": "Done.",
    "usage": {
        "total_duration": 31_500_000_000,
        "load_duration": 91_000_000,
        "prompt_eval_count": 12345,
        "prompt_eval_duration": 30_100_000_000,
        "eval_count": 42,
        "eval_duration": 1_300_000_000,
    },
}
CHAT = {
    "history": {
        "messages": {
            "m-1": {"id": "m-1", "role": "user", "timestamp": 1793611489, "content": "hello"},
            "m-2": ANSWER,
            "m-3": {"id": "m-3", "role": "assistant", "timestamp": 1793611600, "model": "m", "error": {"content": "Open WebUI: Server Connection Error"}},
            "m-4": "damaged",
        }
    }
}  # fmt: skip
STORES: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "codex-sqlite": (
        "CREATE TABLE thread_turns (thread_id TEXT, turn_id TEXT, rollout_ordinal INTEGER, status TEXT, error_json TEXT,"
        " started_at INTEGER, completed_at INTEGER, duration_ms INTEGER)",
        [
            ("t-1", "u-1", 1, "failed", json.dumps(ERROR), 1793611490, 1793611495, 4991),
            ("t-1", "u-2", 9, "inProgress", None, 1793611600, None, None),
        ],
    ),
    "cline-sqlite": (
        "CREATE TABLE sessions (session_id TEXT, started_at TEXT, ended_at TEXT, status TEXT, provider TEXT, model TEXT,"
        " enable_spawn INTEGER, parent_session_id TEXT, messages_path TEXT)",
        [("s-1", "2026-11-23T01:51:09.752Z", "2026-11-23T01:52:13.633Z", "failed", "ollama", "m", 1, None, "x")],
    ),
    "open-webui-sqlite": (
        'CREATE TABLE "chat" ("id" TEXT, "user_id" TEXT, "title" TEXT, "chat" JSON, "share_id" TEXT, "archived" INTEGER,'
        ' "created_at" INTEGER)',
        [("c-1", "u", "t", json.dumps(CHAT), None, 0, 1793611480), ("c-2", "u", "t", "{broken", None, 0, 1793611481)],
    ),
}


def _parsed(folder: Path, format_id: str) -> Parsed:
    schema, rows = STORES[format_id]
    path = folder / "store.db"
    with sqlite3.connect(path) as db:
        db.execute(schema)
        table = schema.split()[2].strip('"')
        db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
    db.close()
    image = path.read_bytes()
    found = recognise(image, "x")
    assert found.format is not None
    assert found.format.id == format_id
    [parsed] = parse(found.format, image)
    assert adds_up(parsed)
    return parsed


def test_codex_turns(tmp_path: Path) -> None:
    facts = _parsed(tmp_path, "codex-sqlite").facts
    assert facts["agent_run"]["event"].to_list() == ["start", "error", "start"]
    assert facts["agent_run"]["duration_s"].to_list() == [None, 4.991, None]
    [error] = facts["agent_error"].to_dicts()
    assert (error["error_class"], error["stamp"], error["run_id"]) == ("server_error", None, "u-1")


def test_cline_sessions(tmp_path: Path) -> None:
    facts = _parsed(tmp_path, "cline-sqlite").facts
    [run] = facts["agent_run"].to_dicts()
    assert (run["event"], run["duration_s"], run["model"]) == ("error", 63.881, "m")
    assert facts["agent_session"]["session_id"].to_list() == ["s-1"]


def test_open_webui_chats(tmp_path: Path) -> None:
    facts = _parsed(tmp_path, "open-webui-sqlite").facts
    answer, failed = facts["agent_call"].to_dicts()
    assert (answer["input_tokens"], answer["output_tokens"], answer["model"]) == (12345, 42, "qwen3-coder:30b")
    assert (answer["ended_at"] - answer["started_at"]).total_seconds() == 31.5
    assert answer["first_token_s"] == pytest.approx(30.191)
    assert failed["error_class"] == "connection_error"
    [timing] = facts["client_timing"].to_dicts()
    assert timing["prompt_s"] == pytest.approx(30.1)
    assert facts["agent_prompt"]["text_chars"].to_list() == [5]
