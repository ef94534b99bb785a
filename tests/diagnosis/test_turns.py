"""Who waited for whose abandoned prompt: three tries, three reasons."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from investigator.diagnosis.timeline import spans
from investigator.diagnosis.turns import ABANDONED, IN_QUEUE, reason, turns
from tests.diagnosis.make import NOON, attempt

MINUTE = 60.0


def tried(number: int, outcome: str, minute: float, **columns: Any) -> dict[str, Any]:
    """A try of five minutes; reading it takes nine (5,400 tokens at 10 tokens/s)."""
    at = NOON + timedelta(minutes=minute)
    known = {"work_id": "w", "try_no": number, "stream": "s", "slots": 1, "duration_s": 300.0, "outcome": outcome}
    known |= {"ended_at": at + timedelta(seconds=300), "read_tokens": 5400, "prefill_r0": 10.0, "prefill_c": 0.0}
    return attempt(f"a{number}", minute, **(known | columns))


def three() -> list[dict[str, Any]]:
    return [tried(1, ABANDONED, 0), tried(2, ABANDONED, 6), tried(3, IN_QUEUE, 12, read_tokens=None)]


def test_three_tries_six_minutes_apart() -> None:
    rows = three()
    found = turns(rows)
    assert [found[row["attempt_id"]].waited_s for row in rows] == [0, 3 * MINUTE, 5 * MINUTE]
    assert [found[row["attempt_id"]].busy_until for row in rows] == [
        NOON + timedelta(minutes=9),
        NOON + timedelta(minutes=18),
        None,
    ]
    assert [reason(row, found) for row in rows] == [
        "the server began at once, but reading the prompt takes about 540 s",
        "it waited about 180 s while the server still read the prompt of try 1 for a client that had left,"
        " and reading its own takes about 540 s",
        "it was never read, because the server still read the prompt of try 2 for a client that had left",
    ]


def test_the_bars_say_the_same() -> None:
    server = [bar for bar in spans(three()) if bar.lane == "server"]
    shown = [(b.attempt_id, b.kind, (b.start - NOON).total_seconds() / MINUTE, (b.end - NOON).total_seconds() / MINUTE) for b in server]  # fmt: skip
    assert shown == [
        ("a1", "prefill", 0, 5), ("a1", "abandoned", 5, 9),
        ("a2", "queue", 6, 9), ("a2", "prefill", 9, 11), ("a2", "abandoned", 11, 18),
        ("a3", "queue", 12, 17),
    ]  # fmt: skip


def test_without_a_reading_time_the_queue_still_tells() -> None:
    rows = [tried(1, ABANDONED, 0, prefill_r0=None), tried(2, IN_QUEUE, 5.1, prefill_r0=None)]
    found = turns(rows)
    assert found["a2"].behind is rows[0]
    assert reason(rows[0], found) is None
    assert "never read" in str(reason(rows[1], found))


def test_another_client_is_not_named_as_a_try() -> None:
    rows = three()
    rows[2]["work_id"] = "other"
    assert "the prompt of the request before" in str(reason(rows[2], turns(rows)))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"progress_tokens": 0}, "llama-server stops a cancelled task"),
        ({"slots": 2}, "another slot was free"),
        ({"outcome": "ok"}, "nothing was abandoned"),
        ({"stream": "other"}, "another server"),
    ],
)
def test_nobody_waited(change: dict[str, Any], why: str) -> None:
    rows = [tried(1, ABANDONED, 0) | change, tried(2, ABANDONED, 6)]
    assert turns(rows)["a2"].behind is None, why


def test_an_answer_ends_the_wait() -> None:
    answered = tried(2, "ok", 9.5, ended_at=NOON + timedelta(minutes=11))
    rows = [tried(1, ABANDONED, 0), answered, tried(3, ABANDONED, 11.5)]
    found = turns(rows)
    assert (found["a3"].behind, found["a3"].waited_s) == (None, 0.0)
