"""How fast this server reads prompts: timed reads of the case itself, and the law fitted to them.

Engines that print timings are measured. Go runners print none: there a read is the latency less waiting, load and
answer (derived), and only where nothing of the prompt can have been in the cache. A client's own timing is measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from investigator.capacity.fit import PrefillFit, PrefillPoint, fit_prefill
from investigator.capacity.points import MIN_NEW_TOKENS

from .schema import PlacedFrames
from .sourced import value_of

_MAX_POINTS = 400  # of one server and model, spread evenly over the depths: a fit gains nothing from more
_MATCH_S = 1.6  # a client's total differs from the server's latency by less
_ANSWER_SHARE = 0.05  # without a known answer rate: an answer may make a read wrong by at most this share
_HIT_RATIO = 1.25  # a deeper prompt is read no faster; from this ratio on, part of it was in the cache
_SLOW_TPS = 15.0  # few people wait for less; of an answer's possible time, from none to this rate's, half is taken off

Group = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Read:
    """One timed read with the line it stands on."""

    point: PrefillPoint
    source_id: int
    line_no: int


@dataclass(frozen=True, slots=True)
class Rates:
    """Per (stream, model_key): the fit, and the deepest of its reads (a read of a few tokens says no rate).

    `derived_s`: attempt → seconds of reading, where the latency gave them.
    """

    fits: Mapping[Group, PrefillFit]
    deepest: Mapping[Group, Read]
    derived_s: Mapping[str, float]


def measure(attempts: pl.DataFrame, placed: PlacedFrames) -> Rates:
    """Fit every (stream, model) of `attempts` (sourced columns, `cold`, `model_key`, `stream`)."""
    timings = client_timings(attempts, placed)
    answer_tps = _answer_rates(attempts, timings)
    by_latency = _latency_reads(attempts, answer_tps)
    reads = _engine_reads(attempts) + list(by_latency.values()) + _client_reads(timings, attempts)
    grouped: dict[Group, list[Read]] = {}
    for group, read in reads:
        grouped.setdefault(group, []).append(read)
    fits, deepest = {}, {}
    for group, mine in sorted(grouped.items(), key=lambda item: (item[0][0], item[0][1] or "")):
        thinned = _thin(mine)
        fit = fit_prefill([read.point for read in thinned])
        if fit is not None:
            fits[group] = fit
            used = [read for read in thinned if read.point in fit.points]
            deepest[group] = max(used, key=lambda r: (r.point.depth_tokens, r.point.label == "measured"))
    return Rates(fits, deepest, {attempt: read.point.seconds for attempt, (_, read) in by_latency.items()})


def client_timings(attempts: pl.DataFrame, placed: PlacedFrames) -> pl.DataFrame:
    """Client-side timings with the `attempt_id` of the one request that lasted as long; NULL if none, or several."""
    timings = placed["client_timing"].filter(pl.col("prompt_tokens").is_not_null()).with_row_index("timing")
    served = attempts.filter((pl.col("seen_by") == "server") & (pl.col("outcome") == "ok")).select(
        "attempt_id", "duration"
    )
    near = (
        timings.select("timing", "total_s")
        .join(served, how="cross")
        .filter((pl.col("total_s") - pl.col("duration")).abs() <= _MATCH_S)
    )
    one = near.group_by("timing").agg(pl.col("attempt_id").first(), pl.len()).filter(pl.col("len") == 1)
    return timings.join(one.drop("len"), on="timing", how="left", maintain_order="left")


def _engine_reads(attempts: pl.DataFrame) -> list[tuple[Group, Read]]:
    timed = attempts.with_columns(
        v=value_of("prefill_s"),
        cached=value_of("cached_tokens").fill_null(0),
        window=value_of("window_tokens"),
        src=pl.col("prefill_s").struct.field("src"),
        at_line=pl.col("prefill_s").struct.field("line"),
    ).filter((pl.col("v") > 0) & (pl.col("new_tokens") > 0) & (pl.col("prefill_s").struct.field("label") == "measured"))
    sampled = _sample(timed)
    return [
        (
            (row["stream"], row["model_key"]),
            Read(
                PrefillPoint(int(row["new_tokens"]), int(row["cached"]), row["v"], "measured", row["window"]),
                row["src"],
                row["at_line"],
            ),
        )
        for row in sampled.select("stream", "model_key", "new_tokens", "cached", "v", "window", "src", "at_line").rows(
            named=True
        )
    ]


def _sample(timed: pl.DataFrame) -> pl.DataFrame:
    """At most a few hundred rows per group, evenly by depth, so that a million requests need no million points."""
    depth = pl.col("new_tokens") + pl.col("cached")
    ranked = timed.with_columns(
        rank=depth.rank("ordinal").over("stream", "model_key"), count=pl.len().over("stream", "model_key")
    )
    step = (pl.col("count") // _MAX_POINTS).clip(lower_bound=1)
    last = pl.col("rank") == pl.col("count")
    return ranked.filter((pl.col("rank") % step == 0) | last)


def _latency_reads(attempts: pl.DataFrame, answer_tps: Mapping[Group, float]) -> dict[str, tuple[Group, Read]]:
    """attempt → latency less load and answer, of requests read whole. The access line is the evidence."""
    whole = attempts.filter(
        (pl.col("outcome") == "ok")
        & pl.col("cold")
        & value_of("prefill_s").is_null()
        & (pl.col("seen_by") == "both")
        & (value_of("asked_tokens") > 0)
        & (value_of("cut_tokens").fill_null(0) == 0)
    )
    rows = whole.select(
        "attempt_id",
        "stream",
        "model_key",
        "duration",
        "uncertainty",
        "request_src",
        "request_line",
        asked=value_of("asked_tokens"),
        out=value_of("output_tokens"),
        load=value_of("load_s").fill_null(0.0),
        window=value_of("window_tokens"),
    ).rows(named=True)
    found = {}
    for row in rows:
        group = (row["stream"], row["model_key"])
        seconds = row["duration"] + (row["uncertainty"] or 0.0) / 2 - row["load"]
        answer_s = (row["out"] or 0) / answer_tps.get(group, 2 * _SLOW_TPS)
        if group not in answer_tps and answer_s > _ANSWER_SHARE * (seconds - answer_s):
            continue
        if seconds - answer_s > 0:
            point = PrefillPoint(int(row["asked"]), 0, seconds - answer_s, "derived", row["window"])
            found[row["attempt_id"]] = (group, Read(point, row["request_src"], row["request_line"]))
    return found


def _client_reads(timings: pl.DataFrame, attempts: pl.DataFrame) -> list[tuple[Group, Read]]:
    """A client's timing belongs to the request it matches, else to the only server and model of the case.

    From 0.4.0 on the count is of the whole prompt, the time of what was not in the cache (reference §5).
    """
    groups = attempts.filter(pl.col("stream").is_not_null()).select(
        "attempt_id", "stream", "model_key", cached=value_of("cached_tokens")
    )
    distinct = groups.select("stream", "model_key").unique()
    only = distinct.row(0) if distinct.height == 1 else None
    rows = timings.filter(pl.col("prompt_s") > 0).join(groups, on="attempt_id", how="left").rows(named=True)
    found: list[tuple[Group, Read]] = []
    unsure: dict[Group, list[Read]] = {}
    for row in rows:
        group = (row["stream_right"], row["model_key"]) if row["attempt_id"] is not None else only
        if group is None:
            continue
        cached = int(row["cached"] or 0)
        point = PrefillPoint(int(row["prompt_tokens"]) - cached, cached, row["prompt_s"], "measured")
        read = Read(point, row["source_id"], row["line_no"])
        if row["cached"] is None:
            unsure.setdefault(group, []).append(read)
        elif point.new_tokens > 0:
            found.append((group, read))
    return found + [(group, read) for group, mine in unsure.items() for read in without_cache_hits(mine)]


def without_cache_hits(reads: list[Read]) -> list[Read]:
    """Reads of unknown cache state, without those faster than a shorter prompt (of a filled batch) was read."""
    kept: list[Read] = []
    slowest_tps = float("inf")
    for read in sorted(reads, key=lambda r: (r.point.new_tokens, -r.point.seconds, r.source_id, r.line_no)):
        tps = read.point.new_tokens / read.point.seconds
        if tps > _HIT_RATIO * slowest_tps:
            continue
        kept.append(read)
        if read.point.new_tokens >= MIN_NEW_TOKENS:
            slowest_tps = min(slowest_tps, tps)
    return kept


def _answer_rates(attempts: pl.DataFrame, timings: pl.DataFrame) -> dict[Group, float]:
    """Tokens per second of answers, from engine or client timings; the median of each group."""
    timed = attempts.with_columns(rate=value_of("output_tokens") / value_of("decode_s")).filter(
        (value_of("decode_s") > 0) & (value_of("output_tokens") > 1)
    )
    rows = timed.group_by("stream", "model_key").agg(pl.col("rate").median()).sort("stream").rows()
    rates: dict[Group, float] = {(stream, key): rate for stream, key, rate in rows}
    groups = attempts.filter(pl.col("stream").is_not_null()).select("attempt_id", "stream", "model_key")
    printed = timings.filter(pl.col("output_tps") > 0)
    joined = printed.join(groups, on="attempt_id", how="inner", suffix="_of")
    for row in joined.rows(named=True):
        rates.setdefault((row["stream_of"], row["model_key"]), row["output_tps"])
    distinct = groups.select("stream", "model_key").unique()
    if distinct.height == 1 and not printed.is_empty():
        rates.setdefault(distinct.row(0), float(printed["output_tps"][0]))
    return rates


def _thin(reads: list[Read]) -> list[Read]:
    ordered = sorted(reads, key=lambda r: (r.point.depth_tokens, r.source_id, r.line_no))
    step = max(1, len(ordered) // _MAX_POINTS)
    return ordered[::-1][::step][::-1]


def with_rates(attempts: pl.DataFrame, rates: Rates) -> pl.DataFrame:
    """`attempts` with the fit's constants and, where it is asked for (`wants_spread`), its spread at this prompt."""
    rows = []
    for (stream, key), fit in rates.fits.items():
        deep = rates.deepest[stream, key]
        mean = deep.point.new_tokens / deep.point.seconds
        rows.append(
            (
                stream,
                key,
                fit.r0_tps,
                fit.c,
                fit.n_points,
                fit.deepest_tokens,
                mean,
                deep.point.depth_tokens,
                fit.label,
                deep.point.label,
                deep.source_id,
                deep.line_no,
            )
        )
    schema = {
        "stream": pl.String,
        "model_key": pl.String,
        "fit_r0": pl.Float64,
        "fit_c": pl.Float64,
        "fit_points": pl.Int32,
        "fit_deepest": pl.Int64,
        "deep_tps": pl.Float64,
        "deep_tokens": pl.Int64,
        "fit_label": pl.String,
        "deep_label": pl.String,
        "deep_src": pl.UInt64,
        "deep_line": pl.Int32,
    }
    table = pl.DataFrame(rows, schema=schema, orient="row")
    joined = attempts.join(table, on=["stream", "model_key"], how="left", nulls_equal=True, maintain_order="left")
    return joined.join(_spreads(joined, rates), on="attempt_id", how="left", maintain_order="left")


def _spreads(attempts: pl.DataFrame, rates: Rates) -> pl.DataFrame:
    wanted = attempts.filter(pl.col("wants_spread") & pl.col("fit_r0").is_not_null()).select(
        "attempt_id", "stream", "model_key", read=value_of("read_tokens"), cached=value_of("cached_tokens").fill_null(0)
    )
    rows = []
    for row in wanted.filter(pl.col("read") > pl.col("cached")).rows(named=True):
        fit = rates.fits[row["stream"], row["model_key"]]
        rows.append((row["attempt_id"], _spread(fit, row["read"] - row["cached"], row["cached"])))
    return pl.DataFrame(rows, schema={"attempt_id": pl.String, "fit_spread": pl.Float64}, orient="row")


def _spread(fit: PrefillFit, new_tokens: int, cached_tokens: int) -> float:
    """What may be added: of a fit half of the interval; one depth gives a lower bound, the rest is above it."""
    expected = fit.predict(new_tokens, cached_tokens)
    return expected.half_width if fit.basis == "fit" else expected.high / expected.mid - 1
