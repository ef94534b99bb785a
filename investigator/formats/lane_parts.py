"""Takes the lines of each lane apart: stamp, level, origin, what was said, and where fields stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from investigator.formats.clock_columns import NO_OFFSET, Stamps, rfc3339_stamps, slash_stamps
from investigator.formats.convert import epoch_stamp

RUNNER_TEXT = r"^(INFO|WARN|ERROR|ERR|DEBUG|VERB) \[(\w+)\] "
SERVER_WORD = r"^(?:(?:slot|srv|que|res|cmn|spec|cli) \s*\S*|main): "
_FUNCTION = r"^[~A-Za-z_][\w:~<>-]*(?:\(\))?(?:\[\d+\])?$"
# Up to here a float of microseconds is exact.
_LATEST_S = 9_000_000_000


@dataclass(frozen=True, slots=True)
class Lane:
    """Lines of one shape.

    frame: columns row, payload, key (what patterns are matched against), body (where `key=value` fields stand), quoted,
    level, origin, slot, task. style: how fields are written. stamps: what the lines themselves print, if they do.
    """

    name: str
    frame: pl.DataFrame
    style: str = "none"
    stamps: Stamps | None = None


def _cut(text: str, start: pl.Expr | int, length: pl.Expr | None = None) -> pl.Expr:
    """A part of a text by byte positions, which lie at ASCII characters."""
    return pl.col(text).cast(pl.Binary).bin.slice(start, length).cast(pl.String)


def _lane(lines: pl.DataFrame, **given: pl.Expr) -> pl.DataFrame:
    defaults: dict[str, pl.Expr] = {
        "key": pl.col("payload"),
        "body": pl.lit(None, pl.String),
        "quoted": pl.lit(False),
        "level": pl.col("level"),
        "origin": pl.lit(None, pl.String),
        "slot": pl.col("slot"),
        "task": pl.col("task"),
    }
    return lines.select("row", "payload", *(expr.alias(name) for name, expr in {**defaults, **given}.items()))


def _looked_up(words: pl.Series, **columns: pl.Expr) -> pl.DataFrame:
    """Columns computed of the distinct words only (column word), for every word; few words make up a log."""
    table = words.unique().alias("word").to_frame().lazy().with_columns(**columns).collect()
    return words.alias("word").to_frame().join(table, on="word", how="left", maintain_order="left", nulls_equal=True)


def _slog(lines: pl.DataFrame) -> Lane:
    at, gap = pl.col("at"), pl.col("gap")
    lines = lines.with_columns(at=pl.col("payload").str.find(" msg=", literal=True))
    lines = lines.with_columns(body=_cut("payload", at + 5), front=_cut("payload", 0, at))
    timed = pl.col("front").str.starts_with("time=")
    lines = lines.with_columns(gap=pl.when(timed).then(pl.col("front").str.find(" ", literal=True).fill_null(at)))
    parts = lines.select(stamp=pl.when(timed).then(_cut("front", 5, gap - 5)), head=_cut("front", gap.fill_null(0)))
    words = _looked_up(
        parts["head"],
        level=pl.col("word").str.extract(r"(?:\blevel=|^)(DEBUG|INFO|WARN|ERROR|TRACE)\b"),
        origin=pl.col("word").str.extract(r" source=(\S+)"),
    )
    body = pl.col("body")
    frame = _lane(
        lines,
        key=body.str.strip_prefix('"'),
        body=body,
        quoted=body.str.starts_with('"'),
        level=pl.lit(words["level"]),
        origin=pl.lit(words["origin"]),
    )
    return Lane("slog", frame, "text", rfc3339_stamps(parts["stamp"]))


def _std(lines: pl.DataFrame) -> Lane:
    groups = pl.col("payload").str.extract_groups(
        r"^(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) (?:([\w./\\:-]+\.(?:go|cc?|cpp):\d+): )?(?:(DEBUG|INFO|WARN|ERROR) )?(.*)$"
    )
    parts = lines.select(groups).to_series().struct.unnest()
    rest = pl.lit(parts["4"])
    frame = _lane(lines, key=rest, body=rest, level=pl.lit(parts["3"]), origin=pl.lit(parts["2"]))
    return Lane("std", frame, "text", slash_stamps(parts["1"]))


def _access(lines: pl.DataFrame) -> Lane:
    return Lane("access", _lane(lines))


def _runner(lines: pl.DataFrame) -> Lane:
    end = pl.col("payload").str.find("] ", literal=True) + 2
    lines = lines.with_columns(word=_cut("payload", 0, end), rest=_cut("payload", end))
    bar = pl.col("rest").str.find(" | ", literal=True)
    lines = lines.with_columns(key=pl.coalesce(_cut("rest", 0, bar), pl.col("rest")), body=_cut("rest", bar + 2))
    words = _looked_up(
        lines["word"],
        level=pl.col("word").str.extract(RUNNER_TEXT, 1),
        origin=pl.col("word").str.extract(RUNNER_TEXT, 2),
    )
    frame = _lane(
        lines,
        key=pl.col("key").str.strip_chars_start(" "),
        body=pl.col("body"),
        level=pl.lit(words["level"]),
        origin=pl.lit(words["origin"]),
        slot=_number_of("slot_id", "id_slot").cast(pl.Int32, strict=False),
        task=_number_of("task_id", "id_task").cast(pl.Int64, strict=False),
    )
    return Lane("runner", frame, "text", _epochs(frame["body"].str.extract(r" timestamp=(\d+)")))


def _number_of(*names: str) -> pl.Expr:
    return pl.col("body").str.extract(rf" (?:{'|'.join(names)})=(-?\d+)")


def _epochs(text: pl.Series) -> Stamps:
    seconds = text.cast(pl.Int64, strict=False)
    if seconds.null_count() != text.null_count() or (seconds > _LATEST_S).any():
        return Stamps.of_columns(text.to_frame("text").lazy().select(epoch_stamp(pl.col("text"))).collect())
    known = seconds.is_not_null().to_numpy()
    offset = np.where(known, np.int32(0), NO_OFFSET)
    return Stamps(seconds.fill_null(0).to_numpy() * 1_000_000, known.astype(np.int8), offset)


def _json(lines: pl.DataFrame) -> Lane:
    text = pl.col("payload")
    frame = _lane(
        lines,
        key=text.str.extract(r'"(?:msg|message)":"((?:[^"\\]|\\.)*)"').fill_null("").str.strip_chars_start(" "),
        body=text,
        level=text.str.extract(r'"level":"(\w+)"'),
        origin=text.str.extract(r'"function":"(\w+)"'),
        slot=text.str.extract(r'"(?:slot_id|id_slot)":(-?\d+)').cast(pl.Int32, strict=False),
        task=text.str.extract(r'"(?:task_id|id_task)":(-?\d+)').cast(pl.Int64, strict=False),
    )
    return Lane("json", frame, "json", _epochs(frame["payload"].str.extract(r'"timestamp":(\d+)')))


def _server(lines: pl.DataFrame) -> Lane:
    end = pl.col("payload").str.find(": ", literal=True) + 2
    lines = lines.with_columns(word=_cut("payload", 0, end), rest=_cut("payload", end))
    first = pl.col("rest").str.find("|", literal=True)
    after = _cut("rest", first + 1)
    lines = lines.with_columns(slot_part=_cut("rest", 0, first), tail=after)
    second = pl.col("tail").str.find("|", literal=True)
    lines = lines.with_columns(task_part=_cut("tail", 0, second), tail=_cut("tail", second + 1))
    origins = _looked_up(
        lines["word"], origin=pl.col("word").str.extract(r"^(?:slot|srv|que|res|cmn|spec|cli|main)\s+(\S*?):? ", 1)
    )
    slots = _looked_up(lines["slot_part"], slot=pl.col("word").str.extract(r"^\s*id\s+(-?\d+) $", 1))
    task = pl.col("task_part").str.strip_prefix(" task ").str.strip_chars(" ").cast(pl.Int64, strict=False)
    is_task = pl.col("task_part").str.starts_with(" task ") & pl.col("task_part").str.ends_with(" ")
    lines = lines.with_columns(slot_text=slots["slot"], task_no=pl.when(is_task).then(task))
    numbered = pl.col("slot_text").is_not_null() & pl.col("task_no").is_not_null()
    frame = _lane(
        lines,
        key=pl.when(numbered).then(pl.col("tail")).otherwise(pl.col("rest")).str.strip_chars_start(" "),
        origin=pl.lit(origins["origin"]),
        slot=pl.when(numbered).then(pl.col("slot_text").cast(pl.Int32, strict=False)),
        task=pl.when(numbered).then(pl.col("task_no")),
    )
    return Lane("server", frame)


def _raw(lines: pl.DataFrame) -> Lane:
    at = pl.col("payload").str.find(": ", literal=True)
    lines = lines.with_columns(name=_cut("payload", 0, at), rest=_cut("payload", at + 2))
    functions = _looked_up(lines["name"], function=pl.col("word").str.contains(_FUNCTION))["function"]
    named = pl.lit(functions.fill_null(False)) & pl.col("rest").is_not_null()
    text = pl.when(named).then(pl.col("rest")).otherwise(pl.col("payload"))
    frame = _lane(lines, key=text.str.strip_chars_start(" \t"), origin=pl.when(named).then(pl.col("name")))
    return Lane("raw", frame)


SPLITTERS: Mapping[str, Callable[[pl.DataFrame], Lane]] = {
    "slog": _slog,
    "std": _std,
    "access": _access,
    "runner": _runner,
    "json": _json,
    "server": _server,
    "raw": _raw,
}
