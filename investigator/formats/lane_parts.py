"""Takes the lines of each lane apart: stamp, level, origin, what was said, and where fields stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from investigator.formats.clock_columns import NO_OFFSET, Stamps, rfc3339_stamps, slash_stamps
from investigator.formats.convert import epoch_stamp

RUNNER_TEXT = r"^(INFO|WARN|ERROR|ERR|DEBUG|VERB) \[(\w+)\] "
SERVER_WORD = r"^(?:(?:slot|srv|que|res|cmn|spec|cli) \s*\S*|main): "
Rows = npt.NDArray[np.intp]

_FUNCTION = r"^[~A-Za-z_][\w:~<>-]*(?:\(\))?(?:\[\d+\])?$"
_STD_STAMP = len("2024/01/31 23:59:59")
# Up to here a float of microseconds is exact.
_LATEST_S = 9_000_000_000


@dataclass(frozen=True, slots=True)
class Lane:
    """Lines of one shape.

    frame: columns row, payload, key (what patterns are matched against), body (where `key=value` fields stand), quoted,
    level, origin, slot, task. style: how fields are written. later: columns that only lines with a fact need, as
    expressions of the frame. stamps: of some lines of the frame, where the lines themselves print them.
    """

    name: str
    frame: pl.DataFrame
    style: str = "none"
    later: Mapping[str, pl.Expr] = field(default_factory=dict)
    stamps: Callable[[pl.DataFrame], Stamps] | None = None

    def rows(self, columns: Iterable[str], places: Rows) -> pl.DataFrame:
        """These columns of the lines at these places."""
        wanted = set(columns)
        later = [expr.alias(name) for name, expr in self.later.items() if name in wanted]
        base = wanted | ({"payload", "body"} if later else set())
        frame = pl.DataFrame([column for column in self.frame.get_columns() if column.name in base])
        frame = frame if len(places) == frame.height else frame[places]
        return frame.with_columns(later) if later else frame


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
    timed = pl.col("payload").str.starts_with("time=")
    blank = pl.col("payload").str.find(" ", literal=True)
    lines = lines.with_columns(body=_cut("payload", at + 5), gap=pl.when(timed).then(blank).otherwise(0))
    words = _looked_up(
        lines.select(_cut("payload", gap, at - gap)).to_series(),
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
    return Lane("slog", frame, "text", stamps=_slog_stamps)


def _slog_stamps(lines: pl.DataFrame) -> Stamps:
    text = pl.col("payload")
    printed = _cut("payload", 5, text.str.find(" ", literal=True) - 5)
    return rfc3339_stamps(lines.select(pl.when(text.str.starts_with("time=")).then(printed).alias("stamp")).to_series())


def _std(lines: pl.DataFrame) -> Lane:
    groups = pl.col("payload").str.extract_groups(
        r"^(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) (?:([\w./\\:-]+\.(?:go|cc?|cpp):\d+): )?(?:(DEBUG|INFO|WARN|ERROR) )?(.*)$"
    )
    parts = lines.select(groups).to_series().struct.unnest()
    rest = pl.lit(parts["4"])
    frame = _lane(lines, key=rest, body=rest, level=pl.lit(parts["3"]), origin=pl.lit(parts["2"]))
    return Lane("std", frame, "text", stamps=lambda some: slash_stamps(some["payload"].str.slice(0, _STD_STAMP)))


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
    )
    later = {
        "slot": _number_of("slot_id", "id_slot").cast(pl.Int32, strict=False),
        "task": _number_of("task_id", "id_task").cast(pl.Int64, strict=False),
    }
    return Lane("runner", frame, "text", later, lambda some: _epochs(some["body"].str.extract(r" timestamp=(\d+)")))


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
    )
    later = {
        "slot": text.str.extract(r'"(?:slot_id|id_slot)":(-?\d+)').cast(pl.Int32, strict=False),
        "task": text.str.extract(r'"(?:task_id|id_task)":(-?\d+)').cast(pl.Int64, strict=False),
    }
    return Lane("json", frame, "json", later, lambda some: _epochs(some["payload"].str.extract(r'"timestamp":(\d+)')))


def _server(lines: pl.DataFrame) -> Lane:
    lines = lines.select("row", "payload", "level")
    end = pl.col("payload").str.find(": ", literal=True) + 2
    lines = lines.with_columns(rest=_cut("payload", end))
    parts = lines["rest"].str.splitn("|", 3).struct.unnest()
    slots = _looked_up(parts["field_0"], slot=pl.col("word").str.extract(r"^\s*id\s+(-?\d+) $", 1))["slot"]
    part = pl.col("field_1")
    task = part.str.strip_prefix(" task ").str.strip_chars(" ").cast(pl.Int64, strict=False)
    is_task = part.str.starts_with(" task ") & part.str.ends_with(" ") & pl.col("field_2").is_not_null()
    lines = lines.hstack(parts.select(slots, pl.when(is_task).then(task).alias("task"), tail=pl.col("field_2")))
    numbered = pl.col("slot").is_not_null() & pl.col("task").is_not_null()
    frame = _lane(
        lines,
        key=pl.when(numbered).then(pl.col("tail")).otherwise(pl.col("rest")).str.strip_chars_start(" "),
        slot=pl.when(numbered).then(pl.col("slot").cast(pl.Int32, strict=False)),
        task=pl.when(numbered).then(pl.col("task")),
    )
    origin = _cut("payload", 0, end).str.extract(r"^(?:slot|srv|que|res|cmn|spec|cli|main)\s+(\S*?):? ", 1)
    return Lane("server", frame, later={"origin": origin})


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
