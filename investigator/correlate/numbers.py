"""The arithmetic of attempts: tries, reuse, prefill law, limits, memory; and the public `attempts` table."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from .cuts import release_number
from .held import with_held
from .limits import with_limits
from .outcomes import SUCCESSES
from .prefill import client_timings, measure, with_rates
from .schema import PlacedFrames
from .sourced import bare, known, sourced, value_of
from .tries import with_cold, with_reuse, with_tries
from .waiting import with_waiting

_INT = pl.Int64()
_FLOAT = pl.Float64()
_LAST_UNCACHED_COUNT = 3_012  # 0.3.12, as `release_number` writes it


def with_arithmetic(attempts: pl.DataFrame, placed: PlacedFrames, memory: pl.DataFrame) -> pl.DataFrame:
    """`attempts` (of `join_sides`) with everything that follows from several of them, in order of time."""
    rows = _with_client_counts(with_cold(with_tries(with_waiting(attempts, placed))), placed)
    rows = with_held(with_reuse(rows.sort("row")))
    rows = rows.with_columns(wants_spread=_may_be_cited())
    rates = measure(rows, placed)
    rows = with_rates(_with_reading_times(rows, rates.derived_s), rates)
    rows = with_limits(rows).join(memory, on="stretch", how="left", maintain_order="left")
    return rows.with_columns(*_rates(), *_limits(), *_memory()).sort("row")


def _may_be_cited() -> pl.Expr:
    """Attempts that a finding may rest on: failed or cut ones, and those of an agent."""
    cut = value_of("cut_tokens").fill_null(0) > 0
    return ~pl.col("outcome").is_in(SUCCESSES) | cut | (pl.col("seen_by") != "server")


def _with_client_counts(attempts: pl.DataFrame, placed: PlacedFrames) -> pl.DataFrame:
    """Prompt and output tokens that a client's own timing tells of the request it matches.

    Up to 0.3.12 Ollama's count leaves out what was in the cache (reference §5): there only a cold prompt's is its size.
    """
    timings = client_timings(attempts, placed).filter(pl.col("attempt_id").is_not_null())
    told = timings.unique("attempt_id", keep="first", maintain_order=True).select(
        "attempt_id",
        t_asked="prompt_tokens",
        t_output="output_tokens",
        t_prefill="prompt_s",
        t_decode="output_s",
        t_src="source_id",
        t_line="line_no",
    )
    joined = attempts.join(told, on="attempt_id", how="left", maintain_order="left")
    uncached_only = (release_number(pl.col("version")) <= _LAST_UNCACHED_COUNT) & ~pl.col("cold")
    joined = joined.with_columns(t_asked=pl.when(~uncached_only.fill_null(False)).then("t_asked"))

    def add(column: str, value: str, dtype: pl.DataType) -> pl.Expr:
        extra = sourced(
            pl.col(value), dtype, "measured", src=pl.col("t_src"), line=pl.col("t_line"), note="printed by the client"
        )
        return known(dtype, pl.col(column), extra).alias(column)

    return joined.with_columns(
        add("asked_tokens", "t_asked", _INT),
        add("read_tokens", "t_asked", _INT),
        add("output_tokens", "t_output", _INT),
        add("decode_s", "t_decode", _FLOAT),
    )


def _with_reading_times(attempts: pl.DataFrame, derived_s: Mapping[str, float]) -> pl.DataFrame:
    """`prefill_s` and its rate where the engine printed none: as a client printed it, else latency less the rest."""
    schema = {"attempt_id": pl.String, "latency_read_s": pl.Float64}
    reads = pl.DataFrame(list(derived_s.items()), schema=schema, orient="row")
    joined = attempts.join(reads, on="attempt_id", how="left", maintain_order="left")
    at_client = {"src": pl.col("t_src"), "line": pl.col("t_line")}
    at_server = {"src": pl.col("request_src"), "line": pl.col("request_line")}
    seconds = known(
        _FLOAT,
        pl.col("prefill_s"),
        sourced(pl.col("t_prefill"), _FLOAT, "measured", note="printed by the client", **at_client),
        sourced(
            pl.col("latency_read_s"), _FLOAT, "derived", note="latency − load − answer; nothing cached", **at_server
        ),
    )
    # A client prints how many tokens were read, a latency counts only where nothing was cached.
    new = pl.coalesce(
        "new_tokens", "t_asked", pl.when(pl.col("latency_read_s").is_not_null()).then(value_of("asked_tokens"))
    )
    source = {part: pl.col("prefill_s").struct.field(part) for part in ("src", "line")}
    rate = pl.when(value_of("prefill_s") > 0).then(pl.col("new_tokens") / value_of("prefill_s"))
    return joined.with_columns(prefill_s=seconds, new_tokens=new).with_columns(
        prefill_tps=sourced(rate, _FLOAT, "derived", note="newly read tokens ÷ prefill time", **source)
    )


def _rates() -> list[pl.Expr]:
    def of(value: str, dtype: pl.DataType, label: str, note: str) -> pl.Expr:
        derived = sourced(pl.col(value), dtype, "derived", src=pl.col("deep_src"), line=pl.col("deep_line"), note=note)
        return derived.struct.with_fields(pl.col(label).alias("label"))

    fitted = "fit of t = n/r0 + c·n² to the case's own requests; the line is its deepest one"
    deepest = "deepest timed request of the case"
    return [
        of("fit_r0", _FLOAT, "fit_label", fitted).alias("prefill_r0"),
        of("fit_c", _FLOAT, "fit_label", fitted).alias("prefill_c"),
        pl.col("fit_spread").alias("prefill_spread"),
        pl.col("fit_points").alias("prefill_points"),
        pl.col("fit_deepest").alias("prefill_fitted_to_tokens"),
        of("deep_tps", _FLOAT, "deep_label", deepest).alias("deepest_tps"),
        of("deep_tokens", _INT, "deep_label", deepest).alias("deepest_tokens"),
    ]


def _limits() -> list[pl.Expr]:
    """The limit's evidence is the line that names it: the agent's words, its setting, else the request itself."""
    named = [pl.when(pl.col("limit_s") == value_of(name)).then(name) for name in ("c_hit", "c_run", "c_request")]
    source = pl.coalesce(*named)
    seen = sourced(
        pl.col("limit_s"),
        _FLOAT,
        "estimated",
        src=pl.coalesce("request_src", "c_src"),
        line=pl.coalesce("request_line", "c_line"),
    )
    with_words = seen.struct.with_fields(pl.col("limit_label").alias("label"), pl.col("limit_note").alias("note"))
    return [
        pl.coalesce(source, with_words).alias("timeout_s"),
        pl.col("limit_layer").alias("timeout_layer"),
        pl.col("limit_key").alias("timeout_key"),
        pl.col("limit_covers").alias("timeout_covers"),
    ]


def _memory() -> list[pl.Expr]:
    limit = sourced(pl.col("memory_bytes"), _INT, "derived", src=pl.col("memory_src"), line=pl.col("memory_line"))
    words = limit.struct.with_fields(pl.col("memory_label").alias("label"), pl.col("memory_basis").alias("note"))
    return [words.alias("memory_limit_bytes"), pl.col("memory_basis").alias("memory_limit_basis")]


def attempts_table(attempts: pl.DataFrame) -> pl.DataFrame:
    """The public table (not yet conformed). Evidence: the server's lines, then the agent's."""
    own = (
        attempts.select("attempt_id", "row", "stream", line="lines")
        .explode("line")
        .filter(pl.col("line").is_not_null())
    )
    refs = own.group_by("attempt_id").agg(pl.format("{}:{}", "stream", "line").alias("server_refs"))
    joined = bare(attempts).join(refs, on="attempt_id", how="left", maintain_order="left")
    evidence = pl.concat_list(pl.col("server_refs").fill_null([]), pl.col("c_lines").fill_null([]))
    return joined.with_columns(
        evidence=evidence,
        zone_offset_s=pl.col("zone_s"),
        duration_uncertainty_s=pl.col("uncertainty"),
        client=pl.col("client"),
    ).sort("row")
