"""One row per server request, and one per agent call that owns none, with both sides' columns."""

from __future__ import annotations

import polars as pl

from investigator.formats.agent_errors import OPEN_CLASSES

from .agent_settings import plain_model
from .outcomes import SUCCESSES
from .pairing import Pairing, clock_of
from .sourced import known, sourced, value_of

_INT = pl.Int64()
_FLOAT = pl.Float64()
_INT32 = pl.Int32()
_QUICK_S = 60.0  # with the repeats that an SDK makes
_CLIENT_WORDS = ("connection_refused", "connection_reset", "connection_lost")
_STREAM_STATUS_FIX = (0, 12, 6)  # before, a stream that was given up before its first byte was logged as 200

_FROM_CALL = (
    "agent",
    "agent_version",
    "session_id",
    "provider",
    "model",
    "error_class",
    "error_text",
    "run_id",
    "call_id",
    "unit_id",
)
_FROM_LOAD = (
    "model_key",
    "slots",
    "kv_type",
    "flash_attention",
    "layers_gpu",
    "layers_total",
    "weights_bytes",
    "kv_bytes",
    "compute_bytes",
    "kv_bytes_per_token",
    "native_window_tokens",
    "window_source",
)


def join_sides(requests: pl.DataFrame, calls: pl.DataFrame, loads: pl.DataFrame, pairing: Pairing) -> pl.DataFrame:
    """All attempts with sourced columns, before tries, fits and limits are known."""
    offsets = _offsets(pairing)
    both = _server_rows(requests, pairing).join(_call_part(calls), on="call", how="left", maintain_order="left")
    lone = _call_part(calls).join(pairing.pairs.select("call").unique(), on="call", how="anti", maintain_order="left")
    rows = pl.concat([both, lone.with_columns(seen_by=pl.lit("agent"))], how="diagonal_relaxed")
    rows = rows.join(_load_part(loads), on="load_id", how="left", maintain_order="left")
    rows = rows.join(
        offsets, left_on=["c_agent", "clock"], right_on=["agent", "clock"], how="left", maintain_order="left"
    )
    rows = rows.join(_agent_offsets(offsets), left_on="c_agent", right_on="agent", how="left", maintain_order="left")
    rows = rows.join(_anchors(offsets), on="clock", how="left", maintain_order="left")
    rows = rows.with_columns(client_s=_waited_by_client())
    return rows.with_columns(*_identity()).with_columns(*_times(), *_numbers()).with_columns(*_followers())


def _waited_by_client() -> pl.Expr:
    """How long the client waited for a request until it left or was answered.

    Where nobody logged when the request came: since the request before of the same call ended, or since the call began;
    with the pause before a repeat this is a little more than it was.
    """
    skew = pl.col("offset_s").fill_null(0.0)
    began = pl.when(pl.col("offset_s").is_not_null()).then(pl.col("c_started_at").dt.epoch("us") / 1e6 - skew)
    before = pl.col("left_s").shift(1).over("c_call_id", "clock", order_by="left_s")
    since = pl.coalesce("came_s", pl.when(pl.col("call").is_not_null()).then(pl.max_horizontal(began, before)))
    waited = pl.col("left_s") - since
    return pl.when(pl.col("call").is_not_null() | pl.col("came_s").is_not_null()).then(
        pl.when(waited >= 0).then(waited)
    )


def _server_rows(requests: pl.DataFrame, pairing: Pairing) -> pl.DataFrame:
    work = requests.filter("inference").with_columns(clock=clock_of(), request_ref=pl.col("request_id"))
    joined = work.join(pairing.pairs, on="request", how="left", maintain_order="left")
    seen = pl.when(pl.col("call").is_null()).then(pl.lit("server")).otherwise(pl.lit("both"))
    last = pl.col("start_s") == pl.col("start_s").max().over("call")
    return joined.with_columns(
        seen_by=seen,
        server_outcome=pl.col("outcome"),
        last_of_call=pl.col("call").is_null() | last,
        request_src=pl.col("source_id"),
        request_line=pl.col("line_no"),
        uncertainty=pl.col("duration_uncertainty_s"),
        duration=pl.col("duration_s"),
    ).drop("load_s_right", strict=False)


def _call_part(calls: pl.DataFrame) -> pl.DataFrame:
    names = {
        **{name: f"c_{name}" for name in _FROM_CALL},
        "asked_tokens": "c_asked",
        "output_tokens": "c_output",
        "believed_window_tokens": "believed_window_tokens",
        "run_timeout_s": "c_run",
        "request_timeout_s": "c_request",
        "run_timeout_key": "run_key",
        "request_timeout_key": "request_key",
        "run_limit_hit_s": "c_hit",
        "said_limit_s": "said_s",
        "refused_window_tokens": "c_refused_window",
        "outcome": "c_outcome",
        "started_at": "c_started_at",
        "ended_at": "c_ended_at",
        "duration_s": "call_s",
        "route": "c_route",
        "lines": "c_lines",
        "cache_read_tokens": "c_cache_read",
        "first_token_s": "c_first_token",
        "source_id": "c_src",
        "line_no": "c_line",
    }
    return calls.select("call", *(pl.col(old).alias(new) for old, new in names.items()))


def _load_part(loads: pl.DataFrame) -> pl.DataFrame:
    return loads.select(
        "load_id",
        *(pl.col(name).alias(f"l_{name}") for name in _FROM_LOAD),
        pl.coalesce("model", "spec_model").alias("l_model"),
        pl.col("cmd_context_shift").alias("l_context_shift"),
    )


def _offsets(pairing: Pairing) -> pl.DataFrame:
    rows = [
        (pair.agent, pair.clock, pair.offset.seconds, pair.offset.pairs, pair.offset.relative)
        for pair in pairing.clocks
    ]
    schema = {
        "agent": pl.String,
        "clock": pl.String,
        "offset_s": pl.Float64,
        "offset_pairs": pl.Int64,
        "relative": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _agent_offsets(offsets: pl.DataFrame) -> pl.DataFrame:
    """The offset to apply to calls that no server saw: that of the wall clock with most pairs."""
    walls = offsets.filter(~pl.col("relative")).sort("offset_pairs", "clock", descending=[True, False])
    return walls.group_by("agent", maintain_order=True).agg(pl.col("offset_s").first().alias("agent_offset_s"))


def _anchors(offsets: pl.DataFrame) -> pl.DataFrame:
    """The agent's time at the zero of a relative clock."""
    relative = offsets.filter("relative").sort("offset_pairs", "agent", descending=[True, False])
    return relative.group_by("clock", maintain_order=True).agg(pl.col("offset_s").first().alias("anchor_s"))


def _identity() -> list[pl.Expr]:
    model = pl.coalesce("c_model", "l_model")
    return [
        pl.coalesce("request_id", "c_unit_id").alias("attempt_id"),
        pl.coalesce("c_call_id", "request_id").alias("call_id"),
        pl.coalesce("c_run_id", "stretch").alias("run_id"),
        pl.col("c_agent").alias("agent"),
        pl.col("c_session_id").alias("session_id"),
        pl.col("c_provider").alias("provider"),
        model.alias("model"),
        pl.col("l_model_key").alias("model_key"),
        pl.coalesce("route", "c_route").alias("route"),
        pl.col("c_error_class").alias("error_class"),
        pl.coalesce("c_error_text", "error_text").alias("error_text"),
        _outcome().alias("outcome"),
        # How long a call lasted is no request's duration if it owns several.
        pl.coalesce("duration", pl.when(pl.len().over("c_unit_id") == 1).then("call_s"), "client_s").alias("duration"),
        pl.col("c_hit").struct.field("v").alias("hit_s"),
        pl.col("c_run").struct.field("v").alias("run_s"),
        pl.col("c_request").struct.field("v").alias("request_s"),
        *(
            pl.col(f"l_{name}").alias(name)
            for name in (
                "kv_type",
                "flash_attention",
                "layers_gpu",
                "layers_total",
                "slots",
                "weights_bytes",
                "kv_bytes",
                "compute_bytes",
                "kv_bytes_per_token",
                "native_window_tokens",
                "window_source",
            )
        ),
    ]


def _outcome() -> pl.Expr:
    """Both sides' outcomes joined: the server knows what it did, the agent why it mattered."""
    server, agent = pl.col("outcome"), pl.col("c_outcome")
    version = pl.col("version").str.extract_groups(r"^v?(\d+)\.(\d+)\.(\d+)")
    parts = [version.struct.field(str(n)).cast(pl.Int32) for n in (1, 2, 3)]
    number = parts[0] * 1_000_000 + parts[1] * 1_000 + parts[2]
    fixed = _STREAM_STATUS_FIX[0] * 1_000_000 + _STREAM_STATUS_FIX[1] * 1_000 + _STREAM_STATUS_FIX[2]
    old = (number < fixed).fill_null(False)
    # Ollama logs 200 once the first byte is out; a llama-server that finished its task may stand behind a proxy.
    kept_back = old | (pl.col("source_format") == "llama-server")
    closed = agent.str.starts_with("client_closed")
    broken = agent.is_in(["server_error", "load_failed"]) & pl.col("c_error_class").is_in(
        ["server_error", "load_failed", "tool_call_parse"]
    )
    late = pl.col("last_of_call").fill_null(True)
    vague = pl.col("c_error_class").is_in(OPEN_CLASSES) & (agent == "unknown")
    return (
        # Nothing of it reached a server, and it was over at once: nobody listened.
        pl.when(server.is_null() & vague & (pl.col("call_s").fill_null(0.0) < _QUICK_S))
        .then(pl.lit("connection_refused"))
        .when(vague & server.is_in([*SUCCESSES, "unknown", "open_at_end", "server_error"]))
        .then(pl.lit("connection_lost"))
        .when(server.is_null())
        .then(agent)
        # The client asked again, so the answer before did not reach it.
        .when(~late & (server == "ok") & closed)
        .then(pl.when(kept_back).then(agent).otherwise(pl.lit("client_closed_mid_stream")))
        .when(agent.is_null() | ~late)
        .then(server)
        .when((server == "ok") & (agent == "cut_by_length"))
        .then(agent)
        .when((server == "ok") & closed)
        .then(pl.when(kept_back).then(agent).otherwise(pl.lit("client_closed_mid_stream")))
        # The server was done, and the answer was lost on the way.
        .when(server.is_in(SUCCESSES) & agent.is_in(["connection_reset", "connection_lost"]))
        .then(agent)
        .when((server == "server_error") & closed)
        .then(agent)
        .when((server == "client_closed_before_first_byte") & broken)
        .then(agent)
        .when(server.is_in(["unknown", "open_at_end"]) & (agent != "unknown"))
        .then(agent)
        .when((server == "server_error") & agent.is_in([*_CLIENT_WORDS, "load_failed"]))
        .then(agent)
        .otherwise(server)
    )


def _times() -> list[pl.Expr]:
    def anchored(column: str) -> pl.Expr:
        return pl.from_epoch(((pl.col(column) + pl.col("anchor_s")) * 1e6).round().cast(pl.Int64), "us")

    def told(column: str) -> pl.Expr:
        skew = pl.duration(microseconds=(pl.col("agent_offset_s").fill_null(0.0) * 1e6).round().cast(pl.Int64))
        return pl.col(column) - skew

    lone = pl.col("seen_by") == "agent"
    arrived = pl.coalesce("arrived_at", anchored("relative_start_s"), pl.when(lone).then(told("c_started_at")))
    ended = pl.coalesce("ended_at", anchored("relative_end_s"), pl.when(lone).then(told("c_ended_at")))
    order = pl.coalesce(arrived.dt.epoch("us") / 1e6, "start_s", told("c_ended_at").dt.epoch("us") / 1e6)
    finish = pl.coalesce(ended.dt.epoch("us") / 1e6, "end_s")
    return [
        arrived.alias("arrived_at"),
        ended.alias("ended_at"),
        order.alias("order_s"),
        finish.alias("end_order_s"),
        plain_model("model").alias("plain_model"),
    ]


def _numbers() -> list[pl.Expr]:
    agent_src, agent_line = pl.col("c_src"), pl.col("c_line")
    cache_read = pl.when(pl.col("c_cache_read") > 0).then("c_cache_read")
    return [
        known(_INT, pl.col("asked_tokens"), pl.col("c_asked")).alias("asked_tokens"),
        known(_INT, pl.col("window_tokens"), pl.col("c_refused_window")).alias("window_tokens"),
        known(
            _INT, pl.col("cached_tokens"), sourced(cache_read, _INT, "measured", src=agent_src, line=agent_line)
        ).alias("cached_tokens"),
        known(_INT, pl.col("output_tokens"), pl.col("c_output")).alias("output_tokens"),
        sourced(
            pl.col("duration"),
            _FLOAT,
            "measured",
            src=pl.coalesce("request_src", "c_src"),
            line=pl.coalesce("request_line", "c_line"),
        ).alias("duration_s"),
        pl.when(pl.col("outcome").is_in(SUCCESSES))
        .then(False)
        .when((pl.col("outcome") == "unknown") & pl.coalesce("c_error_class", "c_error_text").is_not_null())
        .then(True)
        .when(pl.col("outcome").is_in(["unknown", "open_at_end"]))
        .then(None)
        .otherwise(True)
        .alias("failed"),
        _overflow_action().alias("overflow_action"),
    ]


def _overflow_action() -> pl.Expr:
    """What this server does with a prompt that is too long: seen in the stretch, else known of the release."""
    cut = pl.col("cut_line").is_not_null().any().over("stretch") & pl.col("stretch").is_not_null()
    refuse = (pl.col("outcome") == "refused_window").any().over("stretch") & pl.col("stretch").is_not_null()
    version = pl.col("version").str.extract_groups(r"^v?(\d+)\.(\d+)\.")
    minor = version.struct.field("1").cast(pl.Int32) * 1000 + version.struct.field("2").cast(pl.Int32)
    own = pl.col("source_format") == "llama-server"
    return (
        pl.when((pl.col("outcome") == "refused_window") & ~pl.col("cut_line").is_not_null())
        .then(pl.lit("refuse"))
        .when(cut & ~refuse)
        .then(pl.lit("cut"))
        .when(refuse & ~cut)
        .then(pl.lit("refuse"))
        .when(own)
        .then(pl.lit("refuse"))
        .when(minor.is_between(4, 29))
        .then(pl.lit("cut"))
        .otherwise(pl.lit("unknown"))
    )


def _followers() -> list[pl.Expr]:
    """Read and cut tokens, rate of the answer; they follow from the numbers above as derived.yaml says."""
    asked, window = value_of("asked_tokens"), value_of("window_tokens")
    line, src = pl.col("asked_tokens").struct.field("line"), pl.col("asked_tokens").struct.field("src")
    fits = pl.when(asked.is_not_null() & window.is_not_null()).then(pl.min_horizontal(asked, window))
    cuts = pl.col("overflow_action") != "refuse"
    read = known(
        _INT,
        pl.col("cut_to_tokens"),
        sourced(
            pl.when(cuts).then(fits).otherwise(asked), _INT, "derived", line=line, src=src, note="min(asked, window)"
        ),
        sourced(asked, _INT, "derived", line=line, src=src, note="window not known; as asked"),
    )
    cut = pl.when(window.is_not_null()).then((asked - window).clip(lower_bound=0))
    d_line, d_src = pl.col("decode_s").struct.field("line"), pl.col("decode_s").struct.field("src")
    answer = pl.when(value_of("decode_s") > 0).then(value_of("output_tokens") / value_of("decode_s"))
    return [
        read.alias("read_tokens"),
        sourced(cut, _INT, "derived", line=line, src=src, note="asked − window").alias("cut_tokens"),
        sourced(answer, _FLOAT, "derived", line=d_line, src=d_src, note="output ÷ decode time").alias("decode_tps"),
    ]
