"""Sorts lines by their shape into lanes and takes each lane's lines apart, without looking at what they say.

Every lane has the same columns: row, line_no, byte_offset, span, program, stamp, stamp_kind, offset_s, payload, key
(what patterns are matched against), body (where `key=value` fields stand), style (how fields are written), quoted,
level, origin, slot, task.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from investigator.formats.convert import epoch_stamp, local_stamp, relative_stamp, stamp_columns

_OLD = r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d "
_RELATIVE = r"^(?:\[\d+\] )?(\d{1,7}\.\d\d\.\d{3}\.\d{3}) ([A-Z]) "
_RUNNER_TEXT = r"^(INFO|WARN|ERROR|ERR|DEBUG|VERB) \[(\w+)\] "
_SERVER_WORD = r"^(?:(?:slot|srv|que|res|cmn|spec|cli) \s*\S*|main): "
_FUNCTION = r"^[~A-Za-z_][\w:~<>-]*(?:\(\))?(?:\[\d+\])?$"
# Another writer's line can follow progress dots or an unfinished text without a line break.
_GLUED = r"^(.+?)(time=\d{4}-\d\d-\d\dT|\[GIN\] \d{4}/)"
# People shorten stamps when they publish a log.
_SLOG = r"^(?:time=\S* ?)?\s*(?:level=[A-Z]|(?:DEBUG|INFO|WARN|ERROR) source=)|^time="

LANES = ("slog", "std", "access", "runner", "json", "server", "raw")


def split_glued(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines in which an Ollama line follows other text become two rows of the same line number."""
    text = pl.col("payload")
    inside = (
        text.str.contains(r"time=\d{4}-|\[GIN\] \d") & ~text.str.starts_with("time=") & ~text.str.starts_with("[GIN]")
    )
    mask = lines.select(inside & text.str.contains(_GLUED) & ~text.str.contains(r"^\d{4}/\d\d/\d\d |^\{"))["payload"]
    if not mask.any():
        return lines
    glued = lines.filter(mask)
    head = text.str.extract(_GLUED, 1)
    # The line counts for the Ollama line in it; what stands before is mostly progress dots.
    front = glued.with_columns(head.alias("payload"), pl.lit(0, pl.Int32).alias("span"))
    at = head.str.len_bytes()
    back = glued.with_columns(
        text.str.slice(head.str.len_chars()).alias("payload"),
        (pl.col("byte_offset") + at.cast(pl.Int64)).alias("byte_offset"),
    )
    both = pl.concat([lines.filter(~mask), front, back]).sort("row", "byte_offset", maintain_order=True)
    return both.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"))


def split_lanes(lines: pl.DataFrame) -> Mapping[str, pl.DataFrame]:
    """Lane → its lines taken apart."""
    lines = _take_relative(lines)
    text = pl.col("payload")
    lane = (
        pl.when(text.str.contains(_SLOG) & text.str.contains(" msg=", literal=True))
        .then(pl.lit("slog"))
        .when(text.str.starts_with("[GIN] "))
        .then(pl.lit("access"))
        .when(text.str.contains(_SERVER_WORD))
        .then(pl.lit("server"))
        .when(text.str.contains(_OLD))
        .then(pl.lit("std"))
        .when(text.str.contains(_RUNNER_TEXT))
        .then(pl.lit("runner"))
        .when(text.str.starts_with("{") & text.str.contains('"function":', literal=True))
        .then(pl.lit("json"))
        .otherwise(pl.lit("raw"))
    )
    parts = lines.with_columns(lane.alias("lane")).partition_by("lane", as_dict=True, include_key=False)
    return {name: _SPLITTERS[name](parts[(name,)]) for name in LANES if (name,) in parts}


def _take_relative(lines: pl.DataFrame) -> pl.DataFrame:
    """Take llama-server's prefix (time since start, level letter) off; columns level and relative stamps remain."""
    lines = lines.with_columns(pl.lit(None, pl.String).alias("level"))
    mask = lines["payload"].str.contains(_RELATIVE)
    if not mask.any():
        return lines
    parts = pl.col("payload").str.extract_groups(_RELATIVE).struct.field
    letters = {"I": "INFO", "W": "WARN", "E": "ERROR", "D": "DEBUG", "T": "TRACE"}
    taken = lines.filter(mask).with_columns(
        *relative_stamp(parts("1")),
        parts("2").replace_strict(letters, default=None, return_dtype=pl.String).alias("level"),
        pl.col("payload").str.replace(_RELATIVE, "").alias("payload"),
    )
    return pl.concat([lines.filter(~mask), taken]).sort("row")


def _columns(lines: pl.DataFrame, **given: pl.Expr) -> pl.DataFrame:
    defaults: dict[str, pl.Expr] = {
        "key": pl.col("payload"),
        "body": pl.lit(None, pl.String),
        "style": pl.lit("none"),
        "quoted": pl.lit(False),
        "level": pl.col("level"),
        "origin": pl.lit(None, pl.String),
        "slot": pl.col("slot"),
        "task": pl.col("task"),
    }
    return lines.with_columns(expr.alias(name) for name, expr in {**defaults, **given}.items())


def _slog(lines: pl.DataFrame) -> pl.DataFrame:
    halves = pl.col("payload").str.splitn(" msg=", 2).struct.field
    lines = lines.with_columns(halves("field_0").alias("head"), halves("field_1").alias("body"))
    body = pl.col("body")
    lines = _columns(
        lines,
        key=body.str.strip_prefix('"'),
        body=body,
        style=pl.lit("text"),
        quoted=body.str.starts_with('"'),
        level=pl.col("head").str.extract(r"(?:\blevel=|^)(DEBUG|INFO|WARN|ERROR|TRACE)\b"),
        origin=pl.col("head").str.extract(r" source=(\S+)"),
    )
    return lines.with_columns(*stamp_columns(pl.col("head").str.extract(r"^time=(\S+)"))).drop("head")


def _std(lines: pl.DataFrame) -> pl.DataFrame:
    groups = pl.col("payload").str.extract_groups(
        r"^(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) (?:([\w./\\:-]+\.(?:go|cc?|cpp):\d+): )?(?:(DEBUG|INFO|WARN|ERROR) )?(.*)$"
    )
    field = groups.struct.field
    lines = lines.with_columns(*local_stamp(field("1")), origin_=field("2"), level=field("3"), rest=field("4"))
    rest = pl.col("rest")
    return _columns(lines, key=rest, body=rest, style=pl.lit("text"), origin=pl.col("origin_")).drop("origin_", "rest")


def _access(lines: pl.DataFrame) -> pl.DataFrame:
    return _columns(lines)


def _runner(lines: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("payload")
    halves = text.str.replace(_RUNNER_TEXT, "").str.splitn(" | ", 2).struct.field
    fields = pl.lit(" ") + halves("field_1")
    lines = _columns(
        lines,
        key=halves("field_0").str.strip_chars_start(" "),
        body=fields,
        style=pl.lit("text"),
        level=text.str.extract(_RUNNER_TEXT, 1),
        origin=text.str.extract(_RUNNER_TEXT, 2),
        slot=fields.str.extract(r" (?:slot_id|id_slot)=(-?\d+)").cast(pl.Int32, strict=False),
        task=fields.str.extract(r" (?:task_id|id_task)=(-?\d+)").cast(pl.Int64, strict=False),
    )
    return lines.with_columns(*epoch_stamp(pl.col("body").str.extract(r" timestamp=(\d+)")))


def _json(lines: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("payload")
    lines = _columns(
        lines,
        key=text.str.extract(r'"(?:msg|message)":"((?:[^"\\]|\\.)*)"').fill_null("").str.strip_chars_start(" "),
        body=text,
        style=pl.lit("json"),
        level=text.str.extract(r'"level":"(\w+)"'),
        origin=text.str.extract(r'"function":"(\w+)"'),
        slot=text.str.extract(r'"(?:slot_id|id_slot)":(-?\d+)').cast(pl.Int32, strict=False),
        task=text.str.extract(r'"(?:task_id|id_task)":(-?\d+)').cast(pl.Int64, strict=False),
    )
    return lines.with_columns(*epoch_stamp(text.str.extract(r'"timestamp":(\d+)')))


def _server(lines: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("payload")
    rest = text.str.replace(_SERVER_WORD, "")
    numbers = rest.str.extract_groups(r"^\s*id\s+(-?\d+) \| task\s+(-?\d+) \|").struct.field
    return _columns(
        lines,
        key=rest.str.replace(r"^\s*id\s+-?\d+ \| task\s+-?\d+ \|", "").str.strip_chars_start(" "),
        origin=text.str.extract(r"^(?:slot|srv|que|res|cmn|spec|cli|main)\s+(\S*?):? ", 1),
        slot=numbers("1").cast(pl.Int32, strict=False),
        task=numbers("2").cast(pl.Int64, strict=False),
    )


def _raw(lines: pl.DataFrame) -> pl.DataFrame:
    halves = pl.col("payload").str.splitn(": ", 2).struct.field
    lines = lines.with_columns(halves("field_0").alias("name"), halves("field_1").alias("rest"))
    named = pl.col("rest").is_not_null() & pl.col("name").str.contains(_FUNCTION)
    text = pl.when(named).then(pl.col("rest")).otherwise(pl.col("payload"))
    cut = _columns(lines, key=text.str.strip_chars_start(" \t"), origin=pl.when(named).then(pl.col("name")))
    return cut.drop("name", "rest")


_SPLITTERS = {
    "slog": _slog,
    "std": _std,
    "access": _access,
    "runner": _runner,
    "json": _json,
    "server": _server,
    "raw": _raw,
}
