"""A month of nights: every rotation, kills of the scan and of the writers. Facts are those of one clean run, each once."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from investigator.casefile.case import Case
from investigator.casefile.ingest import ingest

from .month import scan, writers


def requests_in(case: Path) -> list[tuple[object, ...]]:
    with Case(case, read_only=True) as opened:
        sql = "SELECT stamp, latency_s, path FROM facts.http_request ORDER BY ALL"
        return opened.connection.execute(sql).fetchall()


def clean_run(folder: Path, logs: dict[str, bytes]) -> list[tuple[object, ...]]:
    """One reading of everything that was ever written, each server's log as one file."""
    everything = folder / "everything"
    everything.mkdir()
    for name, data in logs.items():
        (everything / f"{name}.log").write_bytes(data)
    with Case(folder / "clean.duckdb") as case:
        ingest([everything], case)
    return requests_in(folder / "clean.duckdb")


def month(folder: Path, nights: int, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    servers = writers(folder / "logs", seed)
    case = folder / "nightly.duckdb"
    killed = 0
    for night in range(nights):
        for server in servers:
            server.night(night)
        for _ in range(kills // nights):
            killed += scan(case, folder / "logs", chance.randrange(1, 160)) == -9
        assert scan(case, folder / "logs") == 0
    for server in servers:
        # The last night ends in whole lines.
        server.end()
    assert scan(case, folder / "logs") == 0
    assert killed > kills / 3
    logs = {server.folder.name: b"".join(server.written) for server in servers}
    assert requests_in(case) == clean_run(folder, logs)


@pytest.mark.slow
def test_three_nights(tmp_path: Path) -> None:
    month(tmp_path, nights=3, kills=6, seed=1)


@pytest.mark.slow
def test_a_month_and_two_hundred_kills(tmp_path: Path) -> None:
    month(tmp_path, nights=30, kills=210, seed=2)
