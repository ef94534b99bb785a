"""Access lines of Ollama's web framework: `[GIN] DATE - TIME | STATUS | LATENCY | CLIENT | METHOD   "PATH"`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from investigator.formats.clock_columns import Stamps, slash_stamps
from investigator.formats.durations import seconds_of

#: Above this the latency is printed in whole seconds.
_FINE_UP_TO_S = 60.0


def access_facts(lines: pl.DataFrame) -> tuple[pl.DataFrame, Stamps, npt.NDArray[np.bool_]]:
    """Facts of table http_request (with row) of the lines that are complete, the stamps of all, and which are complete.

    The stamp is the end of the request, in whole seconds, without a zone.
    """
    part = pl.col("payload").str.splitn("|", 5)
    parts = lines.select(part).to_series().struct.unnest()
    cells = parts.select(
        stamp=pl.col("field_0").str.slice(6).str.strip_chars(),
        status=pl.col("field_1").str.strip_chars().cast(pl.Int16, strict=False),
        latency=pl.col("field_2").str.strip_chars(),
        client=pl.col("field_3").str.strip_chars(),
        request=pl.col("field_4").str.strip_chars(),
    )
    stamps = slash_stamps(cells["stamp"])
    complete = (stamps.kind != 0) & cells.select(
        pl.col("status").is_not_null() & pl.col("request").is_not_null()
    ).to_series().to_numpy()
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
