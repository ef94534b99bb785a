"""Tries as rows in the shape of an agent's calls, and calls for tries that no record of an agent tells of."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from investigator.formats.agent_errors import NETWORK_CLASSES, OPEN_CLASSES, classify

from .agent_tries import Event, Try

#: What may end one try after another; an answer that has begun is not asked for again.
_BEFORE_AN_ANSWER = tuple(name for name in NETWORK_CLASSES if name != "stream_timeout")


def tries_frame(tries: list[Try], calls: pl.DataFrame) -> pl.DataFrame:
    """Tries as rows in the shape of raw calls (`call_id` of their call, `unit_id` of their own).

    The last try of a call shares its end and its words; one that nothing ended has no end. `not_before`: end of the
    try before, else start of the call.
    """
    parents = {row["call_id"]: row for row in calls.iter_rows(named=True)}
    last_of = {one.call_id: one for one in sorted(tries, key=lambda one: one.moment)}
    _tell_vague(tries)
    rows: list[Event] = []
    over: dict[str | None, datetime] = {}
    for one in tries:
        parent = parents.get(one.call_id or "")
        row = _row(one, parent, last_of[one.call_id])
        row["not_before"] = over.get(one.call_id, parent["started_at"] if parent else None)
        if one.ended is not None:
            over[one.call_id] = one.ended
        rows.append(row)
    _tell_apart(rows)
    return pl.DataFrame(rows, schema=_schema(calls), orient="row")


def _tell_apart(rows: list[Event]) -> None:
    """One line may end a try and begin the next one: the second of that name is numbered."""
    named: dict[str, int] = {}
    for row in rows:
        name = row["unit_id"]
        named[name] = named.get(name, 0) + 1
        if named[name] > 1:
            row["unit_id"] = f"{name}/{named[name]}"


def _tell_vague(tries: list[Try]) -> None:
    """A "connection error" that repeats one whose kind was told is taken to be of that kind."""
    told: dict[str | None, str] = {}
    for one in tries:
        if one.last is None:
            continue
        kind = one.last["error_class"]
        if kind in OPEN_CLASSES and one.call_id in told:
            one.last = {**one.last, "error_class": told[one.call_id]}
        elif str(kind).startswith("connection_") and kind not in OPEN_CLASSES:
            told[one.call_id] = str(kind)


def _schema(calls: pl.DataFrame) -> dict[str, pl.DataType]:
    return {**calls.schema, "unit_id": pl.String(), "not_before": pl.Datetime("us")}


def _beside(one: Try, last: Try) -> bool:
    """Whether a try was still going on when the last one began: it asked for something else (a title)."""
    return one is not last and (one.ended is None or one.ended > last.moment)


def _row(one: Try, parent: Event | None, final: Try) -> Event:
    last = one is final
    end = one.last or {}
    row: Event = dict.fromkeys((*parent,), None) if parent else {}
    shared = ("provider", "model", "api", "base_url", "session_id", "run_id", "input_tokens", "estimated_tokens",
              "max_output_tokens", "side", "own_run_id")  # fmt: skip
    if parent is not None:
        row |= {name: parent.get(name) for name in shared}
    first = one.first
    row |= {name: first[name] for name in ("agent", "source_id", "line_no", "stream")}
    row["agent"] = row["agent"] or (parent["agent"] if parent else None)
    row |= {name: first[name] for name in ("provider", "model", "api") if row.get(name) is None}
    row["session_id"] = row.get("session_id") or first["session_id"] or first["run_id"] or first["stream"]
    row["run_id"] = row.get("run_id") or f"{first['agent'] or 'agent'}/{row['session_id']}"
    row |= {
        "call_id": one.call_id,
        "unit_id": f"{one.call_id}/{first['ref']}",
        "started_at": one.begun,
        "ended_at": one.ended,
        "start_basis": "measured" if one.begun is not None else None,
        "finish_reason": _finish(one),
        "error_class": _class(end),
        "error_text": end.get("error_text"),
        "http_status": end.get("http_status"),
        "lines": list(dict.fromkeys(one.refs)),
    }
    # An SDK that only says it tries again does so for what the call failed of in the end.
    if row["error_class"] in OPEN_CLASSES and parent is not None and parent["error_class"] in _BEFORE_AN_ANSWER:
        row["error_class"] = parent["error_class"]
    if row["error_class"] == "context_overflow":
        row["input_tokens"] = None  # what was answered later was shorter
        told = classify(row["error_text"] or "")
        row |= {"asked_tokens": told.asked_tokens, "window_tokens": told.window_tokens}
    if _beside(one, final):
        row |= dict.fromkeys(("input_tokens", "estimated_tokens", "max_output_tokens"), None)
    if last and parent is not None:
        _share_end(row, parent, one)
    elif parent is None and not one.first["agent"] and one.last is None and one.answered_at is not None:
        # No record tells of the call, and a program's log of no more than that its answer came.
        row |= {"finish_reason": "stop", "ended_at": one.answered_at}
    return row


def _class(end: Event) -> str | None:
    status = end.get("http_status") or 0
    bare = "timeout" if end.get("event") == "timeout" else "server_error" if status >= 500 else None
    return end.get("error_class") or bare or ("bad_request" if status >= 400 else None)


def _finish(one: Try) -> str | None:
    if one.last is None:
        return None
    return "error" if one.failed else "stop"


def _share_end(row: Event, parent: Event, one: Try) -> None:
    if one.last is None:
        row["ended_at"] = parent["ended_at"]
    if one.last is None or not one.failed:
        for name in ("finish_reason", "output_tokens", "cache_read_tokens"):
            row[name] = parent.get(name)
    row["first_token_s"] = parent.get("first_token_s")
    for name in ("error_class", "error_text", "http_status", "asked_tokens", "window_tokens"):
        row[name] = row.get(name) if row.get(name) is not None else parent.get(name)
    if (one.last or {}).get("error_class") is None and parent.get("error_class") is not None:
        row["error_class"] = parent["error_class"]  # words tell more than a status
    row["lines"] = list(dict.fromkeys([*row["lines"], *(parent["lines"] or [])]))


def parents_of(tries: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """One call for each chain of tries that no record of the agent tells of."""
    lone = tries.join(calls, on="call_id", how="anti").sort("call_id", "started_at", nulls_last=True)
    last = ("ended_at", "finish_reason", "error_class", "error_text", "http_status")
    others = [name for name in calls.columns if name not in (*last, "call_id", "lines")]
    return lone.group_by("call_id", maintain_order=True).agg(
        *(pl.col(name).first() for name in others),
        *(pl.col(name).last() for name in last),
        pl.col("lines").explode().alias("lines"),
    )
