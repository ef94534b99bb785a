"""The engine behind the formats of text server logs: chunks in, facts and an account of every line out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial

import numpy as np
import polars as pl

from investigator.formats.access import access_facts
from investigator.formats.base import Begun, Parsed, SourceInfo
from investigator.formats.common import TEXT_LIMIT, account, evidence_frame
from investigator.formats.dispatch import Dispatcher, Match, Rows, taken
from investigator.formats.extract import Lines, extract, needed
from investigator.formats.heads import Head, head_classes
from investigator.formats.lane_parts import Lane
from investigator.formats.lanes import split_glued, split_lanes, take_relative
from investigator.formats.lines import read_lines
from investigator.formats.patterns import FactSpec, Where, load_patterns
from investigator.formats.records import Records, join_records
from investigator.formats.tally import FACT, FOREIGN, LOUD, NOISE, UNRECOGNISED, Tally, line_verdicts, worth_keeping
from investigator.formats.transport import unwrap
from investigator.formats.transport.wrappers import MAYBE
from investigator.sources.chunks import Chunk

#: Which patterns a lane's lines are offered to, in order.
_OFFERS: Mapping[str, tuple[Where, ...]] = {
    "slog": ("slog",),
    "std": ("slog", "raw"),
    "access": ("raw",),
    "runner": ("cpp", "text"),
    "json": ("cpp", "text"),
    "server": ("text", "server", "raw"),
    "raw": ("text", "raw"),
}

# A warning or error that no pattern knows is still worth keeping.
_NOTICE = FactSpec("notice")
_NOTICED = ("slog", "std", "runner", "json")

_SHAPE_DIGITS = r"\d+"
# Beginnings that no transport puts before a line.
_BARE = [Head.TIME, Head.GIN, Head.SERVER, Head.RUNNER, Head.BLANK]
_PATTERN_COLUMNS = ("row", "body", "quoted", "level", "origin", "slot", "task")


@cache
def dispatchers_of(*pattern_files: str) -> Mapping[Where, Dispatcher]:
    """Dispatchers for the patterns of these files, by the part of a line they look at. Shared by all parsers."""
    patterns = load_patterns(*pattern_files)
    places: tuple[Where, ...] = ("slog", "cpp", "server", "text", "raw")
    return {where: Dispatcher([pattern for pattern in patterns if pattern.where == where]) for where in places}


class TextLogParser:
    """Parser of one stream. It keeps nothing between chunks: a record cut by the end is left to the next chunk."""

    def __init__(self, info: SourceInfo, dispatchers: Mapping[Where, Dispatcher], own_programs: str) -> None:
        self._info = info
        self._own_programs = own_programs
        self._dispatchers = dispatchers

    def feed(self, chunk: Chunk) -> Parsed:
        """Facts of the chunk's lines, except those of a record at its end that may go on in the next chunk."""
        return self.begin(chunk).finish()

    def begin(self, chunk: Chunk) -> Begun:
        """Tell the records of the chunk apart; their facts are left to `finish`."""
        lines = read_lines(chunk.data, chunk.byte_offset, chunk.first_line_no)
        records = join_records(_unwrapped(lines))
        consumed = len(chunk.data)
        if not chunk.last and records.open_at is not None:
            whole = records.open_at - chunk.first_line_no
            consumed = int(lines["byte_offset"].item(whole)) - chunk.byte_offset
            lines = lines.head(whole)
            records = Records(records.rows.filter(pl.col("line_no") < records.open_at), None)
        return Begun(consumed, partial(self._parse, lines, records.rows, consumed))

    def _parse(self, lines: pl.DataFrame, records: pl.DataFrame, consumed_bytes: int) -> Parsed:
        rows = take_relative(split_glued(records))
        tally = Tally.of(rows)
        blocks = rows.select("row", "block").drop_nulls("block")
        for block, part in blocks.partition_by("block", as_dict=True).items():
            tally.add_noise(str(block[0]), part["row"].to_numpy())
        for lane in split_lanes(rows if blocks.is_empty() else rows.filter(pl.col("block").is_null())):
            self._lane(lane, tally)
        self._others(rows, tally)
        return self._account(lines, rows, tally, consumed_bytes)

    def _lane(self, lane: Lane, tally: Tally) -> None:
        row = lane.frame["row"].to_numpy()
        if lane.name == "access":
            facts, stamps, complete = access_facts(lane.frame)
            tally.stamps.put(row[complete], stamps.at(complete))
            tally.add_facts("http_request", facts)
        left: Rows = np.flatnonzero(tally.verdict[row] == UNRECOGNISED)
        keys = lane.frame["key"]
        for where in _OFFERS[lane.name]:
            if where == "raw" and len(left):
                keys = lane.frame["payload"].str.strip_chars_start(" \t")
            self._offer(lane, where, left, keys, tally)
            left = left[tally.verdict[row[left]] == UNRECOGNISED]
        if lane.name in _NOTICED and len(left):
            left = left[lane.frame["level"][left].is_in(LOUD).fill_null(False).to_numpy()]
            rest = Lines(lane.rows(_PATTERN_COLUMNS, left), keys[left], lane.style)
            tally.add_facts("notice", extract(_NOTICE, rest))
        loud = np.flatnonzero(lane.frame["level"].is_in(LOUD).fill_null(False).to_numpy())
        tally.add_severities(lane.name, lane.rows(("row", "level", "origin"), loud))
        if lane.stamps is not None:
            needed_at = tally.verdict[row] == FACT
            needed_at[loud] = True
            tally.stamps.put(row[needed_at], lane.stamps(lane.frame.filter(pl.Series(needed_at))))

    def _offer(self, lane: Lane, where: Where, left: Rows, keys: pl.Series, tally: Tally) -> None:
        if not len(left):
            return
        quoted = taken(lane.frame["quoted"], left) if lane.name == "slog" else None
        for match in self._dispatchers[where].assign(taken(keys, left), quoted):
            _apply(match, lane, left[match.rows], tally)

    def _others(self, rows: pl.DataFrame, tally: Tally) -> None:
        """Lines of programs that the transport names as others, and blank lines."""
        places = np.flatnonzero(tally.verdict == UNRECOGNISED)
        if not len(places):
            return
        open_rows = rows.select("row", "program", "payload")[places]
        foreign = pl.col("program").is_not_null() & ~pl.col("program").str.contains(self._own_programs)
        tally.verdict[open_rows.filter(foreign)["row"].to_numpy()] = FOREIGN
        blank = open_rows.filter(~foreign.fill_null(False) & (pl.col("payload").str.strip_chars(" \t\r.") == ""))
        tally.add_noise("blank", blank["row"].to_numpy())

    def _account(self, lines: pl.DataFrame, rows: pl.DataFrame, tally: Tally, consumed_bytes: int) -> Parsed:
        first = int(lines["line_no"].item(0)) if lines.height else 0
        best, kind = line_verdicts(rows, tally, first, lines.height)
        counts = np.bincount(kind[best == NOISE], minlength=len(tally.kinds))
        facts = tally.facts(rows, self._info.source_id)
        return account(
            facts,
            fact_lines=int((best == FACT).sum()),
            noise=dict(zip(tally.kinds, (int(count) for count in counts), strict=False)),
            foreign_lines=int((best == FOREIGN).sum()),
            unrecognised=_unrecognised(lines[np.flatnonzero(best == UNRECOGNISED)]),
            evidence=evidence_frame(lines.select("line_no", "text"), worth_keeping(facts)),
            consumed_bytes=consumed_bytes,
        )


def _apply(match: Match, lane: Lane, places: Rows, tally: Tally) -> None:
    pattern = match.pattern
    if not pattern.facts:
        rows = lane.frame["row"].to_numpy()[places]
        if pattern.noise is not None:
            tally.add_noise(pattern.noise, rows)
        elif pattern.foreign:
            tally.verdict[rows] = FOREIGN
        return
    wanted = set().union(*(needed(spec) for spec in pattern.facts))
    frame = lane.rows(wanted, places)
    for ordinal, spec in enumerate(pattern.facts):
        groups = match.groups if spec.regex == pattern.regex else None
        tally.add_facts(spec.table, extract(spec, Lines(frame, match.keys, lane.style, groups)), further=ordinal > 0)


def _unwrapped(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines without transport, with their head; only lines that may be wrapped are looked at more closely."""
    numbered = lines.with_columns(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
        pl.lit(1, pl.Int32).alias("span"),
        head_classes(lines["text"]),
    )
    doubtful = numbered["text"].filter(~numbered["head"].is_in(_BARE))
    if doubtful.str.contains(MAYBE).any():
        rows = unwrap(numbered).drop("text")
        return rows.with_columns(head_classes(rows["payload"]))
    return numbered.rename({"text": "payload"}).with_columns(
        pl.lit(None, pl.String).alias("program"),
        pl.lit(None, pl.Datetime("us")).alias("stamp"),
        pl.lit("none").alias("stamp_kind"),
        pl.lit(None, pl.Int32).alias("offset_s"),
    )


def _unrecognised(lines: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("text").str.slice(0, TEXT_LIMIT)
    shape = text.str.slice(0, 80).str.replace_all(_SHAPE_DIGITS, "N")
    return lines.select("line_no", "byte_offset", shape.alias("shape"), text)
