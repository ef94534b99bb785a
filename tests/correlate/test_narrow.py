"""What is left of a case for a span of time, a run or a model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.casefile.derived import derived_tables
from investigator.correlate.narrow import Narrowed, Narrowing, Tables, narrow
from investigator.errors import UsageProblem

DAY = datetime(2026, 2, 18)


def at(clock: str | None) -> datetime | None:
    if clock is None:
        return None
    hour, minute = clock.split(":")
    return DAY + timedelta(hours=int(hour), minutes=int(minute))


def tables(**rows: list[dict[str, Any]]) -> Tables:
    """Derived tables with these rows; columns not named are unknown."""
    found = {}
    for name, table in derived_tables().items():
        schema = table.polars_schema()
        full = [dict.fromkeys(schema) | row for row in rows.get(name, [])]
        found[name] = pl.DataFrame(full, schema=schema) if full else table.empty()
    return found


def attempt(id_: str, start: str | None, end: str | None, **columns: Any) -> dict[str, Any]:
    row = {"attempt_id": id_, "call_id": f"call-{id_}", "arrived_at": at(start), "ended_at": at(end)}
    return row | {"zone_offset_s": 3600, "model": "qwen3:32b", "model_key": "k1"} | columns


WHOLE = tables(
    attempts=[
        attempt("early", "8:00", "8:05", run_id="pi/aa11", session_id="s1"),
        attempt("long", "8:50", "9:10", run_id="pi/bb22", session_id="s2"),
        attempt(
            "late", "10:00", "10:01", run_id="pi/bb22", session_id="s2", model="ollama/gpt-oss:20b", model_key="k2"
        ),
        attempt("bare", "10:10", "10:11", model=None, model_key="k2"),
        attempt("untimed", None, None),
    ],
    requests=[
        {"request_id": "early", "load_id": "load1", "arrived_at": at("8:00"), "ended_at": at("8:05")},
        {"request_id": "long", "load_id": "load1", "arrived_at": at("8:50"), "ended_at": at("9:10")},
        {"request_id": "late", "load_id": "load2", "arrived_at": at("10:00"), "ended_at": at("10:01")},
        {"request_id": "tags", "arrived_at": at("9:30"), "ended_at": at("9:30")},
    ],
    model_loads=[
        {"load_id": "load1", "started_at": at("7:59"), "ready_at": at("8:00"), "ended_at": at("9:20"), "ok": True},
        {"load_id": "load2", "started_at": at("9:50"), "ready_at": at("9:51"), "ok": True},
        {"load_id": "broken", "started_at": at("8:30"), "ok": False},
    ],
    agent_calls=[{"call_id": "call-early", "run_id": "pi/aa11"}, {"call_id": "call-late", "run_id": "pi/bb22"}],
    runs=[
        {"run_id": "pi/aa11", "started_at": at("8:00"), "ended_at": at("8:05")},
        {"run_id": "pi/bb22", "started_at": at("8:50"), "ended_at": at("10:01")},
        {"run_id": "pi/empty", "started_at": at("9:40"), "ended_at": at("9:41")},
    ],
    server_events=[
        {"event_id": "start", "happened_at": at("7:58")},
        {"event_id": "crash", "happened_at": at("9:05")},
        {"event_id": "within", "in_request": "late"},
    ],
    devices=[{"device_id": "gpu"}],
    operands=[
        {"view": "attempts", "subject": "late", "column_name": "status"},
        {"view": "model_loads", "subject": "load1", "column_name": "load_s"},
    ],
)
KEYS = {
    "attempts": "attempt_id", "requests": "request_id", "model_loads": "load_id", "agent_calls": "call_id",
    "runs": "run_id", "server_events": "event_id", "devices": "device_id", "operands": "subject",
}  # fmt: skip


def left(asked: Narrowing, tz: str | None = None) -> tuple[dict[str, set[str]], Narrowed]:
    part, told = narrow(WHOLE, asked, tz)
    return {name: set(part[name][key]) for name, key in KEYS.items()}, told


def moment(clock: str) -> datetime:
    found = at(clock)
    assert found is not None
    return found.replace(tzinfo=UTC)


CASES: dict[str, tuple[Narrowing, dict[str, set[str]]]] = {
    "a span": (
        Narrowing(moment("9:00"), moment("9:45")),
        {
            "attempts": {"long"}, "requests": {"long", "tags"}, "model_loads": {"load1"}, "agent_calls": set(),
            "runs": {"pi/bb22", "pi/empty"}, "server_events": {"crash"}, "devices": {"gpu"}, "operands": {"load1"},
        },
    ),
    "from a moment on": (Narrowing(since=moment("9:30")), {"attempts": {"late", "bare"}, "model_loads": {"load2"}}),
    "up to a moment": (
        Narrowing(until=moment("8:40")), {"attempts": {"early"}, "model_loads": {"load1", "broken"}},
    ),
    "the end of the logs": (Narrowing(last_s=900), {"attempts": {"late", "bare"}}),
    "before a moment": (Narrowing(last_s=900, until=moment("9:00")), {"attempts": {"long"}}),
    "a run": (
        Narrowing(run="pi/bb22"),
        {
            "attempts": {"long", "late"}, "requests": {"long", "late"}, "model_loads": {"load1", "load2"},
            "agent_calls": {"call-late"}, "runs": {"pi/bb22"}, "server_events": {"crash", "within"},
        },
    ),
    "the start of a run's id": (Narrowing(run="bb"), {"attempts": {"long", "late"}}),
    "a session": (Narrowing(run="s1"), {"attempts": {"early"}}),
    "a model": (
        Narrowing(model="gpt-oss:20b"),
        {"attempts": {"late", "bare"}, "requests": {"late"}, "model_loads": {"load2"}, "runs": {"pi/bb22"}},
    ),
    "a model without its tag": (Narrowing(model="Qwen3"), {"attempts": {"early", "long", "untimed"}}),
    "a model at a time": (Narrowing(model="qwen3", until=moment("8:30")), {"attempts": {"early"}}),
    "nothing": (Narrowing(since=moment("23:00")), {"attempts": set(), "requests": set(), "server_events": set()}),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "expected"), CASES.values(), ids=CASES)
def test_what_is_left(asked: Narrowing, expected: dict[str, set[str]]) -> None:
    found, told = left(asked)
    assert {name: found[name] for name in expected} == expected
    assert (told.kept, told.total) == (len(found["attempts"]), 5)


def test_a_time_without_a_zone_is_in_the_zone_of_the_report() -> None:
    naive = datetime(2026, 2, 18, 11, 0)
    assert left(Narrowing(since=naive))[0]["attempts"] == {"late", "bare"}
    assert left(Narrowing(since=naive), "America/New_York")[0]["attempts"] == set()
    far = datetime(2026, 2, 18, 5, 0, tzinfo=timezone(timedelta(hours=-5)))
    assert left(Narrowing(since=far)) == left(Narrowing(since=naive))


def test_what_is_told() -> None:
    _, told = left(Narrowing(since=moment("9:00"), model="gpt-oss"))
    assert told.conditions == (("since", "2026-02-18 10:00:00 UTC+01:00"), ("model", "gpt-oss"))
    assert left(Narrowing(since=moment("9:00")))[1].untimed == 1
    assert left(Narrowing(run="s1"))[1].untimed == 0


@pytest.mark.parametrize(
    ("asked", "hint"), [(Narrowing(run="nobody"), "pi/aa11"), (Narrowing(model="qwen"), "qwen3:32b")], ids=str
)
def test_what_nobody_names_is_refused(asked: Narrowing, hint: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        left(asked)
    assert hint in (caught.value.hint or "")


def test_since_after_until_is_refused() -> None:
    with pytest.raises(UsageProblem, match="after"):
        left(Narrowing(moment("9:00"), moment("8:00")))


def test_a_case_without_times_or_names() -> None:
    empty = tables(attempts=[attempt("x", None, None, model=None)])
    part, told = narrow(empty, Narrowing(last_s=60))
    assert part["attempts"].height == 0 and told.untimed == 1
    with pytest.raises(UsageProblem) as caught:
        narrow(empty, Narrowing(model="m"))
    assert caught.value.hint == "nothing in these inputs names one"


@given(st.integers(0, 24 * 60), st.integers(0, 24 * 60))
def test_a_wider_span_keeps_more(first: int, second: int) -> None:
    begin, end = (DAY.replace(tzinfo=UTC) + timedelta(minutes=m) for m in sorted((first, second)))
    narrower, _ = left(Narrowing(begin, end))
    wider, _ = left(Narrowing(begin - timedelta(hours=1), end))
    assert all(narrower[name] <= wider[name] for name in KEYS)
