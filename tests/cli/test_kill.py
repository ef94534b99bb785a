"""Kill −9 during `ingest`, run again: the same facts and the same account as in one clean run."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from .conftest import ROOT

DRIVER = Path(__file__).with_name("killed_ingest.py")
INPUTS = [ROOT / "fixtures" / "founding-incident" / name for name in ("ollama", "openclaw")]


def ingest(case: Path, moment: str, number: int) -> int:
    command = [sys.executable, DRIVER, moment, str(number), "ingest", *INPUTS, "--case", case, "--quiet"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, env=env, cwd=case.parent
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode


def checksum(case: Path) -> dict[str, str]:
    """A hash of every table of facts and of the account, rows in a fixed order."""
    sums = {}
    with duckdb.connect(str(case), read_only=True) as con:
        tables = con.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE schema_name IN ('facts', 'meta') ORDER BY ALL"
        ).fetchall()
        for schema, table in tables:
            rows = con.execute(f'FROM {schema}."{table}" ORDER BY ALL').fetchall()
            sums[f"{schema}.{table}"] = hashlib.sha256(repr(rows).encode()).hexdigest()
    return sums


@pytest.fixture(scope="module")
def clean_case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    case = tmp_path_factory.mktemp("clean") / "a.duckdb"
    assert ingest(case, "never", 0) == 0
    return case


@pytest.fixture(scope="module")
def clean(clean_case: Path) -> dict[str, str]:
    return checksum(clean_case)


def late(*kills: tuple[str, int]) -> object:
    return pytest.param([*kills], marks=pytest.mark.slow)


@pytest.mark.parametrize(
    "kills",
    [late(("before", 1)), [("inside", 4)], late(("after", 9)), [("after", 3), ("inside", 9), ("before", 6)]],
    ids=lambda kills: "-then-".join(f"{moment}-{number}" for moment, number in kills),
)
def test_killed_ingest_goes_on(tmp_path: Path, clean: dict[str, str], kills: list[tuple[str, int]]) -> None:
    case = tmp_path / "a.duckdb"
    for moment, number in kills:
        assert ingest(case, moment, number) == -signal.SIGKILL
    if kills[-1][0] != "before":
        assert checksum(case) != clean
    assert ingest(case, "never", 0) == 0
    assert checksum(case) == clean


def test_reading_again_changes_nothing(tmp_path: Path, clean_case: Path, clean: dict[str, str]) -> None:
    case = Path(shutil.copy(clean_case, tmp_path))
    assert ingest(case, "never", 0) == 0
    assert checksum(case) == clean
