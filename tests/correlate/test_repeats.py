"""One prompt repeated by four agents: how many requests belong to one failure, and whose limit ended them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fixtures.generate.repeats import STORIES
from investigator.casefile.case import Case
from investigator.casefile.ingest import ingest
from investigator.correlate import correlate
from investigator.yamltext import load as load_yaml


@cache
def tables(folder: Path) -> Mapping[str, pl.DataFrame]:
    with Case(None) as case:
        ingest([folder], case)
        return correlate(case.facts(), case.sources())


def expected(folder: Path) -> Any:
    return load_yaml((folder / "expected.yaml").read_text(encoding="utf-8"))


def tries(folder: Path) -> list[dict[str, Any]]:
    """The failed requests that the server saw, in order."""
    attempts = tables(folder)["attempts"].filter(pl.col("failed") & (pl.col("seen_by") != "agent"))
    return attempts.sort("arrived_at").to_dicts()


@pytest.mark.parametrize("name", STORIES)
def test_every_request_of_the_failed_work(fixtures_dir: Path, name: str) -> None:
    rows, wanted = tries(fixtures_dir / name), expected(fixtures_dir / name)["attempts"]
    for row, want in zip(rows, wanted, strict=True):
        for column in ("outcome", "status", "asked_tokens", "window_tokens"):
            assert row[column] == want[column], column
        assert row["seen_by"] == "both"
        assert want["access_line"] in row["evidence"]
    assert [row["try_no"] for row in rows] == list(range(1, len(wanted) + 1))
    assert {row["tries"] for row in rows} == {len(wanted)}


@pytest.mark.parametrize("name", STORIES)
def test_whose_limit_it_was(fixtures_dir: Path, name: str) -> None:
    want = expected(fixtures_dir / name)
    rows = tries(fixtures_dir / name)
    # The last try of some was ended by the user, so that no limit did it.
    for row in rows[:-1] if want["stopped_by_user"] else rows:
        assert row["timeout_s"] == want["timeout"]["timeout_s"]
        assert row["timeout_layer"] == want["timeout"]["layer"]
        assert row["timeout_key"] == want["timeout"]["key"]


@pytest.mark.parametrize("name", STORIES)
def test_every_call_counts_once(fixtures_dir: Path, name: str) -> None:
    want, calls = expected(fixtures_dir / name)["agent_calls"], tables(fixtures_dir / name)["agent_calls"]
    assert calls.height == want["healthy"] + want["failed"]
    assert len({row["call_id"] for row in tries(fixtures_dir / name)}) == want["failed"]
