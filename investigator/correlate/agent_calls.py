"""Model calls as the agents saw them: from transcripts, and from logs where the transcript is missing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import polars as pl

from investigator.formats.agent_errors import OPEN_CLASSES

from .agent_settings import settings_of
from .agent_traces import lone_errors, lone_runs, nearest_call, not_inside, undated_tries, with_times_of_tries
from .agent_tries import find_tries, give_calls, with_first_tries
from .clock import place_in_time
from .same_calls import once_per_call, without_echoes
from .schema import NO_SOURCES, PlacedFrames, reference, with_all_tables
from .side_calls import side_units
from .sourced import known, sourced
from .stretches import cut_into_stretches
from .try_rows import parents_of, tries_frame

_INT = pl.Int64()
_FLOAT = pl.Float64()
_WHO = ["agent", "provider", "model"]
#: All that calls are made of.
_TABLES = ("agent_call", "agent_config", "agent_error", "agent_http", "agent_run", "agent_session", "compaction")
_SETTINGS = {
    "context_window_tokens": "window",
    "max_output_tokens": "maximum",
    "run_timeout_s": "run",
    "request_timeout_s": "request",
    "idle_timeout_s": "idle",
    "base_url": "url",
    "num_ctx_tokens": "num_ctx",
}
_ROUTES = {
    "openai-completions": "/v1/chat/completions",
    "openai-chat": "/v1/chat/completions",
    "openai": "/v1/chat/completions",
    "openai-responses": "/v1/responses",
    "anthropic-messages": "/v1/messages",
    "anthropic": "/v1/messages",
    "ollama": "/api/chat",
}
_HEADER_LIMIT_S = 299.0  # "fetch failed" means refused or reset below, a limit above (agent-logs.md §1.4)

#: How far a call's length may lie from the limit that ended it; some agents keep whole seconds only.
_LIMIT_WAS_OVER_S = (-1.0, 1.5)

_GATEWAY_GAVE_UP = (504, 524)  # a proxy's own word for its time limit

_OUTCOME = {
    "context_overflow": "refused_window",
    "timeout": "client_closed_before_first_byte",
    "stream_timeout": "client_closed_mid_stream",
    "connection_refused": "connection_refused",
    "connection_reset": "connection_reset",
    "connection_lost": "connection_lost",
    "model_not_found": "refused_other",
    "server_error": "server_error",
    "load_failed": "load_failed",
    "tool_call_parse": "server_error",
    **dict.fromkeys(("bad_request", "server_loading", "rate_limited"), "refused_other"),
}


@dataclass(frozen=True, slots=True)
class AgentCalls:
    """`calls`: one row per call. `units`: what may own server requests: each try that was logged, else the call.

    `maybe`: rows that count only if a server's log shows the request.
    """

    calls: pl.DataFrame
    units: pl.DataFrame

    def confirmed(self, paired: pl.Series) -> AgentCalls:
        """Without the possible rows that own none of the `paired` units (values of `call`)."""
        shown = ~pl.col("maybe") | pl.col("call").is_in(paired.implode())
        units = self.units.filter(shown)
        calls = self.calls.filter(~pl.col("maybe") | pl.col("call_id").is_in(units["call_id"].implode()))
        return AgentCalls(calls, units)


def find_calls(placed: PlacedFrames) -> AgentCalls:
    """Calls and tries sorted by time, numbers sourced; `lines` are references (`source:line`).

    A failure that both the transcript and the log of an agent tell is one. `call` numbers the units; `unit_id` names
    each, `call_id` the call it belongs to.
    """
    return _no_calls() if all(placed[name].is_empty() for name in _TABLES) else _calls(placed)


@cache
def _no_calls() -> AgentCalls:
    """What comes of logs without an agent; always the same, and as long in the making as the calls of a day."""
    return _calls(cut_into_stretches(place_in_time(with_all_tables({}), NO_SOURCES)))


def _calls(placed: PlacedFrames) -> AgentCalls:
    sessions = _sessions_of_runs(placed)
    transcript = _transcript(placed)
    tries = find_tries(placed, transcript)
    told, failures = with_times_of_tries(transcript, placed["agent_error"], tries)
    failures = pl.concat([failures.filter(_is_error()), undated_tries(placed["agent_http"])], how="diagonal_relaxed")
    errors = without_echoes(_with_session(failures, sessions), told)
    runs = _with_session(placed["agent_run"], sessions)
    give_calls(tries, told)
    told = with_first_tries(told, tries)
    rows = tries_frame(tries, told)
    calls = pl.concat([told, parents_of(rows, told)], how="diagonal_relaxed")
    calls = pl.concat(
        [calls, lone_runs(runs, pl.concat([calls, rows], how="diagonal_relaxed"))], how="diagonal_relaxed"
    )
    matched = pl.concat([nearest_call(errors, calls), nearest_call(errors, _as_calls(rows))]).unique("fact_id")
    calls = pl.concat([calls, lone_errors(not_inside(errors, calls), matched)], how="diagonal_relaxed")
    whole = calls.with_columns(unit_id=pl.col("call_id"), maybe=False)
    side = side_units(placed, whole.drop("unit_id", "maybe"), tries)
    units = pl.concat([whole.join(rows, on="call_id", how="anti"), rows, side], how="diagonal_relaxed")
    units = units.with_columns(pl.col("maybe").fill_null(False))
    if "not_before" not in units.columns:
        units = units.with_columns(not_before=pl.lit(None, pl.Datetime("us")))
    own = side.filter(pl.col("unit_id") == pl.col("call_id"))
    whole = pl.concat([whole, own], how="diagonal_relaxed")
    return AgentCalls(_finished(whole, errors, runs, placed), _finished(units, errors, runs, placed))


def _is_error() -> pl.Expr:
    return pl.col("error_text").is_not_null() | pl.col("error_class").is_not_null()


def _as_calls(units: pl.DataFrame) -> pl.DataFrame:
    return units.with_columns(call_id=pl.col("unit_id"))


def _finished(rows: pl.DataFrame, errors: pl.DataFrame, runs: pl.DataFrame, placed: PlacedFrames) -> pl.DataFrame:
    """Rows with what log lines and settings add."""
    named = _as_calls(rows)
    for trace in (_error_part(errors, nearest_call(errors, named)), _limit_part(runs, named)):
        rows = rows.join(trace, left_on="unit_id", right_on="call_id", how="left", maintain_order="left")
    for setting, prefix in _SETTINGS.items():
        chosen = settings_of(rows, placed, setting, prefix)
        rows = rows.join(chosen, on=_WHO, how="left", nulls_equal=True, maintain_order="left")
    rows = _with_versions(rows, placed)
    ordered = rows.sort("ended_at", "started_at", "unit_id", nulls_last=True).with_row_index("call")
    return ordered.with_columns(*_columns()).with_columns(error_class=_kind()).with_columns(outcome=_outcome())


def _with_versions(rows: pl.DataFrame, placed: PlacedFrames) -> pl.DataFrame:
    """`agent_version`: that of the session, else the only one of this agent."""
    told = placed["agent_session"].select("agent", "session_id", "agent_version").drop_nulls(["agent", "agent_version"])
    own = told.unique(["agent", "session_id"], keep="last", maintain_order=True)
    only = told.group_by("agent").agg(v=pl.col("agent_version").unique()).filter(pl.col("v").list.len() == 1)
    joined = rows.join(own, on=["agent", "session_id"], how="left", maintain_order="left")
    joined = joined.join(only.with_columns(pl.col("v").list.first()), on="agent", how="left", maintain_order="left")
    return joined.with_columns(agent_version=pl.coalesce("agent_version", "v")).drop("v")


def _transcript(placed: PlacedFrames) -> pl.DataFrame:
    """Calls of transcripts; a forked or resumed session repeats old records, each counts once."""
    facts = placed["agent_call"].with_columns(ref=reference())
    identity = pl.coalesce("record_id", "ref")
    once = once_per_call(facts.with_columns(identity=identity))
    short = pl.coalesce("session_id", "stream")
    return (
        once.with_columns(
            call_id=pl.format("{}/{}/{}", pl.col("agent").fill_null("agent"), short, "identity"),
            # A record that has begun and not ended is of a call that was open when the file ended.
            ended_at=pl.coalesce("ended_at", pl.when(_is_done()).then("at")),
            session_id=short,
            own_run_id="run_id",
            lines=pl.concat_list("ref"),
        )
        .with_columns(run_id=_run_key())
        .drop("identity")
    )


def _is_done() -> pl.Expr:
    told = [pl.col(name).is_not_null() for name in ("finish_reason", "error_class", "error_text")]
    return pl.any_horizontal(pl.col("started_at").is_null(), *told)


def _run_key() -> pl.Expr:
    return pl.format("{}/{}", pl.col("agent").fill_null("agent"), "session_id")


def _sessions_of_runs(placed: PlacedFrames) -> pl.DataFrame:
    """run id → session id: a log line may name only one of them."""
    both = [placed[name].select("agent", "run_id", "session_id") for name in ("agent_run", "agent_error", "agent_call")]
    known_pairs = pl.concat(both).filter(pl.col("run_id").is_not_null() & pl.col("session_id").is_not_null())
    return known_pairs.unique(["agent", "run_id"], keep="first", maintain_order=True).rename({"session_id": "of_run"})


def _with_session(frame: pl.DataFrame, sessions: pl.DataFrame) -> pl.DataFrame:
    joined = frame.join(sessions, on=["agent", "run_id"], how="left", maintain_order="left")
    return joined.with_columns(
        session_id=pl.coalesce("session_id", "of_run"), own_run_id="run_id", ref=reference()
    ).drop("of_run")


def _error_part(errors: pl.DataFrame, matched: pl.DataFrame) -> pl.DataFrame:
    """What log lines add to a call: class, words and numbers that the transcript does not have."""
    mine = errors.join(matched, on="fact_id").sort("t_s", "fact_id")
    fields = ("error_class", "error_text", "http_status", "limit_s", "asked_tokens", "window_tokens")
    return mine.group_by("call_id", maintain_order=True).agg(
        *(pl.col(name).drop_nulls().first().alias(f"log_{name}") for name in fields),
        pl.col("source_id").first().alias("log_src"),
        pl.col("line_no").first().alias("log_line"),
        pl.col("ref").alias("log_refs"),
    )


def _limit_part(runs: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Run limits that the agent logged as reached, given to the call that they ended."""
    hits = runs.filter((pl.col("event") == "timeout") & pl.col("limit_s").is_not_null())
    mine = hits.join(nearest_call(hits, calls), on="fact_id").sort("t_s", "fact_id")
    return mine.group_by("call_id", maintain_order=True).agg(
        pl.col("limit_s").first().alias("hit_s"),
        pl.col("source_id").first().alias("hit_src"),
        pl.col("line_no").first().alias("hit_line"),
        pl.col("ref").alias("hit_refs"),
    )


def _columns() -> list[pl.Expr]:
    return [*_token_columns(), *_setting_columns(), *_plain_columns()]


def _own(column: str, dtype: pl.DataType, note: str | None = None) -> pl.Expr:
    """A number of the call's own record."""
    return sourced(pl.col(column), dtype, "measured", note=note)


def _logged(column: str) -> pl.Expr:
    """A number of a log line about the call."""
    return sourced(pl.col(column), _INT, "measured", line=pl.col("log_line"), src=pl.col("log_src"))


def _set(prefix: str, dtype: pl.DataType, note: str | None = None) -> pl.Expr:
    """A setting that applies to the call."""
    line, src = pl.col(f"{prefix}_line"), pl.col(f"{prefix}_src")
    return sourced(pl.col(f"{prefix}_value"), dtype, "measured", line=line, src=src, note=note)


def _token_columns() -> list[pl.Expr]:
    told = pl.when(pl.col("input_tokens") > 0).then("input_tokens")
    asked = known(
        _INT,
        _own("asked_tokens", _INT, "named by the error text"),
        _logged("log_asked_tokens"),
        sourced(told, _INT, "measured", note="prompt tokens as the server reported them to the agent"),
        sourced(pl.col("estimated_tokens"), _INT, "estimated", note="the agent's own estimate before sending"),
    )
    refused = known(_INT, _own("window_tokens", _INT, "named by the error text"), _logged("log_window_tokens"))
    return [
        asked.alias("asked_tokens"),
        told.alias("input_tokens"),
        refused.alias("refused_window_tokens"),
        known(_INT, _own("max_output_tokens", _INT), _set("maximum", _INT)).alias("max_output_tokens"),
        _own("output_tokens", _INT).alias("output_tokens"),
    ]


def _setting_columns() -> list[pl.Expr]:
    line, src = pl.col("hit_line"), pl.col("hit_src")
    note = "limit that the agent logged as reached"
    return [
        _set("window", _INT, "configured at the agent").alias("believed_window_tokens"),
        _set("run", _FLOAT).alias("run_timeout_s"),
        _set("request", _FLOAT).alias("request_timeout_s"),
        _set("idle", _FLOAT).alias("idle_timeout_s"),
        _set("num_ctx", _INT).alias("num_ctx_tokens"),
        sourced(pl.col("hit_s"), _FLOAT, "measured", line=line, src=src, note=note).alias("run_limit_hit_s"),
        pl.col("run_key").alias("run_timeout_key"),
        pl.col("request_key").alias("request_timeout_key"),
    ]


def _plain_columns() -> list[pl.Expr]:
    duration = (pl.col("ended_at") - pl.col("started_at")).dt.total_microseconds() / 1e6
    refs = pl.concat_list(*(pl.col(name).fill_null([]) for name in ("lines", "hit_refs", "log_refs")))
    route = pl.col("api").str.to_lowercase().replace_strict(_ROUTES, default=None, return_dtype=pl.String)
    return [
        pl.coalesce("error_class", "log_error_class").alias("error_class"),
        pl.coalesce("error_text", "log_error_text").alias("error_text"),
        pl.coalesce("http_status", "log_http_status").alias("http_status"),
        pl.coalesce("log_limit_s", pl.lit(None, _FLOAT)).alias("said_limit_s"),
        route.alias("route"),
        pl.when(duration >= 0).then(duration).alias("duration_s"),
        refs.list.unique(maintain_order=True).alias("lines"),
    ]


def _kind() -> pl.Expr:
    """`error_class`; a body that broke off just when the agent's own limit was over was given up by the agent.

    Rust's HTTP client words its limit and a lost connection alike ("error decoding response body").
    """
    late_s = pl.col("duration_s") - pl.col("request_timeout_s").struct.field("v")
    own = (pl.col("error_class") == "connection_lost") & late_s.is_between(*_LIMIT_WAS_OVER_S)
    return pl.when(own).then(pl.lit("stream_timeout")).otherwise("error_class")


def _outcome() -> pl.Expr:
    """Outcome by the agent's record alone."""
    kind, finish = pl.col("error_class"), pl.col("finish_reason").fill_null("").str.to_lowercase()
    answered = pl.col("output_tokens").struct.field("v") > 0
    closed = (
        pl.when(answered).then(pl.lit("client_closed_mid_stream")).otherwise(pl.lit("client_closed_before_first_byte"))
    )
    vague = kind.is_in(OPEN_CLASSES) | (
        pl.col("error_text").fill_null("").str.contains("(?i)fetch failed|connection error")
        & ~kind.is_in(["connection_refused", "connection_reset", "connection_lost"])
    )
    return (
        pl.when(pl.col("hit_s").is_not_null())
        .then(closed)
        .when(vague & (pl.col("duration_s") >= _HEADER_LIMIT_S))
        .then(closed)
        .when((kind == "timeout") | pl.col("http_status").is_in(_GATEWAY_GAVE_UP))
        .then(closed)
        .when(kind.is_in(list(_OUTCOME)))
        .then(kind.replace_strict(_OUTCOME, default=None, return_dtype=pl.String))
        .when(finish.is_in(["length", "max_tokens"]))
        .then(pl.lit("cut_by_length"))
        .when(kind.is_not_null() | finish.is_in(["error", "aborted"]))
        .then(pl.lit("unknown"))
        .when(finish != "")
        .then(pl.lit("ok"))
        .when(pl.col("started_at").is_not_null() & pl.col("ended_at").is_null() & ~_went_on())
        .then(pl.lit("open_at_end"))
        .otherwise(pl.lit("unknown"))
    )


def _went_on() -> pl.Expr:
    """Whether the session began something later: what came before it is over, nobody knows how."""
    last = pl.col("started_at").max().over("agent", "session_id")
    return (pl.col("started_at") < last).fill_null(False)
