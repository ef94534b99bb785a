"""Sorts lines by their shape into lanes, without looking at what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from investigator.formats.convert import relative_stamp
from investigator.formats.heads import Head, head_classes
from investigator.formats.lane_parts import RUNNER_TEXT, SERVER_WORD, SPLITTERS, Lane

_OLD = r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d "
_RELATIVE = r"^(?:\[\d+\] )?(\d{1,7}\.\d\d\.\d{3}\.\d{3}) ([A-Z]) "
# Another writer's line can follow progress dots or an unfinished text without a line break.
_GLUED = r"^(.+?)(time=\d{4}-\d\d-\d\dT|\[GIN\] \d{4}/)"
# People shorten stamps when they publish a log.
_SLOG = r"^(?:time=\S* ?)?\s*(?:level=[A-Z]|(?:(?:DEBUG|INFO|WARN|ERROR) )?source=\S+ )|^time="
_GIN_CUT = r"^\d{4}/\d\d/\d\d - \d\d:\d\d:\d\d +\|"


def split_glued(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines in which an Ollama line follows other text become two rows of the same line number."""
    mask = _glued(lines)
    if not mask.any():
        return lines
    text = pl.col("payload")
    glued = lines.filter(mask)
    head = text.str.extract(_GLUED, 1)
    # The line counts for the Ollama line in it; what stands before is mostly progress dots.
    front = glued.with_columns(head.alias("payload"), pl.lit(0, pl.Int32).alias("span"))
    at = head.str.len_bytes()
    back = glued.with_columns(
        text.str.slice(head.str.len_chars()).alias("payload"),
        (pl.col("byte_offset") + at.cast(pl.Int64)).alias("byte_offset"),
    )
    new = pl.concat([front, back])
    new = new.with_columns(head_classes(new["payload"]))
    both = pl.concat([lines.filter(~mask), new]).sort("row", "byte_offset", maintain_order=True)
    return both.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"))


def _glued(lines: pl.DataFrame) -> pl.Series:
    text = pl.col("payload")
    mask = np.zeros(lines.height, np.bool_)
    unsure = ~lines["head"].is_in([Head.TIME, Head.GIN])
    likely = lines["payload"].filter(unsure).str.contains(r"time=|\[GIN\] ")
    rest = np.flatnonzero(unsure.to_numpy())[likely.to_numpy()]
    if not len(rest):
        return pl.Series("glued", mask)
    inside = (
        text.str.contains(r"time=\d{4}-|\[GIN\] \d")
        & ~text.str.starts_with("time=")
        & ~text.str.starts_with("[GIN]")
        & text.str.contains(_GLUED)
        & ~text.str.contains(r"^\d{4}/\d\d/\d\d |^\{")
    )
    mask[rest] = lines.select("payload")[rest].select(inside).to_series().to_numpy()
    return pl.Series("glued", mask)


def take_relative(lines: pl.DataFrame) -> pl.DataFrame:
    """Take llama-server's prefix (time since start, level letter) off; columns level and relative stamps remain."""
    lines = lines.with_columns(pl.lit(None, pl.String).alias("level"))
    mask = np.zeros(lines.height, np.bool_)
    likely = lines["head"].is_in([Head.DIGIT, Head.OTHER])
    mask[likely.to_numpy()] = lines["payload"].filter(likely).str.contains(_RELATIVE).to_numpy()
    if not mask.any():
        return lines
    parts = pl.col("payload").str.extract_groups(_RELATIVE).struct.field
    letters = {"I": "INFO", "W": "WARN", "E": "ERROR", "D": "DEBUG", "T": "TRACE"}
    taken = (
        lines.lazy()
        .filter(pl.Series(mask))
        .with_columns(
            *relative_stamp(parts("1")),
            parts("2").replace_strict(letters, default=None, return_dtype=pl.String).alias("level"),
            pl.col("payload").str.replace(_RELATIVE, "").alias("payload"),
        )
        .collect()
    )
    taken = taken.with_columns(head_classes(taken["payload"]))
    return pl.concat([lines.filter(pl.Series(~mask)), taken]).sort("row")


def split_lanes(lines: pl.DataFrame) -> Iterator[Lane]:
    """The lines (columns row, payload, head, level, slot, task) by lane, taken apart."""
    lanes = _lane_numbers(lines)
    narrow = lines.select("row", "payload", "level", "slot", "task")
    for number, name in enumerate(LANES):
        mask = lanes == number
        if mask.any():
            yield SPLITTERS[name](narrow.filter(pl.Series(mask)))


_TESTS: Mapping[str, Callable[[pl.Expr], pl.Expr]] = {
    "slog": lambda text: text.str.contains(_SLOG) & text.str.contains(" msg=", literal=True),
    "access": lambda text: text.str.starts_with("[GIN] ") | text.str.contains(_GIN_CUT),
    "server": lambda text: text.str.contains(SERVER_WORD),
    "std": lambda text: text.str.contains(_OLD),
    "runner": lambda text: text.str.contains(RUNNER_TEXT),
    "json": lambda text: text.str.starts_with("{") & text.str.contains('"function":', literal=True),
}
LANES = (*_TESTS, "raw")
_RAW = LANES.index("raw")
# Which lanes are possible for a kind of beginning, in the order of precedence.
_POSSIBLE: Mapping[Head, tuple[str, ...]] = {
    Head.TIME: ("slog",),
    Head.SERVER: ("server",),
    Head.RUNNER: ("runner",),
    Head.BLANK: ("slog",),
    Head.DIGIT: ("slog", "access", "std"),
    Head.BRACE: ("json",),
    Head.WORD: ("slog",),
    Head.OTHER: tuple(_TESTS),
}


def _lane_numbers(lines: pl.DataFrame) -> npt.NDArray[np.int8]:
    """Number of the lane of each line."""
    heads = lines["head"].to_numpy()
    lanes = np.full(lines.height, _RAW, np.int8)
    lanes[heads == Head.GIN] = LANES.index("access")
    texts = lines.select("payload")
    for head, names in _POSSIBLE.items():
        mask = heads == head
        for name in names:
            if not mask.any():
                break
            test = texts.filter(pl.Series(mask)).select(_test(head, name)).to_series().to_numpy()
            rows = np.flatnonzero(mask)[test]
            lanes[rows] = LANES.index(name)
            mask[rows] = False
    return lanes


def _test(head: Head, lane: str) -> pl.Expr:
    text = pl.col("payload")
    # A line that begins with `time=2` has passed the rest of the test.
    return text.str.contains(" msg=", literal=True) if head == Head.TIME else _TESTS[lane](text)
