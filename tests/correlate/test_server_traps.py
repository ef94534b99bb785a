"""Traps of the log reference, one after the other, through the whole chain (server_traps.yaml)."""

from __future__ import annotations

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

TRAPS: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("server_traps.yaml").read_text(encoding="utf-8"))
DERIVED = ("requests", "model_loads", "attempts", "server_events")


@pytest.mark.parametrize("trap", TRAPS, ids=[trap["trap"] for trap in TRAPS])
def test_trap(trap: dict[str, Any], tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text(trap["log"], encoding="utf-8")
    with Case(None) as case:
        ingest([log], case)
        facts = case.facts()
        derived = correlate(facts, case.sources())
    for table, rows in trap.get("facts", {}).items():
        check(table, facts[table], rows)
    for table in DERIVED:
        if table in trap:
            check(table, derived[table], trap[table])


def check(table: str, frame: pl.DataFrame, rows: list[Mapping[str, Any]]) -> None:
    found = frame.to_dicts()
    assert len(found) == len(rows), (table, found)
    for got, want in zip(found, rows, strict=True):
        assert {key: _plain(got[key]) for key in want} == dict(want), table


def _plain(value: object) -> object:
    return str(value) if isinstance(value, datetime) else value
