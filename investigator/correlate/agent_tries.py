"""Tries of agent calls: what an agent's transport logged of each HTTP request, repeats behind one call included.

Events of one request are joined by its trace, else by order: an error ends the request that began last, unless its
length tells of another one. Copies of a log (a file and what the command printed) tell everything twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import polars as pl

from investigator.formats.agent_errors import OPEN_CLASSES

from .schema import PlacedFrames, reference

_COPY_S = 0.25  # a debug log and a transcript tell of the same error within this
_LENGTH_S = 1.0
_CHAIN_S = 150.0  # agents wait at most about a minute before they try again
_EDGE_S = 1.5
_ENDS = ("error", "timeout", "end")

_COLUMNS = (
    "agent", "session_id", "run_id", "event", "provider", "model", "api", "http_status", "elapsed_s", "limit_s",
    "error_class", "error_text", "attempt", "trace_id", "source_id", "line_no", "stream", "at",
)  # fmt: skip
_SESSIONS = ("agent_session", "agent_run", "agent_call", "agent_error", "agent_http")


Event = dict[str, Any]


@dataclass(slots=True)
class Try:
    """One HTTP request as the agent saw it; `begun` or `ended` None where no line tells."""

    first: Event
    begun: datetime | None
    ended: datetime | None = None
    answered_at: datetime | None = None
    last: Event | None = None
    refs: list[str] = field(default_factory=list)
    call_id: str | None = None

    @property
    def moment(self) -> datetime:
        return self.begun or self.ended or datetime.min  # one of the two is always known

    @property
    def failed(self) -> bool:
        return self.last is not None and self.last["event"] != "end"

    def take(self, record: Event) -> None:
        """What a record without a time tells of this request: its session, and how it failed."""
        self.first["session_id"] = record["session_id"] or self.first["session_id"]
        if record["error_class"] is not None and self.last is not None:
            told = {name: record[name] for name in ("error_class", "error_text", "http_status")}
            self.last = {**self.last, **told, "event": "error"}


def find_tries(placed: PlacedFrames, calls: pl.DataFrame) -> list[Try]:
    """All requests that agents' transports logged, in time order of each agent. What `calls` ended is over."""
    only = _only_sessions(placed)
    steps = placed["agent_http"].filter(pl.col("at").is_not_null()).with_columns(ref=reference())
    named = steps.join(only, on="agent", how="left").with_columns(session_id=pl.coalesce("session_id", "only_session"))
    # Of two files' lines with one stamp the start comes first; one file is in order by itself.
    several = pl.col("source_id").n_unique().over("agent") > 1
    started = pl.when(several).then(pl.col("event") != "start").otherwise(False).alias("later")
    ordered = named.sort("agent", "at", started, "source_id", "line_no", nulls_last=True).select(*_COLUMNS, "ref")
    ends: dict[str | None, list[Event]] = {}
    for row in (
        calls.filter(pl.col("ended_at").is_not_null() & pl.col("started_at").is_not_null())
        .select("agent", "session_id", "started_at", "ended_at")
        .iter_rows(named=True)
    ):
        ends.setdefault(row["agent"], []).append({**row, "event": "call_end", "at": row["ended_at"]})
    found: list[Try] = []
    for agent, events in groupby(ordered.iter_rows(named=True), key=lambda event: event["agent"]):
        steps_and_ends = [*_without_copies(events), *ends.get(agent, [])]
        found += _of_agent(sorted(steps_and_ends, key=lambda event: event["at"]))
    return found


def _only_sessions(placed: PlacedFrames) -> pl.DataFrame:
    """Agents with one session in the whole case: lines that name none are of that one."""
    both = pl.concat([placed[name].select("agent", "session_id") for name in _SESSIONS]).drop_nulls().unique()
    return both.group_by("agent").agg(only_session=pl.col("session_id").first(), n=pl.len()).filter(n=1).drop("n")


def _without_copies(events: Any) -> list[Event]:
    """Events of one agent, each told once; a copy's line stays as evidence."""
    kept: list[Event] = []
    for event in events:
        event["refs"] = [event["ref"]]
        twin = next((other for other in reversed(kept[-8:]) if _same(other, event)), None)
        if twin is None:
            kept.append(event)
            continue
        twin["refs"].append(event["ref"])
        for name in ("session_id", "run_id", "elapsed_s", "trace_id"):
            twin[name] = event[name] if twin[name] is None else twin[name]
        if twin["error_class"] in (None, "other", *OPEN_CLASSES):
            twin["error_class"] = event["error_class"] or twin["error_class"]
    return kept


def _same(one: Event, other: Event) -> bool:
    if one["event"] != other["event"] or one["source_id"] == other["source_id"]:
        return False
    named = [(one[name], other[name]) for name in ("session_id", "trace_id", "attempt")]
    if any(a is not None and b is not None and a != b for a, b in named):
        return False
    return bool(abs((other["at"] - one["at"]).total_seconds()) <= _COPY_S)


def _of_agent(events: list[Event]) -> list[Try]:
    tries: list[Try] = []
    still_open: list[Try] = []
    for event in events:
        if event["event"] == "start":
            begun = Try(event, event["at"], refs=list(event["refs"]))
            tries.append(begun)
            still_open.append(begun)
            continue
        if event["event"] == "call_end":
            still_open = [other for other in still_open if not _ended_by(event, other)]
            continue
        if event["event"] == "retry":
            tries += _again(event, still_open)
            still_open.append(tries[-1])
            continue
        mine = _match(event, still_open)
        if mine is None:
            if event["event"] not in _ENDS or event["event"] == "end":
                continue
            mine = Try(event, None)
            tries.append(mine)
        mine.refs += event["refs"]
        if event["event"] == "response" and (event["http_status"] or 0) < 400:
            mine.answered_at = event["at"]
        if event["event"] in _ENDS or (event["http_status"] or 0) >= 400:
            mine.ended, mine.last = event["at"], event
            still_open = [other for other in still_open if other is not mine]
    return tries


def _again(event: Event, still_open: list[Try]) -> list[Try]:
    """A request that failed without a line of its own, if that is so, and the one that follows after a pause."""
    begun = event["at"] + timedelta(seconds=event["elapsed_s"] or 0.0)
    following = Try(event, begun, refs=list(event["refs"]))
    if event["error_class"] is None:
        return [following]
    mine = _match({**event, "elapsed_s": None}, still_open)
    failed = mine or Try(event, None)
    failed.refs += event["refs"]
    failed.ended, failed.last = event["at"], {**event, "event": "error"}
    if mine is not None:
        still_open.remove(mine)
        return [following]
    return [failed, following]


def _ended_by(call: Event, one: Try) -> bool:
    session = one.first["session_id"]
    same = session is None or call["session_id"] is None or session == call["session_id"]
    early = (call["started_at"] - one.moment).total_seconds()
    return bool(same and early <= _EDGE_S)


def _match(event: Event, still_open: list[Try]) -> Try | None:
    """The open request that an event belongs to."""
    if event["trace_id"] is not None:
        traced = [other for other in still_open if other.first["trace_id"] == event["trace_id"]]
        if traced:
            return traced[-1]
    mine = [other for other in still_open if _may_be(event, other)]
    length = event["elapsed_s"] if event["elapsed_s"] is not None else event["limit_s"]
    if length is not None:
        fitting = [t for t in mine if abs((event["at"] - t.moment).total_seconds() - length) <= _LENGTH_S]
        if fitting:
            return fitting[-1]
    return mine[-1] if mine else None


def _may_be(event: Event, other: Try) -> bool:
    pairs = [(event[name], other.first[name]) for name in ("session_id", "run_id")]
    return all(a is None or b is None or a == b for a, b in pairs)


def give_calls(tries: list[Try], calls: pl.DataFrame) -> None:
    """Set `call_id`: the call around a try; tries outside of all calls that follow each other's failures are one."""
    spans = calls.select("call_id", "agent", "session_id", "stream", "started_at", "ended_at").filter(
        pl.col("started_at").is_not_null()
    )
    by_agent: dict[str | None, list[Event]] = {}
    for row in spans.sort("started_at", "call_id").iter_rows(named=True):
        by_agent.setdefault(row["agent"], []).append(row)
    everyone = [row for rows in by_agent.values() for row in rows]
    chains: dict[tuple[str | None, str | None], list[Try]] = {}
    begun: set[str] = set()
    for one in tries:
        # A log that names no agent (a program's own) is of whoever made the call around it.
        mine = by_agent.get(one.first["agent"], []) if one.first["agent"] else everyone
        near = [row for row in mine if _inside(one, row)]
        # Calls follow each other within a blink: the one that was going on comes before one that began after it.
        around = [row for row in near if _during(one, row)] or near
        key = (one.first["agent"], one.first["session_id"] or one.first["run_id"])
        chain = chains.pop(key, [])
        if chain and not _follows(one, chain[-1]):
            chain = []
        if around:
            # The record tells of the last try; those it repeats are of the same call.
            for other in (*chain, one):
                other.call_id = around[-1]["call_id"]
            if not one.first["agent"] and one.begun is None and around[-1]["call_id"] not in begun:
                one.begun = around[-1]["started_at"]
            begun.add(around[-1]["call_id"])
            continue
        one.call_id = chain[0].call_id if chain else _own_id(one)
        chains[key] = [*chain, one]


def with_first_tries(calls: pl.DataFrame, tries: list[Try]) -> pl.DataFrame:
    """`calls` beginning with their first try, where the record tells of the last one only."""
    first: dict[str, datetime] = {}
    for one in tries:
        if one.call_id is not None and one.begun is not None:
            first[one.call_id] = min(one.begun, first.get(one.call_id, one.begun))
    begun = pl.DataFrame(
        {"call_id": list(first), "tried_at": list(first.values())},
        schema={"call_id": calls.schema["call_id"], "tried_at": pl.Datetime("us")},
    )
    earlier = pl.when(pl.col("started_at").is_not_null()).then(pl.min_horizontal("started_at", "tried_at"))
    joined = calls.join(begun, on="call_id", how="left", maintain_order="left")
    return joined.with_columns(started_at=earlier).drop("tried_at")


def _inside(one: Try, call: Event) -> bool:
    session, theirs = one.first["session_id"], None if call["session_id"] == call["stream"] else call["session_id"]
    if session is not None and theirs is not None and session != theirs:
        return False
    early = (call["started_at"] - one.moment).total_seconds()
    end = one.ended or one.moment
    late = (end - call["ended_at"]).total_seconds() if call["ended_at"] is not None else 0.0
    return early <= _EDGE_S and late <= _EDGE_S


def _during(one: Try, call: Event) -> bool:
    return bool(call["started_at"] <= one.moment and (call["ended_at"] is None or one.moment <= call["ended_at"]))


def _follows(one: Try, last: Try) -> bool:
    if not last.failed or last.ended is None:
        return False
    return 0 <= (one.moment - last.ended).total_seconds() <= _CHAIN_S


def _own_id(one: Try) -> str:
    return f"{one.first['agent'] or 'agent'}/http/{one.first['ref']}"
