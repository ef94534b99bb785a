"""`limit_*` columns of attempts: see timeouts.py for which limit it is."""

from __future__ import annotations

import polars as pl

from .timeouts import CLOSED, EQUAL, Ending, limit_of

_COLUMNS = {
    "agent": "agent",
    "outcome": "outcome",
    "duration_s": "waited",
    "call_s": "call_s",
    "error_text": "error_text",
    "hit_s": "hit_s",
    "run_s": "run_s",
    "run_key": "run_key",
    "request_s": "request_s",
    "request_key": "request_key",
    "equal": "equal",
    "said_s": "said_s",
    "least_s": "least_s",
    "version": "c_agent_version",
}


def with_limits(attempts: pl.DataFrame) -> pl.DataFrame:
    """`attempts` (the columns of `_COLUMNS`' values) with `limit_*` columns; one look-up per distinct ending."""
    closed = pl.col("outcome").is_in(CLOSED)
    # A task's line says when a slot took it; a call with one request saw the waiting before as well.
    alone = pl.col("call_s").is_not_null() & (pl.len().over("c_unit_id") == 1)
    own = pl.coalesce("client_s", "duration")
    seen = pl.when(alone).then(pl.max_horizontal(own, "call_s")).otherwise(own)
    waited = pl.when(closed).then(seen.round(1))
    equal, least = _equals()
    keyed = attempts.with_columns(
        equal=pl.when(closed).then(equal).otherwise(0).cast(pl.Int64),
        least_s=pl.when(closed).then(least),
        waited=waited,
    )
    keys = list(_COLUMNS.values())
    distinct = keyed.select(keys).unique(maintain_order=True)
    limits = [
        limit_of(Ending(**{field: row[name] for field, name in _COLUMNS.items()})) for row in distinct.rows(named=True)
    ]
    schema = {
        "limit_s": pl.Float64,
        "limit_layer": pl.String,
        "limit_key": pl.String,
        "limit_covers": pl.String,
        "limit_label": pl.String,
        "limit_note": pl.String,
    }
    rows = [(None,) * 6 if x is None else (x.seconds, x.layer, x.key, x.covers, x.label, x.note) for x in limits]
    found = pl.concat([distinct, pl.DataFrame(rows, schema=schema, orient="row")], how="horizontal")
    return keyed.join(found, on=keys, how="left", nulls_equal=True, maintain_order="left").drop(
        "equal", "waited", "least_s"
    )


def _equals() -> tuple[pl.Expr, pl.Expr]:
    """Closed attempts of the same stream that lasted as long (to a hundredth, or to what the log's seconds tell), and
    the shortest of them: what is added to a limit is the time until it was noticed."""
    lasted = pl.coalesce("client_s", "duration")
    width = pl.max_horizontal(pl.lit(1.0), EQUAL * lasted)
    same = (lasted.round() / width.round()).round()
    closed = pl.col("outcome").is_in(CLOSED)
    shortest = pl.when(closed).then(lasted).min().over("stream", same)
    return closed.sum().over("stream", same), shortest
