"""What agents' words mean beside what else is known: a limit that was over, a console without times."""

from __future__ import annotations

import pytest

from investigator.correlate.agent_calls import find_calls
from investigator.correlate.clock import place_in_time
from investigator.correlate.schema import with_all_tables

from .build import Case, utc

_BODY = "error decoding response body"


def _calls(case: Case) -> list[dict[str, object]]:
    return find_calls(place_in_time(with_all_tables(case.facts()), case.sources())).calls.to_dicts()


@pytest.mark.parametrize(
    ("limit_s", "ended", "kind"),
    [
        (60, "2026-02-18 10:01:01", "stream_timeout"),
        (60, "2026-02-18 10:00:59", "stream_timeout"),
        (60, "2026-02-18 10:00:40", "connection_lost"),
        (60, "2026-02-18 10:01:10", "connection_lost"),
        (None, "2026-02-18 10:01:00", "connection_lost"),
    ],
)
def test_a_body_that_broke_off_when_the_own_limit_was_over(limit_s: float | None, ended: str, kind: str) -> None:
    case = Case()
    log = case.source("sessions.db", "goose-sqlite")
    case.add("agent_call", log, 1, f"{ended}Z", agent="goose", session_id="s", record_id="m", finish_reason="error",
             started_at=utc("2026-02-18 10:00:00"), ended_at=utc(ended), error_class="connection_lost", error_text=_BODY)  # fmt: skip
    if limit_s is not None:
        case.add(
            "agent_config",
            log,
            2,
            None,
            agent="goose",
            setting="request_timeout_s",
            value=str(limit_s),
            value_num=limit_s,
        )
    [call] = _calls(case)
    assert call["error_class"] == kind


def test_failed_tries_of_a_console_without_times_are_failed_calls() -> None:
    case = Case()
    console = case.source("stderr.txt", "mini-swe-console")
    for line in (1, 2, 3):
        case.add(
            "agent_http",
            console,
            line,
            None,
            agent="mini-swe-agent",
            event="error",
            error_class="server_error",
            error_text="500",
        )
    case.add("agent_http", console, 4, None, agent="mini-swe-agent", event="start")
    assert [call["error_class"] for call in _calls(case)] == ["server_error"] * 3


def test_a_console_repeats_what_a_log_tells_with_times() -> None:
    case = Case()
    console, log = case.source("stderr.txt", "mini-swe-console"), case.source("agent.log", "x")
    about = {"agent": "mini-swe-agent", "error_class": "server_error", "error_text": "500"}
    case.add("agent_http", console, 1, None, event="error", **about)
    case.add("agent_error", log, 1, "2026-02-18 10:00:00Z", **about)
    assert len(_calls(case)) == 1


def test_a_call_told_without_its_end_is_the_one_that_is_told_with_it() -> None:
    case = Case()
    chat, events = case.source("conversation.jsonl", "gptme-log"), case.source("events.jsonl", "gptme-events")
    about = {"agent": "gptme", "record_id": "m", "output_tokens": 64, "finish_reason": "stop"}
    case.add("agent_call", chat, 1, "2026-02-18 10:00:20", **about)
    case.add(
        "agent_call",
        events,
        1,
        "2026-02-18 10:00:21Z",
        started_at=utc("2026-02-18 10:00:01"),
        ended_at=utc("2026-02-18 10:00:21"),
        **about,
    )
    [call] = _calls(case)
    assert call["duration_s"] == 20


def test_a_console_repeats_in_other_words_what_is_told_with_times() -> None:
    case = Case()
    console, log = case.source("stdout.txt", "claude-stream"), case.source("debug.txt", "claude-debug")
    case.add(
        "agent_http",
        log,
        1,
        "2026-02-18 10:00:00Z",
        agent="claude-code",
        event="error",
        error_class="server_loading",
        error_text="503",
    )
    case.add(
        "agent_http",
        console,
        1,
        None,
        agent="claude-code",
        event="error",
        error_class="server_error",
        error_text="server_error",
    )
    assert [call["error_class"] for call in _calls(case)] == ["server_loading"]
