"""Bars and marks of both sides for the timeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from investigator.diagnosis.incidents import Row
from investigator.diagnosis.model import TimelineMark, TimelineSpan
from investigator.diagnosis.turns import ABANDONED, IN_QUEUE, Turn, turns

#: Beyond this the spans nearest to the failures are kept.
MOST_SPANS = 5000

#: Phases of a server request in the order in which they happen.
_PHASES = (("queue", "queue_s"), ("load", "load_s"), ("prefill", "prefill_s"), ("decode", "decode_s"))

#: What a server did with a request's time that no phase tells, by outcome.
_REST = {ABANDONED: "prefill", IN_QUEUE: "queue"}


def spans(attempts: Sequence[Row]) -> tuple[TimelineSpan, ...]:
    """Agent calls, server requests by phase, and prefills that went on for nobody. In order of time."""
    timed = [
        row for row in attempts if isinstance(row["arrived_at"], datetime) and isinstance(row["ended_at"], datetime)
    ]
    nearest = sorted(timed, key=lambda row: (not row["failed"], str(row["arrived_at"])))[:MOST_SPANS]
    at_slot = turns(timed)
    bars = [bar for row in nearest for bar in _bars(row, at_slot)]
    return tuple(sorted(bars, key=lambda bar: (bar.start, bar.lane, bar.kind, bar.attempt_id or "")))


def _bars(row: Row, at_slot: Mapping[str, Turn]) -> Iterator[TimelineSpan]:
    start, end = row["arrived_at"], row["ended_at"]
    assert isinstance(start, datetime) and isinstance(end, datetime)
    if row["seen_by"] in ("both", "agent"):
        yield _bar(row, "agent", "call", start, end)
    if row["seen_by"] in ("both", "server"):
        yield from _server_bars(row, start, end, at_slot.get(str(row["attempt_id"])))


def _server_bars(row: Row, start: datetime, end: datetime, turn: Turn | None) -> Iterator[TimelineSpan]:
    at = start
    for kind, column in _PHASES:
        seconds = row[column]
        if kind == "queue" and seconds is None and turn is not None:
            seconds = turn.waited_s
        if isinstance(seconds, (int, float)) and seconds > 0 and at < end:
            until = min(at + timedelta(seconds=float(seconds)), end)
            yield _bar(row, "server", kind, at, until)
            at = until
    if at < end:
        yield _bar(row, "server", _REST.get(str(row["outcome"]), "request"), at, end)
    if turn is not None and turn.busy_until is not None:
        yield _bar(row, "server", "abandoned", end, turn.busy_until)


def _bar(row: Row, lane: str, kind: str, start: datetime, end: datetime) -> TimelineSpan:
    tokens = row["read_tokens"] or row["asked_tokens"]
    label = f"{row['route'] or row['model'] or 'request'}" + (f", {tokens:,} tokens" if isinstance(tokens, int) else "")
    return TimelineSpan(
        lane="agent" if lane == "agent" else "server",
        kind=kind,
        start=start,
        end=end,
        outcome=str(row["outcome"]),
        label=label,
        attempt_id=str(row["attempt_id"]),
    )


def marks(events: Iterable[Row], first: datetime | None, last: datetime | None) -> tuple[TimelineMark, ...]:
    """Starts, exits and memory errors between `first` and `last`."""
    wanted = {"start": "server start", "runner_exit": "model process ended", "memory_error": "out of memory"}
    found = []
    for event in events:
        at = event["happened_at"]
        if (
            event["kind"] in wanted
            and isinstance(at, datetime)
            and (first is None or last is None or first <= at <= last)
        ):
            found.append(TimelineMark(at, str(event["kind"]), wanted[str(event["kind"])]))
    return tuple(sorted(found, key=lambda mark: (mark.at, mark.kind)))
