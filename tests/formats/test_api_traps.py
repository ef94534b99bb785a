"""Traps of the API's fields in clients' records, one after the other (api_traps.yaml)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from investigator.casefile.case import Case
from investigator.casefile.ingest import ingest
from investigator.correlate import correlate
from investigator.formats.registry import FORMATS, recognise
from tests.formats.agent_samples import adds_up, parse

TRAPS: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("api_traps.yaml").read_text("utf-8"))["traps"]
RECORDS = [trap for trap in TRAPS if "format" in trap]
CHAINS = [trap for trap in TRAPS if "files" in trap]
BY_ID = {fmt.id: fmt for fmt in FORMATS}


@pytest.mark.parametrize("trap", RECORDS, ids=[trap["trap"] for trap in RECORDS])
def test_trap_of_a_record(trap: dict[str, Any], tmp_path: Path) -> None:
    data = trap["text"].encode() if "text" in trap else _chat(trap["message"], tmp_path / "webui.db")
    found = recognise(data, "logs/sample")
    assert found.format is not None
    assert found.format.id == trap["format"]
    [parsed] = parse(BY_ID[trap["format"]], data)
    assert adds_up(parsed)
    assert parsed.unrecognised["shape"].to_list() == []
    assert sorted(parsed.facts) == sorted(trap["facts"])
    for table, rows in trap["facts"].items():
        _check(parsed.facts[table], rows)
    if "noise" in trap:
        assert dict(parsed.noise) == trap["noise"]


@pytest.mark.parametrize("trap", CHAINS, ids=[trap["trap"] for trap in CHAINS])
def test_trap_through_the_chain(trap: dict[str, Any], tmp_path: Path) -> None:
    for name, text in trap["files"].items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with Case(None) as case:
        ingest([tmp_path / name for name in trap["files"]], case)
        derived = correlate(case.facts(), case.sources())
    _check(derived["attempts"], trap["attempts"])


def _chat(message: Mapping[str, Any], path: Path) -> bytes:
    """Open WebUI's database with one chat of one message."""
    chat = json.dumps({"history": {"messages": {message["id"]: message}}})
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE chat (id TEXT, user_id TEXT, chat JSON, share_id TEXT, archived INTEGER, created_at)")
        db.execute("INSERT INTO chat VALUES ('c-1', 'u', ?, NULL, 0, 1793611480)", (chat,))
    db.close()
    return path.read_bytes()


def _check(frame: pl.DataFrame, rows: list[Mapping[str, Any]]) -> None:
    found = frame.to_dicts()
    assert len(found) == len(rows), found
    for got, want in zip(found, rows, strict=True):
        for key, value in want.items():
            close = pytest.approx(value) if isinstance(value, float) else value
            assert _plain(got[key]) == close, key


def _plain(value: object) -> object:
    return str(value) if isinstance(value, datetime) else value
