"""What a server request's status and traces mean, by era (ollama-logs.md §3.6, §3.10, §6)."""

from __future__ import annotations

import polars as pl

#: Outcomes that are no failure. An answer cut by a length limit is an answer.
SUCCESSES = ("ok", "cut_by_length")

_ROUND_S = (30, 40, 45, 60, 90, 100, 120, 150, 180, 240, 300, 360, 420, 480, 600, 900, 1200, 1800, 2400, 3600, 7200)
_SHORT_STEP_S = 5  # below a minute latencies are exact: a multiple of five seconds is a limit
_EXACT_S = 0.06
_LONG_S = 3.0  # a server that fails by itself without a word does so at once


def server_outcome() -> pl.Expr:
    """Outcome of a row of `find_requests` by the server's own log alone."""
    by_status = (
        pl.when(_flag("orphan") & pl.col("status").is_null())
        .then(_orphan())
        .when(pl.col("status").is_null())
        .then(_task_outcome())
        .when(_refused())
        .then(pl.lit("refused_window"))
        .when(pl.col("status") < 300)
        .then(_answered())
        .when(pl.col("status") == 499)
        .then(pl.lit("client_closed_in_load"))
        .when(pl.col("status") >= 500)
        .then(_failed())
        .when(pl.col("status") >= 400)
        .then(pl.lit("refused_other"))
        .otherwise(pl.lit("unknown"))
    )
    return pl.when("inference").then(by_status).otherwise(_plain())


def _flag(name: str) -> pl.Expr:
    return pl.col(name).fill_null(False)


def _refused() -> pl.Expr:
    """Refused because of its length. A cut prompt was not."""
    return _flag("refused") | (_flag("said") & (pl.col("status").is_null() | (pl.col("status") >= 400)))


def _orphan() -> pl.Expr:
    return (
        pl.when(_flag("said"))
        .then(pl.lit("refused_window"))
        .when(_flag("left_in_queue"))
        .then(pl.lit("client_closed_in_queue"))
        .otherwise(pl.lit("unknown"))
    )


def _plain() -> pl.Expr:
    return (
        pl.when(pl.col("status") < 400)
        .then(pl.lit("ok"))
        .when(pl.col("status") < 500)
        .then(pl.lit("refused_other"))
        .when(pl.col("status") >= 500)
        .then(pl.lit("server_error"))
        .otherwise(pl.lit("unknown"))
    )


def _task_outcome() -> pl.Expr:
    """A llama-server task without an access line. A cancel right behind an error reply is no hang-up."""
    began = _flag("prefilled") | _flag("decoded") | _flag("writing")
    return (
        pl.when(_refused())
        .then(pl.lit("refused_window"))
        .when(_flag("errored"))
        .then(pl.lit("server_error"))
        .when(_flag("truncated") & ~_flag("cancelled"))
        .then(pl.lit("cut_by_length"))
        .when(_flag("finished"))
        .then(pl.lit("ok"))
        .when(_flag("cancelled") & ~_flag("launched") & ~_flag("released"))
        .then(pl.lit("client_closed_in_queue"))
        .when(_flag("cancelled") & began)
        .then(pl.lit("client_closed_mid_stream"))
        .when(_flag("cancelled"))
        .then(pl.lit("client_closed_before_first_byte"))
        .when(_flag("released"))
        .then(pl.lit("unknown"))
        .when(_flag("had_exit") | _flag("had_memory_error"))
        .then(pl.lit("connection_lost"))
        .otherwise(pl.lit("open_at_end"))
    )


def _answered() -> pl.Expr:
    """200: answered, or anything that went wrong after the first byte."""
    return (
        pl.when(_flag("cancelled") & ~_flag("finished"))
        .then(pl.lit("client_closed_mid_stream"))
        .when(_flag("had_exit"))
        .then(pl.lit("server_error"))
        .when(pl.col("cancel_stage") == "slot_wait")
        .then(pl.lit("client_closed_in_queue"))
        .when(pl.col("cancel_stage").is_in(["prompt", "predict"]))
        .then(pl.lit("client_closed_before_first_byte"))
        .when(pl.col("cancel_stage") == "stream")
        .then(pl.lit("client_closed_mid_stream"))
        .when(_flag("truncated") | _flag("repeat_cut"))
        .then(pl.lit("cut_by_length"))
        .otherwise(pl.lit("ok"))
    )


def _failed() -> pl.Expr:
    """5xx. Ollama has no request timeout of its own: a 500 at a round number without an error near it is a client's."""
    return (
        pl.when(_flag("left_in_load"))
        .then(pl.lit("client_closed_in_load"))
        .when(_flag("load_failed"))
        .then(pl.lit("load_failed"))
        .when(pl.col("cancel_stage") == "load")
        .then(pl.lit("client_closed_in_load"))
        .when(_flag("had_exit") | _flag("had_memory_error"))
        .then(pl.lit("server_error"))
        .when(pl.col("cancel_stage").is_in(["slot_wait", "queue"]))
        .then(pl.lit("client_closed_in_queue"))
        .when(_flag("cancelled") | _flag("client_left") | pl.col("cancel_stage").is_in(["prompt", "predict", "stream"]))
        .then(pl.lit("client_closed_before_first_byte"))
        .when(_flag("had_error") | _flag("errored"))
        .then(pl.lit("server_error"))
        .when(pl.col("status") == 503)
        .then(pl.lit("refused_other"))
        .when((pl.col("status") == 500) & (is_round(pl.col("duration_s")) | (pl.col("duration_s") >= _LONG_S)))
        .then(pl.lit("client_closed_before_first_byte"))
        .otherwise(pl.lit("server_error"))
    )


def is_round(duration: pl.Expr) -> pl.Expr:
    """Whether a duration looks like a limit that somebody set (from half a second before to three seconds after it)."""
    near = [(duration > limit - 1.5) & (duration < limit + 3.0) for limit in _ROUND_S if limit >= 60]
    rest = duration - (duration / _SHORT_STEP_S).round() * _SHORT_STEP_S
    short = (duration >= _SHORT_STEP_S - _EXACT_S) & (duration < 60) & (rest.abs() < _EXACT_S)
    return short | pl.any_horizontal(near)
