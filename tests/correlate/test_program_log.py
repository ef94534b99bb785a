"""A program's own log with its HTTP client's lines: tries of the call around them, whoever that agent is."""

from __future__ import annotations

import polars as pl
from build import Case, utc

from investigator.correlate import correlate


def step(case: Case, at: str, event: str, **more: object) -> None:
    case.add("agent_http", "app.log", None, f"2026-03-01 {at}Z", event=event, **more)


def call(case: Case, record: str, begin: str, end: str, **more: object) -> None:
    case.add("agent_call", "traces.jsonl", None, f"2026-03-01 {end}Z", agent="summary", session_id="s", record_id=record,
             started_at=utc(f"2026-03-01 {begin}"), ended_at=utc(f"2026-03-01 {end}"), start_basis="measured",
             **{"finish_reason": "stop", "output_tokens": 5, "input_tokens": 90} | more)  # fmt: skip


def attempts(case: Case) -> pl.DataFrame:
    return correlate(case.facts(), case.sources())["attempts"].sort("ended_at", "attempt_id")


def both() -> Case:
    case = Case()
    case.source("traces.jsonl", "otel")
    case.source("app.log", "python-http")
    return case


def test_refused_answers_that_an_sdk_hides_are_tries_of_the_call() -> None:
    case = both()
    call(case, "a", "10:00:05.900", "10:00:09.500")
    for at, after in (("10:00:05.950", 0.45), ("10:00:06.420", 0.84)):
        step(case, at, "error", http_status=503, error_class="server_loading", error_text="503 Service Unavailable")
        step(case, at, "retry", elapsed_s=after)
    step(case, "10:00:09.490", "response", http_status=200)
    found = attempts(case)
    assert found["call_id"].n_unique() == 1
    assert found["outcome"].to_list() == ["refused_other", "refused_other", "ok"]
    assert found["agent"].unique().to_list() == ["summary"]
    assert found["try_no"].to_list() == [1, 2, 3]
    # The first try began with its call, each other after the pause that the line before names.
    begun = [f"{at:%S.%f}"[:6] for at in found["arrived_at"]]
    assert begun == ["05.900", "06.400", "07.260"]


def test_a_try_that_only_its_repetition_tells_failed_as_its_call_did() -> None:
    case = both()
    call(case, "a", "10:00:00", "10:00:15.500", finish_reason="error", error_class="timeout", output_tokens=None)
    step(case, "10:00:05.000", "retry", elapsed_s=0.5, error_class="connection_error", error_text="Retrying request")
    step(case, "10:00:10.500", "retry", elapsed_s=0.0, error_class="connection_error", error_text="Retrying request")
    found = attempts(case)
    assert found["error_class"].to_list() == ["timeout"] * 3
    assert found["duration_s"].to_list() == [5.0, 5.0, 5.0]


def test_of_two_calls_the_one_that_was_going_on() -> None:
    case = both()
    call(case, "a", "10:00:00.500", "10:00:00.671", finish_reason="error", error_class="context_overflow")
    call(case, "b", "10:00:00.682", "10:00:01.700")
    step(case, "10:00:00.669", "error", http_status=400)
    step(case, "10:00:01.690", "response", http_status=200)
    found = attempts(case)
    assert found.height == 2
    assert found["failed"].to_list() == [True, False]


def test_without_any_record_the_log_alone_makes_the_call() -> None:
    case = Case()
    case.source("app.log", "python-http")
    step(case, "10:00:05.950", "error", http_status=500)
    step(case, "10:00:05.950", "retry", elapsed_s=0.45)
    step(case, "10:00:09.490", "response", http_status=200)
    found = attempts(case)
    assert found["call_id"].n_unique() == 1
    assert found["outcome"].to_list() == ["server_error", "ok"]
    assert found["attempt_id"].n_unique() == 2
