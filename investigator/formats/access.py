"""Access lines of Ollama's web framework: `[GIN] DATE - TIME | STATUS | LATENCY | CLIENT | METHOD   "PATH"`."""

from __future__ import annotations

import polars as pl

from investigator.formats.convert import local_stamp, seconds

#: Above this the latency is printed in whole seconds.
_FINE_UP_TO_S = 60.0


def access_facts(lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Facts of table http_request (with row) of the lines that are complete, and the other lines.

    The stamp is the end of the request, in whole seconds, without a zone.
    """
    part = pl.col("payload").str.splitn("|", 5).struct.field
    cells = lines.with_columns(
        *local_stamp(part("field_0").str.slice(6).str.strip_chars()),
        status=part("field_1").str.strip_chars().cast(pl.Int16, strict=False),
        latency_s=seconds(part("field_2").str.strip_chars()),
        client=part("field_3").str.strip_chars(),
        request=part("field_4").str.strip_chars(),
    )
    known = cells["stamp"].is_not_null() & cells["status"].is_not_null() & cells["request"].is_not_null()
    facts = cells.filter(known)
    split = pl.col("request").str.splitn(" ", 2).struct.field
    target = split("field_1").str.strip_chars(' "').str.splitn("?", 2).struct.field
    facts = facts.select(
        "row",
        "line_no",
        "byte_offset",
        pl.col("span").alias("lines"),
        "stamp",
        "stamp_kind",
        "offset_s",
        "status",
        "latency_s",
        pl.when(pl.col("latency_s") > _FINE_UP_TO_S).then(1.0).otherwise(0.0).alias("latency_step_s"),
        pl.when(pl.col("client") != "").then(pl.col("client")).alias("client"),
        split("field_0").alias("method"),
        target("field_0").alias("path"),
        target("field_1").alias("query"),
    )
    return facts, lines.filter(~known)
