"""Derived tables cut down to what a user asks about: a span of time, a run, a model.

What is left out is still in the case: only what is judged and shown gets narrower. Settings (`devices`) hold whatever
the span is, and a load that a kept request used stays even if it began before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl

from investigator.errors import UsageProblem

Tables = dict[str, pl.DataFrame]
_MOST_NAMED = 6
_BEGIN, _END = datetime(1, 1, 1), datetime(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a user asks about. `since`, `until`: naive ones are in the zone of the report. last_s: seconds before
    `until`, or before the end of the logs. run: id of a run or session, or how it begins. model: its name.
    """

    since: datetime | None = None
    until: datetime | None = None
    last_s: float | None = None
    run: str | None = None
    model: str | None = None

    @property
    def asked(self) -> bool:
        return self != Narrowing()


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What was left of the case. conditions: (since | until | run | model, its value); counts are of attempts.

    untimed: left out as nothing says when they were.
    """

    conditions: tuple[tuple[str, str], ...]
    kept: int
    total: int
    untimed: int


@dataclass(frozen=True, slots=True)
class _Span:
    """Both ends inclusive, UTC without a zone; None is open."""

    since: datetime | None
    until: datetime | None

    @property
    def open(self) -> bool:
        return self.since is None and self.until is None

    def met(self, start: pl.Expr, end: pl.Expr) -> pl.Expr:
        """Does start … end touch the span? False for what has no time, unless the span is open on both sides."""
        found = pl.lit(True) if self.open else start.is_not_null() & end.is_not_null()
        if self.since is not None:
            found &= end >= self.since
        if self.until is not None:
            found &= start <= self.until
        return found.fill_null(False)


def narrow(tables: Mapping[str, pl.DataFrame], asked: Narrowing, tz: str | None = None) -> tuple[Tables, Narrowed]:
    """The tables with what `asked` speaks of, and what that left. Pure. `tz` as for `correlate`.

    Raises UsageProblem for a run or a model that no attempt names.
    """
    attempts = tables["attempts"]
    span = _span(tables, asked, tz)
    start, end = _ends("arrived_at", "ended_at")
    named = attempts.filter(_of_run(attempts, asked.run) & _of_model(attempts, asked.model))
    kept = named.filter(span.met(start, end))
    untimed = 0 if span.open else named.filter(start.is_null()).height
    narrower = _touched_span(kept) if asked.run or asked.model else span
    conditions = _conditions(asked, span, _zone(attempts, tz))
    return _kept(tables, kept, narrower, asked), Narrowed(conditions, kept.height, attempts.height, untimed)


def _kept(tables: Mapping[str, pl.DataFrame], attempts: pl.DataFrame, span: _Span, asked: Narrowing) -> Tables:
    requests, events = tables["requests"], tables["server_events"]
    calls, runs = tables["agent_calls"], tables["runs"]
    mine = pl.col("request_id").is_in(attempts["attempt_id"].implode())
    if not asked.run and not asked.model:
        known = pl.col("request_id").is_in(tables["attempts"]["attempt_id"].implode())
        mine |= ~known & span.met(*_ends("arrived_at", "ended_at"))
    requests = requests.filter(mine)
    loads = _loads(tables["model_loads"], requests, tables["requests"], span)
    calls = calls.filter(pl.col("call_id").is_in(attempts["call_id"].implode()))
    told = pl.concat([attempts["run_id"], calls["run_id"]]).drop_nulls()
    of_run = pl.col("run_id").is_in(told.implode())
    if not asked.run and not asked.model:
        empty = ~pl.col("run_id").is_in(tables["attempts"]["run_id"].drop_nulls().implode())
        of_run |= empty & span.met(*_ends("started_at", "ended_at"))
    at = pl.col("happened_at")
    ids = pl.concat([attempts["attempt_id"], loads["load_id"]])
    return {
        **tables,
        "attempts": attempts,
        "requests": requests,
        "model_loads": loads,
        "agent_calls": calls,
        "runs": runs.filter(of_run.fill_null(False)),
        "server_events": events.filter(
            pl.col("in_request").is_in(requests["request_id"].implode()).fill_null(False) | span.met(at, at)
        ),
        "operands": tables["operands"].filter(pl.col("subject").is_in(ids.implode())),
    }


def _loads(loads: pl.DataFrame, requests: pl.DataFrame, others: pl.DataFrame, span: _Span) -> pl.DataFrame:
    """Those that a kept request used, and those of the span that nobody else used.

    A model stays until it is unloaded, a load that failed does not.
    """
    used, elsewhere = (pl.col("load_id").is_in(frame["load_id"].drop_nulls().implode()) for frame in (requests, others))
    start = pl.coalesce("started_at", "ready_at", "ended_at")
    last = pl.when(pl.col("ok")).then(pl.lit(_END)).otherwise(pl.coalesce("ready_at", "started_at"))
    there = span.met(start, pl.coalesce(pl.col("ended_at"), last))
    return loads.filter(used | (there & ~elsewhere))


def _ends(start: str, end: str) -> tuple[pl.Expr, pl.Expr]:
    return pl.coalesce(start, end), pl.coalesce(end, start)


def _of_run(attempts: pl.DataFrame, run: str | None) -> pl.Expr:
    """Attempts of the run or session that is called so or begins so."""
    if run is None:
        return pl.lit(True)
    own = [pl.col(name) for name in ("run_id", "session_id")]
    # What is before the last slash only says whose run it is.
    own += [name.str.split("/").list.last() for name in own]
    mine = pl.any_horizontal(*(name.str.starts_with(run) for name in own))
    if not attempts.select(mine.fill_null(False).any()).item():
        raise UsageProblem(f"no call belongs to a run or session {run!r}", hint=_known(attempts, "run_id"))
    return mine.fill_null(False)


def _of_model(frame: pl.DataFrame, model: str | None) -> pl.Expr:
    """Rows of the model: by its whole name, without its tag, or without the provider in front of it."""
    if model is None:
        return pl.lit(True)
    wanted = model.strip().lower()
    whole = pl.col("model").str.to_lowercase()
    short = whole.str.split("/").list.last()
    own = pl.any_horizontal(
        pl.col("model_key").str.to_lowercase() == wanted,
        *(name == wanted for name in (whole, short)),
        *(name.str.split(":").list.first() == wanted for name in (whole, short)),
    ).fill_null(False)
    if not frame.select(own.any()).item():
        raise UsageProblem(f"no call names the model {model!r}", hint=_known(frame, "model"))
    # An attempt that only the server saw may lack the name, but not the key of what was loaded.
    keys = frame.filter(own)["model_key"].drop_nulls()
    return own | (pl.col("model").is_null() & pl.col("model_key").is_in(keys.implode()).fill_null(False))


def _known(attempts: pl.DataFrame, column: str) -> str:
    names = attempts[column].drop_nulls().unique().sort().to_list()
    if not names:
        return "nothing in these inputs names one"
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    return f"there is {', '.join(names[:_MOST_NAMED])}{more}"


def _span(tables: Mapping[str, pl.DataFrame], asked: Narrowing, tz: str | None) -> _Span:
    zone = _zone(tables["attempts"], tz)
    since, until = (_utc(moment, zone) for moment in (asked.since, asked.until))
    if since is not None and until is not None and since > until:
        raise UsageProblem("--since is after --until")
    if asked.last_s is None:
        return _Span(since, until)
    end = until or _last_moment(tables)
    # Nothing has a time: nothing can be said to be of the last hours.
    return _Span(_END if end is None else end - timedelta(seconds=asked.last_s), until)


def _last_moment(tables: Mapping[str, pl.DataFrame]) -> datetime | None:
    """The end of the logs: `--last` counts from there, so that an old log gives the same report every day."""
    columns = (
        ("attempts", "arrived_at"), ("attempts", "ended_at"), ("requests", "ended_at"), ("agent_calls", "ended_at"),
        ("model_loads", "started_at"), ("model_loads", "ended_at"), ("server_events", "happened_at"),
    )  # fmt: skip
    moments = [tables[table][column].max() for table, column in columns]
    return max((moment for moment in moments if isinstance(moment, datetime)), default=None)


def _touched_span(attempts: pl.DataFrame) -> _Span:
    """From the first to the last moment of the attempts; nothing at all where there are none."""
    start, end = _ends("arrived_at", "ended_at")
    first, last = attempts.select(start.min(), end.max().alias("last")).row(0)
    return _Span(first or _END, last or _BEGIN)


def _zone(attempts: pl.DataFrame, tz: str | None) -> ZoneInfo | timezone:
    """The zone that times of the report are in."""
    if tz is not None:
        return ZoneInfo(tz)
    offsets = attempts["zone_offset_s"].drop_nulls()
    return timezone(timedelta(seconds=int(offsets[0]))) if offsets.len() else UTC


def _utc(moment: datetime | None, zone: ZoneInfo | timezone) -> datetime | None:
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return aware.astimezone(UTC).replace(tzinfo=None)


def _conditions(asked: Narrowing, span: _Span, zone: ZoneInfo | timezone) -> tuple[tuple[str, str], ...]:
    found = []
    for name, moment in (("since", span.since), ("until", span.until)):
        if moment is not None and moment not in (_END, _BEGIN):
            local = moment.replace(tzinfo=UTC).astimezone(zone)
            found.append((name, f"{local:%Y-%m-%d %H:%M:%S} {local:%Z}"))
    found += [(name, value) for name, value in (("run", asked.run), ("model", asked.model)) if value]
    return tuple(found)
