"""How long a client waited behind the end of an answer, and what it saw of it; on rows by hand."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import polars as pl
import pytest

from investigator.correlate.clock import place_in_time
from investigator.correlate.runs import runs_table
from investigator.correlate.schema import PlacedFrames, with_all_tables
from investigator.correlate.waiting import with_waiting

from .build import Case, utc

_SOURCED = pl.Struct({"v": pl.Int64, "label": pl.String, "src": pl.UInt64, "line": pl.Int32, "note": pl.String})
_SCHEMA: dict[str, Any] = {
    "attempt_id": pl.String, "call_id": pl.String, "agent": pl.String, "seen_by": pl.String, "arrived_at": pl.Datetime("us"),
    "ended_at": pl.Datetime("us"), "server_outcome": pl.String, "error_class": pl.String, "c_outcome": pl.String,
    "c_ended_at": pl.Datetime("us"), "c_first_token": pl.Float64, "c_output": _SOURCED, "relative": pl.Boolean, "offset_s": pl.Float64,
    "stretch": pl.String, "end_s": pl.Float64,
}  # fmt: skip
_ROW: dict[str, Any] = {
    "attempt_id": "a", "call_id": "c", "agent": "pi", "seen_by": "both", "arrived_at": utc("2026-02-18 10:00:00"),
    "ended_at": utc("2026-02-18 10:01:00"), "server_outcome": "ok", "c_outcome": "connection_reset",
    "c_ended_at": utc("2026-02-18 10:02:30"), "relative": True,
}  # fmt: skip
_ON_RECORD = {"stretch": "server.log#1", "end_s": utc("2026-02-18 10:01:00").replace(tzinfo=UTC).timestamp()}


def _placed() -> PlacedFrames:
    case = Case()
    log = case.source("agent.log", "claude-debug")
    case.add("notice", log, 1, "2026-02-18 10:05:00Z", origin="pi", message="still waiting")
    server = case.source("server.log", "llama-server")
    case.add("notice", server, 9, "2026-02-18 10:09:00Z", message="cleaning up before exit...")
    placed = place_in_time(with_all_tables(case.facts()), case.sources())
    run = pl.when(pl.col("stream") == "server.log").then(pl.lit("server.log#1"))
    return {name: frame.with_columns(stretch=run) for name, frame in placed.items()}


def _waiting(*changes: dict[str, Any]) -> dict[str, Any]:
    rows = [{**dict.fromkeys(_SCHEMA), **_ROW, **change} for change in changes]
    return with_waiting(pl.DataFrame(rows, schema=_SCHEMA), _placed()).row(0, named=True)


@pytest.mark.parametrize(
    ("change", "waited_s", "is_open"),
    [
        ({}, 90.0, False),
        ({"relative": False, "offset_s": 30.0}, 60.0, False),
        ({"c_ended_at": utc("2026-02-18 10:00:59")}, 0.0, False),
        ({"c_outcome": "open_at_end", "c_ended_at": None}, 240.0, True),
        ({"c_outcome": "open_at_end", "c_ended_at": None, "agent": "other"}, None, True),
        # its record has no end, and the server ran on for longer than it gave signs
        ({"c_outcome": "open_at_end", "c_ended_at": None, **_ON_RECORD}, 480.0, True),
        ({"c_outcome": "open_at_end", "c_ended_at": None, **_ON_RECORD, "agent": "other"}, 480.0, True),
        (_ON_RECORD, 90.0, False),
        ({"server_outcome": "client_closed_mid_stream"}, None, False),
        ({"seen_by": "server", "agent": None, "c_outcome": None}, None, None),
    ],
)
def test_time_behind_the_end_of_the_answer(
    change: dict[str, Any], waited_s: float | None, is_open: bool | None
) -> None:
    found = _waiting(change)
    assert (found["waited_after_s"], found["left_open"]) == (waited_s, is_open)


def test_a_further_try_ends_the_wait_of_the_one_before() -> None:
    again = {"attempt_id": "b", "arrived_at": utc("2026-02-18 10:01:20"), "ended_at": utc("2026-02-18 10:02:20")}
    found = _waiting({"c_outcome": "open_at_end", "c_ended_at": None}, again)
    assert (found["waited_after_s"], found["left_open"]) == (20.0, False)


@pytest.mark.parametrize(
    ("change", "begun"),
    [
        ({}, None),
        ({"c_first_token": 3.0}, True),
        ({"error_class": "stream_timeout"}, True),
        ({"error_class": "timeout"}, None),
    ],
)
def test_whether_the_answer_had_begun(change: dict[str, Any], begun: bool | None) -> None:
    assert _waiting(change)["answer_begun"] is begun


def test_equal_tool_results_in_a_row_and_the_smallest_compaction() -> None:
    case = Case()
    file = case.source("session.jsonl", "pi-session")
    for number, (role, text) in enumerate([("user", "q"), ("tool", "x"), ("tool", "x"), ("tool", "y"), ("tool", "x")]):
        case.add("agent_prompt", file, None, f"2026-02-18 10:00:0{number}Z", agent="pi", session_id="s", role=role,
                 text_chars=1, text_hash=text, record_id=str(number))  # fmt: skip
    for tokens in (900, 663):
        case.add("compaction", file, None, "2026-02-18 10:01:00Z", agent="pi", session_id="s", tokens_before=tokens)
    attempts = pl.DataFrame(
        [{"run_id": "pi/s", "call_id": "c", "attempt_id": "a", "order_s": 1.0, "agent": "pi", "session_id": "s", "failed": False,
          "arrived_at": utc("2026-02-18 10:00:00"), "ended_at": None, "evidence": ["session.jsonl:1"]}],
        schema_overrides={"ended_at": pl.Datetime("us")},
    )  # fmt: skip
    placed = place_in_time(with_all_tables(case.facts()), case.sources())
    [run] = runs_table(attempts, pl.DataFrame(), placed).rows(named=True)
    assert (run["same_results"], run["least_compacted_tokens"], run["compactions"]) == (2, 663, 2)
