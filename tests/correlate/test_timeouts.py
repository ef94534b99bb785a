"""Whose limit ended a call: layers told apart by duration, words, settings and the agent's release."""

from __future__ import annotations

from dataclasses import replace

import pytest

from investigator.correlate.timeouts import Ending, Limit, limit_of

ENDING = Ending(
    agent=None, outcome="client_closed_before_first_byte", duration_s=None, call_s=None, error_text=None, hit_s=None,
    run_s=None, run_key=None, request_s=None, request_key=None, equal=1,
)  # fmt: skip


def found(**known: object) -> Limit:
    limit = limit_of(replace(ENDING, **known))  # type: ignore[arg-type]
    assert limit is not None
    return limit


def test_node_under_a_longer_run_limit() -> None:
    """agent-logs.md §23: three hidden tries of 303.7, 301.1 and 301.3 s under a run limit of 3600 s."""
    for seconds in (303.7, 301.1, 301.3):
        limit = found(agent="openclaw", version="2026.2.26", duration_s=seconds, call_s=907.3, run_s=3600.0, equal=3,
                      run_key="agents.defaults.timeoutSeconds", error_text="Request timed out.")  # fmt: skip
        assert (limit.seconds, limit.covers, limit.label) == (300.0, "first_byte", "estimated")
        assert limit.layer == "Node.js global fetch (undici)"
        assert limit.key is not None
        assert "headersTimeout" in limit.key
        assert limit.note == (
            "default of Node.js global fetch (undici), kept by OpenClaw 2026.3.2 and older; "
            "it fits how long the call lasted and what its error says"
        )


def test_a_run_limit_of_exactly_300_s() -> None:
    limit = found(agent="openclaw", duration_s=300.0, call_s=300.02, run_s=300.0, error_text="This operation was aborted",
                  run_key="agents.defaults.timeoutSeconds")  # fmt: skip
    assert (limit.seconds, limit.key, limit.covers) == (300.0, "agents.defaults.timeoutSeconds", "run")
    assert limit.label == "measured"


def test_equal_limits_are_told_apart_by_when_they_fire() -> None:
    same = {"agent": "openclaw", "version": "2026.2.26", "run_s": 300.0, "run_key": "k", "error_text": "fetch failed"}
    assert found(**same, duration_s=300.1, call_s=300.1).covers == "run"
    assert found(**same, duration_s=302.4, call_s=302.4).covers == "first_byte"


def test_a_limit_that_the_log_tells_as_reached() -> None:
    limit = found(agent="openclaw", duration_s=241.0, call_s=600.1, hit_s=600.0)
    assert (limit.seconds, limit.key) == (600.0, "agents.defaults.timeoutSeconds")


def test_a_proxy_says_so() -> None:
    limit = found(agent="pi", duration_s=60.04, error_text="504 Gateway Time-out", run_s=3600.0)
    assert (limit.seconds, limit.key) == (60.0, "proxy_read_timeout")


def test_sixty_seconds_without_a_word_are_nobodys() -> None:
    limit = found(duration_s=60.3)
    assert (limit.seconds, limit.layer, limit.key) == (60.0, "fixed limit of 60 s, owner unknown", None)


def test_claude_code_waits_a_minute_longer_than_its_limit_says() -> None:
    limit = found(agent="claude-code", version="2.1.330", duration_s=360.4, error_text="Connection error.")
    assert (limit.seconds, limit.label) == (360.0, "estimated")
    assert "Claude Code" in limit.layer
    assert limit.key is not None
    assert "set to 300 s" in limit.note


def test_equal_durations_of_no_known_limit() -> None:
    limit = found(duration_s=77.4, least_s=77.1, equal=3)
    assert limit.layer == "fixed limit of 77.1 s, owner unknown"
    assert limit.note == "3 attempts lasted as long"


@pytest.mark.parametrize("seconds", [77.4, 7.0])
def test_one_odd_duration_is_no_limit(seconds: float) -> None:
    assert limit_of(replace(ENDING, duration_s=seconds)) is None


@pytest.mark.parametrize(
    ("version", "layer"),
    [
        ("2026.3.2", "Node.js global fetch (undici)"),
        ("2026.2.26", "Node.js global fetch (undici)"),
        ("2026.9.6", "OpenClaw first-event watchdog for local models"),
    ],
)
def test_a_default_counts_only_for_releases_that_have_it(version: str, layer: str) -> None:
    limit = found(agent="openclaw", version=version, duration_s=301.2, error_text="fetch failed")
    assert limit.layer == layer


def test_an_unknown_release_is_said() -> None:
    limit = found(agent="openclaw", duration_s=120.4, error_text="LLM idle timeout (120s): no response from model")
    assert limit.note == (
        "built-in default of OpenClaw 2026.4.10 and newer; the version that ran is not known; "
        "it fits how long the call lasted and what its error says"
    )


def test_what_the_words_name() -> None:
    limit = found(agent="opencode", duration_s=9.9, said_s=300.0,
                  error_text="ProviderHeaderTimeoutError: Provider response headers timed out after 300000ms")  # fmt: skip
    assert limit.seconds == 300.0
    assert limit.note == "named by the agent's error text"


@pytest.mark.parametrize(
    ("lasted_s", "limit_s", "tries"),
    [(10.5, 5.0, 2), (10.0, 5.0, 2), (16.4, 5.0, 3), (120.6, 60.0, 2), (1801.4, 600.0, 3), (24.2, 5.0, 4)],
)
def test_several_tries_of_one_limit_behind_one_failure(lasted_s: float, limit_s: float, tries: int) -> None:
    limit = found(agent="qwen-code", duration_s=lasted_s, request_s=limit_s, request_key="contentGenerator.timeout")
    assert (limit.seconds, limit.key, limit.label) == (limit_s, "contentGenerator.timeout", "derived")
    assert f"{tries} tries of {limit_s:g} s" in limit.note


@pytest.mark.parametrize(("lasted_s", "limit_s"), [(12.1, 5.0), (9.8, 5.0), (130.0, 60.0), (30.5, 5.0)])
def test_a_multiple_of_a_limit_and_more_are_no_tries(lasted_s: float, limit_s: float) -> None:
    limit = limit_of(replace(ENDING, agent="qwen-code", duration_s=lasted_s, request_s=limit_s, request_key="k"))
    assert limit is None or "tries of" not in limit.note
