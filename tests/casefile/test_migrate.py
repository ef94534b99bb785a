"""A case of an older release is brought up to date; nothing of it is lost."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from investigator.casefile.case import Case
from investigator.casefile.ingest import ingest
from investigator.casefile.migrate import CASE_VERSION, backup_path
from investigator.errors import CaseProblem

LOG = (
    'time=2026-02-18T11:15:00.000+01:00 level=INFO source=routes.go:1288 msg="Listening on 127.0.0.1:11434 (version 0.15.2)"\n'
    '[GIN] 2026/02/18 - 11:16:00 | 200 |  1.5s |       127.0.0.1 | POST     "/api/chat"\n'
)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A case as layout 1 had it: fewer columns, other derived tables."""
    path, log = tmp_path / "old.duckdb", tmp_path / "server.log"
    log.write_text(LOG)
    with Case(path) as case:
        ingest([log], case)
    with duckdb.connect(str(path)) as con:
        con.execute("ALTER TABLE meta.sources DROP COLUMN head_bytes")
        con.execute("ALTER TABLE meta.sources DROP COLUMN tail")
        con.execute("ALTER TABLE facts.http_request DROP COLUMN client")
        con.execute("DROP TABLE meta.places")
        con.execute("CREATE TABLE derived.forgotten (x INTEGER)")
        con.execute("UPDATE meta.case_info SET value = '1' WHERE key = 'version'")
    return path


def test_facts_stay_and_a_backup_is_made(old: Path) -> None:
    before = old.read_bytes()
    with Case(old) as case:
        assert case.migrated_from == 1
        assert case.connection.execute("SELECT status FROM facts.http_request").fetchall() == [(200,)]
        assert case.connection.execute("SELECT head_bytes FROM meta.sources").fetchall() == [(1024,)]
        tables = {name for (name,) in case.connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        assert "places" in tables
        assert "forgotten" not in tables
    assert backup_path(old, 1).read_bytes() == before
    with Case(old) as case:
        assert case.migrated_from is None


def test_readers_are_told_what_to_do(old: Path) -> None:
    with pytest.raises(CaseProblem, match=r"another release \(layout 1\)") as caught:
        Case(old, read_only=True)
    assert "investigator analyze" in str(caught.value)


def test_a_newer_case_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "new.duckdb"
    Case(path).close()
    with duckdb.connect(str(path)) as con:
        con.execute("UPDATE meta.case_info SET value = ? WHERE key = 'version'", [str(CASE_VERSION + 1)])
    before = path.read_bytes()
    with pytest.raises(CaseProblem, match="newer release"):
        Case(path)
    assert path.read_bytes() == before


def test_another_database_is_not_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE TABLE mine (x INTEGER)")
    with pytest.raises(CaseProblem, match="not a case"):
        Case(path)
    with duckdb.connect(str(path)) as con:
        assert con.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(1,)]


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "damaged.duckdb"
    Case(path).close()
    path.write_bytes(path.read_bytes()[:5000] + b"\x00" * 5000)
    with pytest.raises(CaseProblem, match=r"damaged or not a case|cannot be opened"):
        Case(path)
