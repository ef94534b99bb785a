"""Whether an attempt ends before its limit, from the parts of its time."""

from __future__ import annotations

from .interval import Interval, Verdict, as_interval


def attempt_s(
    prefill_s: Interval | float,
    queue_s: Interval | float = 0.0,
    load_s: Interval | float = 0.0,
    answer_s: Interval | float = 0.0,
) -> Interval:
    """Seconds that a limit sees: waiting + loading + reading + what it covers of the answer.

    For a limit to headers or first byte of a streaming call `answer_s` is 0; without streaming, and for limits on the
    whole call or run, it is the whole answer.
    """
    return as_interval(queue_s) + as_interval(load_s) + as_interval(prefill_s) + as_interval(answer_s)


def timeout_verdict(needed_s: Interval, timeout_s: float | None) -> Verdict:
    """`passes` / `might` / `fails` for a limit; a call without any limit (None) passes."""
    return "passes" if timeout_s is None else needed_s.against(timeout_s)
