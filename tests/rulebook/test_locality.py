"""What can be told of a match by its text alone: rests on one row, says nothing in worlds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import duckdb
import pytest

from investigator.rulebook.evaluate import evaluate
from investigator.rulebook.locality import empty_without, is_row_local, is_silent_in_worlds
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.sqltree import SqlReader

_LIMITS = "WITH limits(s) AS (VALUES (5.0), (10.0)) "


@pytest.fixture(scope="module")
def reader() -> Iterator[SqlReader]:
    reader = SqlReader()
    yield reader
    reader.close()


@pytest.mark.parametrize(
    ("sql", "local"),
    [
        ("SELECT attempt_id AS subject FROM attempts WHERE slots > 1", True),
        ("SELECT a.attempt_id AS subject, CASE WHEN a.slots > 1 THEN 2 END AS n FROM attempts a", True),
        (_LIMITS + "SELECT attempt_id AS subject, s FROM attempts LEFT JOIN limits ON duration_s > s", True),
        (_LIMITS + "SELECT attempt_id AS subject, s FROM attempts, limits", True),
        (_LIMITS + "SELECT attempt_id AS subject, s FROM limits LEFT JOIN attempts ON duration_s > s", False),
        (_LIMITS + "SELECT attempt_id AS subject, s FROM attempts RIGHT JOIN limits ON duration_s > s", False),
        ("WITH limits AS (SELECT max(slots) AS s FROM attempts) SELECT attempt_id AS subject FROM attempts, limits", False),
        ("WITH limits AS (SELECT (SELECT 1) AS s) SELECT attempt_id AS subject FROM attempts, limits", False),
        ("SELECT a.attempt_id AS subject FROM attempts a JOIN requests r ON r.request_id = a.attempt_id", False),
        ("SELECT a.attempt_id AS subject FROM attempts a JOIN attempts b ON b.slots = a.slots", False),
        ("SELECT attempt_id AS subject, count(*) OVER () AS n FROM attempts", False),
        ("SELECT attempt_id AS subject, (SELECT 1) AS n FROM attempts", False),
        ("SELECT any_value(attempt_id) AS subject FROM attempts", False),
        ("SELECT attempt_id AS subject FROM attempts GROUP BY attempt_id", False),
        ("SELECT attempt_id AS subject FROM attempts ORDER BY 1 LIMIT 1", False),
        ("SELECT attempt_id AS subject FROM (FROM attempts)", False),
        ("SELECT attempt_id AS subject FROM attempts UNION ALL SELECT request_id FROM requests", False),
        ("SELECT request_id AS subject FROM requests", False),
    ],
)  # fmt: skip
def test_row_local(reader: SqlReader, sql: str, local: bool) -> None:
    assert is_row_local(reader.statement(sql), "attempts") is local


_KEPT = "WITH kept AS (SELECT * FROM attempts WHERE NOT $replay) "


@pytest.mark.parametrize(
    ("sql", "silent"),
    [
        ("SELECT attempt_id AS subject FROM attempts WHERE NOT $replay", True),
        ("SELECT attempt_id AS subject FROM attempts WHERE slots > 1 AND NOT $replay AND slots < 9", True),
        ("SELECT attempt_id AS subject, (SELECT count(*) FROM requests) AS n FROM attempts WHERE NOT $replay", True),
        ("SELECT attempt_id AS subject, count(*) FROM attempts WHERE NOT $replay GROUP BY 1", True),
        (_KEPT + "SELECT attempt_id AS subject FROM kept", True),
        (_KEPT + "SELECT k.attempt_id AS subject FROM kept k LEFT JOIN requests r ON r.request_id = k.attempt_id", True),
        (_KEPT + "SELECT r.request_id AS subject FROM requests r JOIN kept k ON r.request_id = k.attempt_id", True),
        (_KEPT + "SELECT attempt_id AS subject FROM (SELECT * FROM kept)", True),
        (_KEPT + "SELECT attempt_id AS subject FROM kept UNION ALL SELECT attempt_id FROM kept", True),
        (_KEPT + "SELECT attempt_id AS subject FROM kept UNION ALL SELECT attempt_id FROM attempts", False),
        (_KEPT + "SELECT attempt_id AS subject FROM attempts EXCEPT SELECT attempt_id FROM kept", False),
        (_KEPT + "SELECT r.request_id AS subject FROM requests r LEFT JOIN kept k ON r.request_id = k.attempt_id", False),
        (_KEPT + "SELECT max(attempt_id) AS subject FROM kept", False),
        (_KEPT + "SELECT attempt_id AS subject FROM attempts", False),
        ("SELECT attempt_id AS subject FROM attempts WHERE $replay", False),
        ("SELECT attempt_id AS subject FROM attempts WHERE NOT $replay OR slots > 1", False),
        ("SELECT attempt_id AS subject FROM attempts", False),
    ],
)  # fmt: skip
def test_silent_in_worlds(reader: SqlReader, sql: str, silent: bool) -> None:
    assert is_silent_in_worlds(reader.statement(sql)) is silent


_A, _R = ("attempts",), ("requests",)


@pytest.mark.parametrize(
    ("sql", "groups"),
    [
        ("SELECT attempt_id AS subject FROM attempts", [_A]),
        ("SELECT attempt_id AS subject FROM attempts WHERE NOT $replay", [_A]),
        ("SELECT attempt_id AS subject, (SELECT count(*) FROM requests) AS n FROM attempts GROUP BY 1", [_A]),
        ("SELECT attempt_id AS subject FROM attempts JOIN requests r ON r.request_id = attempt_id", [_A, _R]),
        ("SELECT attempt_id AS subject FROM attempts, requests", [_A, _R]),
        ("SELECT attempt_id AS subject FROM attempts LEFT JOIN requests r ON r.request_id = attempt_id", [_A]),
        ("SELECT attempt_id AS subject FROM attempts FULL JOIN requests r ON r.request_id = attempt_id", []),
        ("SELECT attempt_id AS subject FROM attempts POSITIONAL JOIN requests", []),
        ("SELECT attempt_id AS subject FROM attempts UNION ALL SELECT request_id FROM requests", [_A + _R]),
        ("SELECT attempt_id AS subject FROM attempts WHERE attempt_id IN (SELECT request_id FROM requests)", [_A]),
        ("SELECT attempt_id AS subject FROM attempts GROUP BY GROUPING SETS ((attempt_id), ())", []),
        ("SELECT max(attempt_id) AS subject FROM attempts", []),
        ("SELECT 'x' AS subject FROM attempts HAVING count(*) = 0", []),
        ("SELECT 'x' AS subject FROM attempts ORDER BY count(*)", []),
        ("WITH n AS (SELECT count(*) AS n FROM requests) SELECT attempt_id AS subject FROM attempts, n", [_A]),
        ("WITH n AS (SELECT count(*) AS n FROM requests) SELECT n AS subject FROM n", []),
        ("WITH n AS (FROM requests) SELECT attempt_id AS subject FROM attempts, n", [_A, _R]),
    ],
)  # fmt: skip
def test_empty_without(reader: SqlReader, sql: str, groups: list[tuple[str, ...]]) -> None:
    assert list(empty_without(reader.statement(sql), ["requests", "attempts"])) == groups


@pytest.mark.parametrize("gone", [{"server_events"}, {"requests", "model_loads"}, {"attempts", "runs", "agent_calls"}])
def test_what_is_said_to_be_empty_is_empty(
    case: Callable[[Any], duckdb.DuckDBPyConnection], founding_rows: Any, built_in: RuleSet, gone: set[str]
) -> None:
    """Asked all the same, a rule without one of its views has no candidate."""
    said = [rule for rule in built_in.rules if any(gone.issuperset(group) for group in rule.empty_without)]
    assert len(said) >= 5
    con = case({name: rows for name, rows in founding_rows.items() if name not in gone})
    found = evaluate(con, RuleSet(tuple(replace(rule, empty_without=()) for rule in said)))
    assert [result.rule for result in found.results if any(result.counts.values())] == []
