"""Log lines of agents: which call each belongs to, and the calls of which nothing else is left."""

from __future__ import annotations

import polars as pl

from .agent_tries import Try

_EDGE_S = 1.5
_NEAR_S = 15.0  # a log tells of a failure within seconds of the transcript's record
_REPEAT_S = 5.0  # several log lines of one failure follow each other at once
_FAILED_CALL = (
    "context_overflow",
    "timeout",
    "stream_timeout",
    "connection_refused",
    "connection_reset",
    "connection_lost",
    "model_not_found",
    "server_error",
    "server_loading",
    "load_failed",
    "tool_call_parse",
    "connection_error",
    "fetch_failed",
)


def nearest_call(lines: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """`fact_id` → `call_id`: the call that ended nearest, in the session or else of the agent."""
    ends = (
        calls.filter(pl.col("ended_at").is_not_null())
        .select("agent", "session_id", "call_id", end_s=pl.col("ended_at").dt.epoch("us") / 1e6)
        .sort("end_s")
    )
    timed = lines.filter(pl.col("t_s").is_not_null()).sort("t_s")
    found = [pl.DataFrame(schema={"fact_id": pl.UInt64, "call_id": pl.String})]
    for named, keys in ((True, ["agent", "session_id"]), (False, ["agent"])):
        mine = timed.filter(pl.col("session_id").is_not_null() == named).select("fact_id", "t_s", *keys)
        if mine.is_empty() or ends.is_empty():
            continue
        joined = mine.join_asof(
            ends.select("end_s", "call_id", *keys),
            left_on="t_s",
            right_on="end_s",
            by=keys,
            strategy="nearest",
            tolerance=_NEAR_S,
            check_sortedness=False,
        )
        found.append(joined.filter(pl.col("call_id").is_not_null()).select("fact_id", "call_id"))
    return pl.concat(found)


def lone_runs(runs: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """One call per run that no transcript tells of. Its calls cannot be told apart, so it is one, from start to end."""
    named = runs.filter(pl.col("own_run_id").is_not_null()).sort("t_s", "fact_id")

    def first(*events: str) -> pl.Expr:
        return pl.coalesce(*(pl.col("at").filter(pl.col("event") == event).first() for event in events))

    whole = named.group_by("agent", "own_run_id", maintain_order=True).agg(
        pl.col("session_id").drop_nulls().first(),
        pl.col("provider").drop_nulls().first(),
        pl.col("model").drop_nulls().first(),
        pl.col("source_id").first(),
        pl.col("line_no").first(),
        pl.col("stream").first(),
        pl.col("ref").alias("lines"),
        pl.col("aborted").any().alias("aborted"),
        first("prompt_start", "start").alias("started_at"),
        first("timeout", "prompt_end", "end").alias("ended_at"),
        pl.col("event").is_in(["timeout", "error"]).any().alias("broken"),
    )
    whole = whole.filter(pl.col("ended_at").is_not_null() & pl.col("started_at").is_not_null())
    told = _told(whole, calls)
    lone = whole.join(told, on=["agent", "own_run_id"], how="anti", nulls_equal=True, maintain_order="left")
    return (
        lone.with_columns(
            call_id=pl.format("{}/run/{}", pl.col("agent").fill_null("agent"), "own_run_id"),
            session_id=pl.coalesce("session_id", "own_run_id"),
            finish_reason=pl.when(pl.col("broken") | pl.col("aborted").fill_null(False))
            .then(pl.lit("error"))
            .otherwise(pl.lit("stop")),
            start_basis=pl.lit("measured"),
        )
        .with_columns(run_id=pl.format("{}/{}", pl.col("agent").fill_null("agent"), "session_id"))
        .drop("broken", "aborted")
    )


def _told(runs: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Runs during which a call of their session ended; a call whose session nobody named counts for all."""
    nameless = pl.col("session_id") == pl.col("stream")
    ends = calls.select(
        "agent", c_session=pl.when(nameless.fill_null(False)).then(None).otherwise("session_id"), call_end="ended_at"
    )
    both = runs.select("agent", "own_run_id", "session_id", "started_at", "ended_at").join(ends, on="agent")
    same = (pl.col("session_id") == pl.col("c_session")).fill_null(True)
    slack = pl.duration(seconds=int(_NEAR_S))
    inside = (pl.col("call_end") >= pl.col("started_at") - slack) & (pl.col("call_end") <= pl.col("ended_at") + slack)
    return both.filter(same & inside).select("agent", "own_run_id").unique()


def lone_errors(errors: pl.DataFrame, matched: pl.DataFrame) -> pl.DataFrame:
    """Failed calls of which only error lines are left; lines that follow each other at once tell of one failure."""
    rest = (
        errors.join(matched, on="fact_id", how="anti")
        .filter(pl.col("error_class").is_in(_FAILED_CALL))
        .sort("t_s", "fact_id")
    )
    gap = pl.col("t_s") - pl.col("t_s").shift(1).over("agent", "session_id", "error_class")
    once = rest.filter(gap.is_null() | (gap > _REPEAT_S))
    return (
        once.with_columns(
            call_id=pl.format("{}/error/{}", pl.col("agent").fill_null("agent"), "ref"),
            ended_at="at",
            session_id=pl.coalesce("session_id", "stream"),
            finish_reason=pl.lit("error"),
            lines=pl.concat_list("ref"),
        )
        .with_columns(run_id=pl.format("{}/{}", pl.col("agent").fill_null("agent"), "session_id"))
        .select(
            "call_id",
            "agent",
            "session_id",
            "own_run_id",
            "run_id",
            "provider",
            "model",
            "ended_at",
            "finish_reason",
            "error_class",
            "error_text",
            "http_status",
            "asked_tokens",
            "window_tokens",
            "source_id",
            "line_no",
            "stream",
            "lines",
        )
    )


def undated_tries(steps: pl.DataFrame) -> pl.DataFrame:
    """Failed requests of a console that prints no time, as errors: they cannot be put in order among others.

    Where the agent tells of any request with its time, its console tells the same ones again, maybe in other words.
    """
    failed = pl.col("event").is_in(["error", "timeout"]) & pl.col("error_class").is_not_null()
    dated = steps.filter(pl.col("at").is_not_null()).select("agent").unique()
    kept = ("event", "api", "url", "elapsed_s", "attempt", "trace_id", "span_id")
    undated = steps.filter(failed & pl.col("at").is_null())
    return undated.join(dated, on="agent", how="anti", nulls_equal=True, maintain_order="left").drop(kept)


def not_inside(errors: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """`errors` less those inside a call of the same session (or agent): that call's own record tells how it ended."""
    spans = calls.filter(pl.col("started_at").is_not_null() & pl.col("ended_at").is_not_null()).select(
        "agent", "started_at", "ended_at", s_session="session_id"
    )
    slack = pl.duration(milliseconds=int(1000 * _EDGE_S))
    both = errors.select("fact_id", "agent", "session_id", "at").join(spans, on="agent", nulls_equal=True)
    same = (pl.col("session_id") == pl.col("s_session")).fill_null(True)
    within = (pl.col("at") >= pl.col("started_at") - slack) & (pl.col("at") <= pl.col("ended_at") + slack)
    return errors.join(both.filter(same & within), on="fact_id", how="anti", maintain_order="left")


def with_times_of_tries(
    calls: pl.DataFrame, errors: pl.DataFrame, tries: list[Try]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Records without a time (aider's history) go with the agent's logged requests in order, if the counts agree.

    The records get the times, the tries the session and the error.
    """
    columns = ["fact_id", "source_id", "line_no", "session_id", "error_class", "error_text", "http_status"]
    for agent in sorted({str(one.first["agent"]) for one in tries}):
        mine = [one for one in tries if one.first["agent"] == agent and one.begun is not None and one.last is not None]
        untimed = pl.concat(
            f.filter((pl.col("agent") == agent) & pl.col("stamp").is_null()).select(columns) for f in (calls, errors)
        ).sort("source_id", "line_no")
        if not mine or untimed.height != len(mine):
            continue
        for one, record in zip(mine, untimed.iter_rows(named=True), strict=True):
            one.take(record)
        times = pl.DataFrame(
            {"fact_id": untimed["fact_id"], "begun": [one.begun for one in mine], "over": [one.ended for one in mine]},
            schema_overrides={"begun": pl.Datetime("us"), "over": pl.Datetime("us")},
        )
        calls, errors = _with_times(calls, times, "started_at", "ended_at"), _with_times(errors, times, None, "at")
    return calls, errors


def _with_times(frame: pl.DataFrame, times: pl.DataFrame, begin: str | None, end: str) -> pl.DataFrame:
    joined = frame.join(times, on="fact_id", how="left", maintain_order="left")
    placed = joined.with_columns(
        pl.coalesce("over", end).alias(end), t_s=pl.coalesce(pl.col("over").dt.epoch("us") / 1e6, "t_s")
    )
    if begin is not None:
        placed = placed.with_columns(pl.coalesce("begun", begin).alias(begin))
    return placed.drop("begun", "over")
