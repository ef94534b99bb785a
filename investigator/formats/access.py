"""Access lines of Ollama's web framework: `[GIN] DATE - TIME | STATUS | LATENCY | CLIENT | METHOD   "PATH"`.

People who publish a log leave out columns: then each column is known by its own form.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from investigator.formats.clock_columns import Stamps, slash_stamps
from investigator.formats.durations import seconds_of

#: Above this the latency is printed in whole seconds.
_FINE_UP_TO_S = 60.0

_STATUS = r"(?:\||\s)\s*([1-5]\d\d)\s*\|"
_LATENCY = r"\|\s*((?:\d+h)?(?:\d+m)?(?:[\d.]+(?:ns|us|ms|s|[^\x00-\x7f]{1,6}s))?)\s*(?:\||$)"
_CLIENT = r"\|\s*((?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F]*:[0-9a-fA-F:.]+)\s*\|"
_REQUEST = r"\b((?:GET|POST|HEAD|PUT|DELETE|PATCH|OPTIONS)\s+\"?/[^\s\"]*\"?)\s*$"


def access_facts(lines: pl.DataFrame) -> tuple[pl.DataFrame, Stamps, npt.NDArray[np.bool_]]:
    """Facts of table http_request (with row) of the lines that are complete, the stamps of all, and which are complete.

    The stamp is the end of the request, in whole seconds, without a zone.
    """
    part = pl.col("payload").str.splitn("|", 5)
    parts = lines.select(part).to_series().struct.unnest()
    cells = parts.select(
        stamp=pl.col("field_0").str.strip_prefix("[GIN]").str.strip_chars(),
        status=pl.col("field_1").str.strip_chars().cast(pl.Int16, strict=False),
        latency=pl.col("field_2").str.strip_chars(),
        client=pl.col("field_3").str.strip_chars(),
        request=pl.col("field_4").str.strip_chars(),
    )
    stamps = slash_stamps(cells["stamp"])
    named = pl.col("status").is_not_null() & pl.col("request").is_not_null()
    complete = (stamps.kind != 0) & cells.select(named).to_series().to_numpy()
    if not complete.all():
        cells = cells.with_columns(_shortened(lines["payload"], complete))
        complete |= cells.select(named & (pl.col("latency") != "")).to_series().to_numpy()
    latency = seconds_of(cells["latency"]).alias("latency_s")
    cells = cells.with_columns(lines["row"], latency, *_targets(cells["request"]))
    facts = cells.filter(pl.Series(complete)).select(
        "row",
        "status",
        "latency_s",
        pl.when(pl.col("latency_s") > _FINE_UP_TO_S).then(1.0).otherwise(0.0).alias("latency_step_s"),
        pl.when(pl.col("client") != "").then(pl.col("client")).alias("client"),
        "method",
        "path",
        "query",
    )
    return facts, stamps, complete


def _shortened(text: pl.Series, complete: npt.NDArray[np.bool_]) -> list[pl.Expr]:
    """Columns status, latency, client, request; those of lines that are not complete by their form, not their place."""
    short = ~pl.lit(pl.Series(complete))
    found = {
        "status": pl.lit(text.str.extract(_STATUS).cast(pl.Int16, strict=False)),
        "latency": pl.lit(text.str.extract(_LATENCY)),
        "client": pl.lit(text.str.extract(_CLIENT)),
        "request": pl.lit(text.str.extract(_REQUEST)),
    }
    return [pl.when(short).then(value).otherwise(pl.col(name)).alias(name) for name, value in found.items()]


def _targets(request: pl.Series) -> list[pl.Series]:
    """Columns method, path, query; a server is asked for few things, so each is taken apart once."""
    words = request.alias("request").to_frame()
    split = pl.col("request").str.splitn(" ", 2).struct.field
    target = split("field_1").str.strip_chars(' "').str.splitn("?", 2).struct.field
    table = (
        words.unique()
        .lazy()
        .with_columns(method=split("field_0"), path=target("field_0"), query=target("field_1"))
        .collect()
    )
    found = words.join(table, on="request", how="left", maintain_order="left", nulls_equal=True)
    return [found[name] for name in ("method", "path", "query")]
