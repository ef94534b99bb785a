"""Bars of both sides: phases in order, and the prefill that goes on after the client has left."""

from __future__ import annotations

from datetime import timedelta

from investigator.diagnosis.timeline import marks, spans
from tests.diagnosis.make import NOON, attempt


def test_phases_follow_each_other_and_end_with_the_request() -> None:
    row = attempt("a", outcome="ok", failed=False, load_s=4.0, prefill_s=10.0, decode_s=50.0)
    found = [(s.lane, s.kind, (s.start - NOON).total_seconds(), (s.end - NOON).total_seconds()) for s in spans([row])]
    assert found == [
        ("agent", "call", 0, 30),
        ("server", "load", 0, 4),
        ("server", "prefill", 4, 14),
        ("server", "decode", 14, 30),
    ]


def test_an_abandoned_prefill_goes_on() -> None:
    row = attempt(
        "a",
        outcome="client_closed_before_first_byte",
        seen_by="server",
        read_tokens=6000,
        prefill_r0=100.0,
        prefill_c=0.0,
    )
    assert [(s.kind, s.end - s.start) for s in spans([row])] == [
        ("prefill", timedelta(seconds=30)),
        ("abandoned", timedelta(seconds=30)),
    ]


def test_a_server_that_printed_progress_stops_when_the_client_leaves() -> None:
    columns = {"read_tokens": 6000, "prefill_r0": 100.0, "prefill_c": 0.0, "progress_tokens": 2048}
    row = attempt("a", outcome="client_closed_before_first_byte", seen_by="server", **columns)
    assert [s.kind for s in spans([row])] == ["prefill"]


def test_what_has_no_time_has_no_bar() -> None:
    assert spans([attempt("a", arrived_at=None)]) == ()


def test_marks_are_those_between_the_first_and_the_last_request() -> None:
    events = [
        {"kind": "runner_exit", "happened_at": NOON + timedelta(minutes=1)},
        {"kind": "start", "happened_at": NOON - timedelta(minutes=1)},
        {"kind": "notice", "happened_at": NOON + timedelta(minutes=1)},
    ]
    assert [m.kind for m in marks(events, NOON, NOON + timedelta(minutes=2))] == ["runner_exit"]
