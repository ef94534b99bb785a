"""Things that happened to a server beside its requests, each with the request it fell into."""

from __future__ import annotations

import polars as pl

from .attach import attach
from .schema import PlacedFrames, reference

_KINDS: dict[str, tuple[str, str | None, str | None, str | None, str | None]] = {
    # table: (kind, slug, level, message, number)
    "server_start": ("start", "engine", None, "version", None),
    "runner_exit": ("runner_exit", "exit_kind", None, "error", None),
    "memory_error": ("memory_error", "scope", None, "message", "requested_bytes"),
    "device_problem": ("device_problem", "problem", None, "message", None),
    "load_option": ("load_option", "option", None, "message", None),
    "context_clamp": ("context_clamp", "reason", None, None, "granted_tokens"),
    "server_error": ("server_error", "error_class", "level", "message", None),
    "notice": ("notice", "origin", "level", "message", None),
    "download_event": ("download", "event", None, "message", None),
    "unload": ("unload", "reason", None, "message", None),
    "queue_event": ("queue", "event", None, "message", None),
    "client_error": ("client_error", "error_class", None, "error_text", "http_status"),
    "prompt_truncation": ("prompt_cut", "level", None, None, "messages"),
    "cache_event": ("cache", "event", None, None, "tokens"),
    "runner_start": ("discovery", None, None, None, None),
}
#: Tables whose rows count whichever side printed them.
_ANY_SIDE = ("client_error",)
#: Of tables with many rows about the ordinary course of things: those that are worth an event.
_TOLD = {
    "cache_event": pl.col("event") == "full_reprocessing",
    "prompt_truncation": pl.col("level") == "message",
    "runner_start": pl.col("has_model").not_(),
}


def events_table(placed: PlacedFrames, requests: pl.DataFrame) -> pl.DataFrame:
    """The public table (not yet conformed), in order of stream and line."""
    events = pl.concat([_events(placed[name], name) for name in _KINDS]).sort(
        "stream", "byte_offset", "kind", "fact_id"
    )
    targets = requests.filter("inference").select("stretch", "start_s", "end_s", request="request_id")
    points = events.with_row_index("point")
    found = attach(points.select("stretch", "t_s", "point"), targets, near="end").select("point", in_request="request")
    return points.join(found, on="point", how="left", maintain_order="left").with_columns(
        event_id=pl.format(
            "{}:{}/{}/{}", "stream", "line_no", "kind", pl.int_range(pl.len()).over("stream", "line_no", "kind")
        ),
        happened_at="at",
        evidence=pl.concat_list(reference()),
    )


def _events(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    kind, slug, level, message, number = _KINDS[table]

    def text(column: str | None) -> pl.Expr:
        return pl.lit(None, pl.String) if column is None else pl.col(column).cast(pl.String)

    value = pl.lit(None, pl.Float64) if number is None else pl.col(number).cast(pl.Float64)
    side = pl.lit(True) if table in _ANY_SIDE else pl.col("side") == "server"
    return frame.filter(side & _TOLD.get(table, pl.lit(True))).select(
        "fact_id",
        "stream",
        "stretch",
        "byte_offset",
        "line_no",
        "at",
        "t_s",
        pl.lit(kind).alias("kind"),
        text(slug).alias("slug"),
        text(level).alias("level"),
        text(message).alias("message"),
        value.alias("value_num"),
    )
