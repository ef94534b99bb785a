"""Whose turn it was: requests that waited while a server with one slot read on for a client that had left.

A Go runner of Ollama notices a hang-up only when it writes, so it reads an abandoned prompt to its end. llama-server
stops a cancelled task, and tells how far it had come.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from investigator.capacity.prefill import prefill_s
from investigator.diagnosis.incidents import Row
from investigator.diagnosis.levers import spoken

#: A runner of this outcome may go on reading after the client has left.
ABANDONED = "client_closed_before_first_byte"
IN_QUEUE = "client_closed_in_queue"

#: Stamps of access lines are whole seconds, so shorter waits are none.
_LEAST_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Turn:
    """One request at a slot. All of it is estimated by the fitted reading time.

    waited_s: how long it stood behind `behind`, whose client had left. reading_s: what its own prompt takes to read.
    busy_until: when the slot is free again after its client has left; None where it is not known to read on.
    """

    waited_s: float
    behind: Row | None
    reading_s: float | None
    busy_until: datetime | None


def turns(attempts: Sequence[Row]) -> dict[str, Turn]:
    """attempt_id → its turn, of the requests of each server process that has one slot or does not tell."""
    places: dict[tuple[object, object], list[Row]] = {}
    for row in attempts:
        if row["seen_by"] != "agent" and _timed(row) and row["slots"] in (1, None):
            places.setdefault((row["stream"], row["stretch"]), []).append(row)
    found = (pair for rows in places.values() for pair in _of_place(sorted(rows, key=_order)))
    return dict(found)


def reason(row: Row, all_turns: Mapping[str, Turn]) -> str | None:
    """Why this try of several came to nothing, in words; None where the turn says nothing that its outcome does not."""
    turn = all_turns.get(str(row["attempt_id"]))
    if turn is None:
        return None
    takes = None if turn.reading_s is None else spoken(round(turn.reading_s), "s")
    if row["outcome"] == IN_QUEUE and turn.behind is not None:
        return f"it was never read, because the server still read {_whose(turn.behind, row)} for a client that had left"
    if row["outcome"] != ABANDONED or takes is None:
        return None
    if turn.behind is not None:
        blocked = f"the server still read {_whose(turn.behind, row)} for a client that had left"
        waited = spoken(round(turn.waited_s), "s")
        return f"it waited about {waited} while {blocked}, and reading its own takes about {takes}"
    if isinstance(row["duration_s"], float) and turn.reading_s is not None and turn.reading_s > row["duration_s"]:
        return f"the server began at once, but reading the prompt takes about {takes}"
    return None


def _whose(holder: Row, row: Row) -> str:
    same = holder["work_id"] is not None and holder["work_id"] == row["work_id"] and holder["try_no"] is not None
    return f"the prompt of try {holder['try_no']}" if same else "the prompt of the request before"


def _of_place(rows: Sequence[Row]) -> Iterator[tuple[str, Turn]]:
    """Requests of one slot in order of arrival. `holder` was abandoned; it is read until `free_at`, None if unknown."""
    holder: Row | None = None
    free_at: datetime | None = None
    for row in rows:
        arrived, ended = row["arrived_at"], row["ended_at"]
        assert isinstance(arrived, datetime) and isinstance(ended, datetime)
        waited_s = 0.0 if free_at is None else max((min(free_at, ended) - arrived).total_seconds(), 0.0)
        if row["outcome"] == IN_QUEUE:  # as the server's log says; an estimate that ends too early does not count
            yield str(row["attempt_id"]), Turn(waited_s, holder, None, None)
            continue
        waits = waited_s >= _LEAST_WAIT_S
        begun = free_at if waits and free_at is not None else arrived + timedelta(seconds=_number(row["load_s"]))
        reading_s = _reading_s(row)
        goes_on = row["outcome"] == ABANDONED and row["progress_tokens"] is None
        until = begun + timedelta(seconds=reading_s) if goes_on and reading_s is not None else None
        busy_until = until if until is not None and until > ended else None
        yield str(row["attempt_id"]), Turn(waited_s if waits else 0.0, holder if waits else None, reading_s, busy_until)
        if goes_on:
            holder, free_at = row, busy_until
        elif free_at is None or ended >= free_at:
            holder, free_at = None, None


def _reading_s(row: Row) -> float | None:
    """Time to read the prompt by the fitted law, without what is known to be cached; None where no fit is."""
    r0, c, read = row["prefill_r0"], row["prefill_c"], row["read_tokens"]
    if not isinstance(r0, float) or not isinstance(c, float) or not isinstance(read, int):
        return None
    cached = row["cached_tokens"] if isinstance(row["cached_tokens"], int) else 0
    return float(prefill_s(read - cached, cached, r0, c))


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _timed(row: Row) -> bool:
    return isinstance(row["arrived_at"], datetime) and isinstance(row["ended_at"], datetime)


def _order(row: Row) -> tuple[str, str]:
    return str(row["arrived_at"]), str(row["attempt_id"])
