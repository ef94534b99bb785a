"""Requests without a record of their own, and when clients of a llama-server came and left."""

from __future__ import annotations

import polars as pl
import pytest
from build import Case, utc

from investigator.correlate import correlate


def task(case: Case, number: int, begin: float, end: float, cancel: float | None = None, tokens: int = 900) -> None:
    """A task in the one slot, answered or (`cancel`: seconds) left."""
    common = {"slot": 0, "task": number}
    case.add("task_event", "server.log", None, begin, event="launch", **common)
    if cancel is not None:
        case.add("request_cancel", "server.log", None, cancel, stage="task", task=number)
    else:
        for phase, count in (("prefill", tokens), ("decode", 5), ("total", tokens + 5)):
            case.add("prompt_timing", "server.log", None, end, phase=phase, tokens=count, duration_s=1.0, **common)
    n_tokens = tokens + 4 if cancel is None else 0
    case.add("task_event", "server.log", None, end, event="release", n_tokens=n_tokens, truncated=False, **common)


def call(case: Case, record: str, begin: str, end: str, **more: object) -> None:
    case.add("agent_call", "s.jsonl", None, f"2026-03-01 {end}+00:00", agent="pi", session_id="s", record_id=record,
             started_at=utc(f"2026-03-01 {begin}"), ended_at=utc(f"2026-03-01 {end}"), start_basis="measured",
             **{"finish_reason": "stop", "output_tokens": 5, "input_tokens": 900} | more)  # fmt: skip


def case_of(*sources: tuple[str, str]) -> Case:
    case = Case()
    for path, format_ in sources or (("server.log", "llama-server"), ("s.jsonl", "pi-session")):
        case.source(path, format_)
    return case


@pytest.mark.parametrize("served", [True, False])
def test_a_summary_is_a_call_if_a_server_saw_it(served: bool) -> None:
    case = case_of()
    task(case, 0, 10.0, 20.0)
    call(case, "a", "10:00:00", "10:00:10.100")
    if served:
        task(case, 30, 21.0, 36.0, tokens=300)
    case.add(
        "compaction", "s.jsonl", None, "2026-03-01 10:00:26.120+00:00", agent="pi", session_id="s", tokens_before=9000
    )
    tables = correlate(case.facts(), case.sources())
    assert tables["agent_calls"].height == 1 + served
    assert tables["attempts"]["seen_by"].to_list() == ["both"] * (1 + served)
    assert tables["attempts"]["call_id"].str.contains("/compaction/").sum() == served


def test_the_cancel_tells_when_the_client_left() -> None:
    """The server goes on for 20 s after the client's 12 s; the one waiting behind it came when the first was left."""
    case = case_of()
    task(case, 0, 10.0, 42.0, cancel=22.0)
    task(case, 3, 42.001, 50.0, tokens=950)
    failed = {"finish_reason": "error", "error_class": "timeout", "input_tokens": None, "output_tokens": None}
    call(case, "a", "10:00:00", "10:00:12.010", **failed)
    call(case, "b", "10:00:14", "10:00:40.010", input_tokens=950)
    attempts = correlate(case.facts(), case.sources())["attempts"].sort("arrived_at")
    assert [name.split("/")[-1] for name in attempts["call_id"]] == ["a", "b"]
    assert attempts["pairing_confidence"].min() == 1.0


def test_two_calls_as_likely_are_said_to_be_ambiguous() -> None:
    case = case_of(("server.log", "llama-server"), ("s.jsonl", "pi-session"))
    task(case, 0, 10.0, 20.0)
    for record in ("a", "b"):
        call(case, record, "10:00:00", "10:00:10.05")
    attempts = correlate(case.facts(), case.sources())["attempts"]
    pair = attempts.filter(pl.col("seen_by") == "both").row(0, named=True)
    assert pair["pairing_confidence"] <= 0.5
    assert sorted(attempts["seen_by"]) == ["agent", "both"]
