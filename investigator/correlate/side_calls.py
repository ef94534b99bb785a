"""Requests that an agent makes without a record of their own: summaries of its history, tries that nothing logged.

Each is only a possibility (`maybe`): it is kept if a server's log shows a request at that place, else forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from .agent_tries import Try
from .schema import PlacedFrames, reference

_GAP = timedelta(seconds=1.5)
_BEFORE = timedelta(minutes=10)  # a history is shortened right behind the call that showed it to be too long
_KEPT = ("agent", "session_id", "run_id", "own_run_id", "provider", "model", "api", "base_url", "source_id", "line_no",
         "stream", "side", "lines")  # fmt: skip

Row = dict[str, Any]


def side_units(placed: PlacedFrames, calls: pl.DataFrame, tries: list[Try]) -> pl.DataFrame:
    """Possible requests in the shape of raw units (`call_id` of their call, `unit_id` of their own, `maybe`).

    A summary outside of all calls is a call of its own. `calls`: raw calls; `tries` with their `call_id`.
    """
    by_id = {row["call_id"]: row for row in calls.iter_rows(named=True)}
    rows = [*_gaps(by_id, tries), *_summaries(placed, list(by_id.values()))]
    schema = {**calls.schema, "unit_id": pl.String(), "not_before": pl.Datetime("us"), "maybe": pl.Boolean()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _gaps(calls: dict[str, Row], tries: list[Try]) -> Iterator[Row]:
    """Stretches of a call between its logged tries, and behind the last."""
    of_call: dict[str, list[Try]] = {}
    for one in tries:
        of_call.setdefault(one.call_id or "", []).append(one)
    for call_id, mine in of_call.items():
        call = calls.get(call_id)
        if call is None:
            continue
        ordered = sorted(mine, key=lambda one: one.moment)
        for one, following in zip(ordered, [*ordered[1:], None], strict=True):
            end = following.begun if following is not None else call["ended_at"]
            if one.failed and one.ended is not None and end is not None and end - one.ended > _GAP:
                yield _gap(call, one, end)


def _gap(call: Row, after: Try, end: datetime) -> Row:
    row = dict.fromkeys(call, None) | {name: call[name] for name in _KEPT if name in call}
    return row | {
        "call_id": call["call_id"],
        "unit_id": f"{call['call_id']}/behind/{after.first['ref']}",
        "started_at": after.ended,
        "ended_at": end,
        "start_basis": "derived",
        "maybe": True,
    }


def _summaries(placed: PlacedFrames, calls: list[Row]) -> Iterator[Row]:
    """The request behind each shortening of a history; its record is written when the summary is there."""
    told = placed["compaction"].filter(pl.col("at").is_not_null()).with_columns(ref=reference())
    once = told.sort("at", "fact_id").unique(["agent", "session_id", "at"], keep="first", maintain_order=True)
    for fact in once.iter_rows(named=True):
        session = fact["session_id"] or fact["stream"]
        mine = [c for c in calls if c["agent"] == fact["agent"] and c["session_id"] == session]
        around = next((c for c in mine if _is_around(c, fact["at"])), None)
        yield _summary(fact, session, around, _last_before(mine, fact["at"]))


def _is_around(call: Row, moment: datetime) -> bool:
    begun, ended = call["started_at"], call["ended_at"]
    return begun is not None and ended is not None and bool(begun <= moment <= ended)


def _last_before(calls: list[Row], moment: datetime) -> Row | None:
    over = [c for c in calls if c["ended_at"] is not None and moment - _BEFORE <= c["ended_at"] <= moment]
    return max(over, key=lambda c: c["ended_at"], default=None)


def _summary(fact: Row, session: str, around: Row | None, before: Row | None) -> Row:
    model = around or before
    row: Row = dict.fromkeys(model, None) if model else {}
    row |= {name: model[name] for name in ("provider", "model", "api", "base_url", "side") if model and name in model}
    who = fact["agent"] or "agent"
    call_id = around["call_id"] if around else f"{who}/{session}/compaction/{fact['ref']}"
    return row | {
        "call_id": call_id,
        "unit_id": f"{call_id}/summary/{fact['ref']}" if around else call_id,
        "agent": fact["agent"],
        "session_id": session,
        "run_id": f"{who}/{session}",
        "source_id": fact["source_id"],
        "line_no": fact["line_no"],
        "stream": fact["stream"],
        "started_at": before["ended_at"] if before and not around else None,
        "start_basis": "derived" if before and not around else None,
        "not_before": around["started_at"] if around else None,
        "ended_at": fact["at"],
        "finish_reason": None if around else "stop",
        "lines": [fact["ref"]],
        "maybe": True,
    }
