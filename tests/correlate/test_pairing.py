"""Pairing on a simulated world: the targets of recall and precision, and what it says when it does not know."""

from __future__ import annotations

import polars as pl
import pytest
from build import Case, utc
from simulate import World

from investigator.correlate import correlate


def measure(world: World) -> tuple[float, float, pl.DataFrame]:
    case = world.build()
    tables = correlate(case.facts(), case.sources())
    calls = {name.split("/")[-1] for name in tables["agent_calls"]["call_id"]}
    both = tables["attempts"].filter(pl.col("seen_by") == "both")
    found = {(row["call_id"].split("/")[-1], int(row["attempt_id"].split(":")[-1])) for row in both.to_dicts()}
    truth = {pair for pair in world.pairs if pair[0] in calls}
    right = len(found & truth)
    return right / len(truth), right / len(found), tables["agent_calls"]


def late(*values: object) -> object:
    """A world that only the long tier simulates."""
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize("skew_s", [-90.0, -1.8, late(0.0), 37.3, late(90.0)])
def test_skew(skew_s: float) -> None:
    recall, precision, calls = measure(World(seed=3, calls=40, skew_s=skew_s, retries=0.1, cancels=0.1))
    assert (recall >= 0.97, precision >= 0.99) == (True, True)
    assert abs(calls["clock_offset_s"][0] - skew_s) < 0.5


@pytest.mark.parametrize(
    ("relative", "tokens_known"), [(False, False), (True, True), late(False, True), late(True, False)]
)
def test_eight_agents_at_one_server(relative: bool, tokens_known: bool) -> None:
    world = World(seed=2, agents=8, calls=40, skew_s=-61.2, relative=relative, tokens_known=tokens_known,
                  retries=0.1, cancels=0.1, lost=0.03, pause_s=60)  # fmt: skip
    recall, precision, _ = measure(world)
    assert recall >= 0.97
    assert precision >= 0.99


@pytest.mark.parametrize(
    ("seed", "relative", "skew_s", "drift"),
    [late(7, False, 90.0, 2e-5), late(7, True, -90.0, 0.0), (2, False, 12.5, -1e-4), (11, True, 90.0, 2e-5)],
)
def test_eight_agents_with_skew_and_drift(seed: int, relative: bool, skew_s: float, drift: float) -> None:
    world = World(seed=seed, agents=8, calls=40, skew_s=skew_s, drift=drift, relative=relative, tokens_known=False,
                  retries=0.1, cancels=0.1, lost=0.03, pause_s=60)  # fmt: skip
    recall, precision, _ = measure(world)
    assert (recall >= 0.97, precision >= 0.99) == (True, True)


def test_drift_over_days() -> None:
    world = World(seed=1, agents=2, calls=250, pause_s=600, drift=1e-4, skew_s=-20, cancels=0.05, retries=0.05)
    recall, precision, calls = measure(world)
    assert (recall >= 0.97, precision >= 0.99) == (True, True)
    assert "drifting by +8." in calls["clock_offset_basis"][0]


def test_a_relative_log_needs_no_prior() -> None:
    recall, precision, calls = measure(World(seed=5, calls=30, relative=True, retries=0.1, cancels=0.2))
    assert (recall, precision) == (1.0, 1.0)
    assert calls["clock_offset_s"].is_null().all()  # a relative clock has no offset, only a start
    assert calls["clock_offset_basis"][0].startswith("start of the server's clock")


def one_call(status: int, **call: object) -> pl.DataFrame:
    case = Case()
    server, agent = case.source("server.log", "ollama-server"), case.source("s.jsonl", "pi-session")
    case.add("http_request", server, 5, "2026-03-01 10:05:02+00:00", status=status, latency_s=301.0, latency_step_s=1.0,
             client="127.0.0.1", method="POST", path="/v1/chat/completions")  # fmt: skip
    case.add("agent_call", agent, 3, "2026-03-01 10:05:02.3+00:00", agent="pi", session_id="s", record_id="r",
             started_at=utc("2026-03-01 10:00:01"), ended_at=utc("2026-03-01 10:05:02.300"), **call)  # fmt: skip
    return correlate(case.facts(), case.sources())["attempts"]


def test_another_route_is_no_pair() -> None:
    attempts = one_call(500, api="ollama", finish_reason="error", error_class="timeout", error_text="fetch failed")
    assert sorted(attempts["seen_by"]) == ["agent", "server"]
    assert attempts["pairing_confidence"].is_null().all()


def test_contradicting_outcomes_are_no_pair() -> None:
    attempts = one_call(200, api="openai-completions", finish_reason="error", error_class="context_overflow")
    assert sorted(attempts["seen_by"]) == ["agent", "server"]


def test_a_sdk_hides_two_retries() -> None:
    """One failed call of 907 s, three requests of 301 to 304 s (agent-logs.md §23)."""
    case = Case()
    server, agent = case.source("server.log", "ollama-server"), case.source("s.jsonl", "openclaw-session")
    for line, (end, latency) in enumerate([("10:05:03", 303.0), ("10:10:05", 301.0), ("10:15:07", 301.0)], start=5):
        case.add("http_request", server, line, f"2026-03-01 {end}+00:00", status=500, latency_s=latency, latency_step_s=1.0,
                 client="127.0.0.1", method="POST", path="/v1/chat/completions")  # fmt: skip
    case.add("agent_call", agent, 3, "2026-03-01 10:15:07.3+00:00", agent="openclaw", session_id="s", record_id="r",
             api="openai-completions", started_at=utc("2026-03-01 10:00:00"), ended_at=utc("2026-03-01 10:15:07.300"),
             finish_reason="error", error_class="timeout", error_text="Request timed out.")  # fmt: skip
    tables = correlate(case.facts(), case.sources())
    attempts = tables["attempts"].sort("arrived_at")
    assert attempts["call_id"].n_unique() == 1
    assert attempts["try_no"].to_list() == [1, 2, 3]
    assert attempts["timeout_s"].to_list() == [300.0] * 3
    assert (
        set(attempts["timeout_layer"]) == {"Node.js global fetch (undici)"}
        or "OpenClaw" in attempts["timeout_layer"][0]
    )
    assert tables["runs"]["failed_calls"].to_list() == [1]
