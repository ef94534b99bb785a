"""The search for the smallest value that is enough, and the attempts it looks at."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from investigator.diagnosis.incidents import Row
from investigator.diagnosis.search import SEARCH_ATTEMPTS, SEARCH_ROUNDS, Fate, Search, hardest


@pytest.mark.parametrize("enough", [3.0, 700.0, 13_999.0])
def test_the_smallest_value_is_found_within_the_last_step(enough: float) -> None:
    search = Search((), 0.0, 14_400.0, lambda fate: fate == "saved")
    for _ in range(SEARCH_ROUNDS):
        search.narrow([["saved" if value >= enough else "lost"] for value in search.grid()])
    assert search.found is not None
    assert enough <= search.found <= enough + 14_400 / 7**SEARCH_ROUNDS


def test_nothing_is_enough() -> None:
    search = Search((), 0.0, 100.0, lambda fate: fate == "saved")
    lost: list[list[Fate]] = [["saved", "lost"] for _ in search.grid()]
    search.narrow(lost)
    assert search.found is None


def attempt(number: int, tokens: int | None, work: str | None = None, timeout_s: float | None = 300.0) -> Row:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return {
        "attempt_id": f"a{number}", "call_id": f"c{number}", "work_id": work, "arrived_at": at,
        "asked_tokens": tokens, "read_tokens": None, "timeout_s": timeout_s,
    }  # fmt: skip


def test_few_attempts_are_all_looked_at() -> None:
    rows = [attempt(n, n) for n in range(SEARCH_ATTEMPTS)]
    assert hardest(rows) == rows


def test_of_many_those_that_ask_for_most_in_the_least_time() -> None:
    rows = [attempt(n, 1000 + n // 2, timeout_s=300.0 if n % 2 else None) for n in range(3 * SEARCH_ATTEMPTS)]
    rows.append(attempt(9_999, None))
    assert hardest(rows) == rows[2 * SEARCH_ATTEMPTS : 3 * SEARCH_ATTEMPTS]
    by_limit = [attempt(n, 1000, timeout_s=float(n + 1)) for n in range(SEARCH_ATTEMPTS + 1)]
    assert hardest(by_limit) == by_limit[:-1]


def test_tries_of_one_piece_of_work_stay_together() -> None:
    rows = [attempt(n, 10, work="light") for n in range(5)]
    rows += [attempt(n, 1000 if n == 7 else 1, work="heavy") for n in range(5, SEARCH_ATTEMPTS + 5)]
    assert {row["work_id"] for row in hardest(rows)} == {"heavy"}
    assert len(hardest(rows)) == SEARCH_ATTEMPTS
