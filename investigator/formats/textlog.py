"""The engine behind the formats of text server logs: chunks in, facts and an account of every line out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import polars as pl

from investigator.formats.access import access_facts
from investigator.formats.base import Parsed, SourceInfo
from investigator.formats.common import TEXT_LIMIT, account, evidence_frame, finish_facts
from investigator.formats.dispatch import Dispatcher
from investigator.formats.extract import extract
from investigator.formats.facts import fact_tables
from investigator.formats.lanes import split_glued, split_lanes
from investigator.formats.lines import read_lines
from investigator.formats.patterns import FactSpec, Pattern, Where, load_patterns
from investigator.formats.records import join_records
from investigator.formats.transport import unwrap
from investigator.sources.chunks import Chunk

_UNRECOGNISED, _FOREIGN, _NOISE, _FACT = range(4)

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
_LOUD = ("WARN", "ERROR", "ERR")

# A warning or error that no pattern knows is still worth keeping.
_NOTICE = FactSpec("notice")

_SHAPE_DIGITS = r"\d+"


@dataclass(slots=True)
class _Tally:
    """What became of the rows of one chunk."""

    verdict: np.ndarray[tuple[int], np.dtype[np.int8]]
    kind: np.ndarray[tuple[int], np.dtype[np.int32]]
    kinds: list[str] = field(default_factory=list)
    facts: dict[str, list[pl.DataFrame]] = field(default_factory=dict)

    def add_facts(self, table: str, frame: pl.DataFrame, *, further: bool = False) -> None:
        if further:
            frame = frame.with_columns(pl.lit(0, pl.Int32).alias("lines"))
        self.verdict[frame["row"].to_numpy()] = _FACT
        self.facts.setdefault(table, []).append(frame)

    def add_severities(self, lane: str, lines: pl.DataFrame) -> None:
        level = pl.col("level").replace({"ERR": "ERROR"})
        loud = lines.filter(pl.col("level").is_in(_LOUD))
        noisy = pl.Series(self.verdict[loud["row"].to_numpy()] == _NOISE, dtype=pl.Boolean)
        frame = loud.select(
            *("row", "line_no", "byte_offset", "stamp", "stamp_kind", "offset_s", "origin"),
            level.alias("level"),
            pl.lit(0, pl.Int32).alias("lines"),
            pl.lit(lane).alias("form"),
            noisy.alias("known_noise"),
        )
        self.facts.setdefault("line_severity", []).append(frame)

    def add_noise(self, kind: str, rows: pl.Series) -> None:
        if kind not in self.kinds:
            self.kinds.append(kind)
        self.verdict[rows.to_numpy()] = _NOISE
        self.kind[rows.to_numpy()] = self.kinds.index(kind)


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
        lines = read_lines(chunk.data, chunk.byte_offset, chunk.first_line_no)
        records = join_records(_unwrapped(lines))
        consumed = len(chunk.data)
        if not chunk.last and records.open_at is not None:
            whole = records.open_at - chunk.first_line_no
            consumed = int(lines["byte_offset"].item(whole)) - chunk.byte_offset
            lines = lines.head(whole)
            records = join_records(_unwrapped(lines))
        return self._parse(lines, split_glued(records.rows), consumed)

    def _parse(self, lines: pl.DataFrame, rows: pl.DataFrame, consumed_bytes: int) -> Parsed:
        tally = _Tally(np.zeros(rows.height, np.int8), np.zeros(rows.height, np.int32))
        for block, part in rows.drop_nulls("block").partition_by("block", as_dict=True).items():
            tally.add_noise(str(block[0]), part["row"])
        for lane, part in split_lanes(rows.filter(pl.col("block").is_null())).items():
            self._lane(lane, part, tally)
        self._others(rows, tally)
        return self._account(lines, rows, tally, consumed_bytes)

    def _lane(self, lane: str, part: pl.DataFrame, tally: _Tally) -> None:
        if lane == "access":
            facts, part = access_facts(part)
            tally.add_facts("http_request", facts)
        whole = part
        for where in _OFFERS[lane]:
            if where == "raw":
                part = part.with_columns(pl.col("payload").str.strip_chars_start(" \t").alias("key"))
            left = [part["row"]]
            for pattern, matched in self._dispatchers[where].assign(part):
                _apply(pattern, matched, tally)
                left.append(matched["row"])
            part = part.filter(pl.Series(tally.verdict[part["row"].to_numpy()] == _UNRECOGNISED))
        if lane in ("slog", "std", "runner", "json"):
            loud = part.filter(pl.col("level").is_in(_LOUD))
            tally.add_facts("notice", extract(_NOTICE, loud))
        tally.add_severities(lane, whole)

    def _others(self, rows: pl.DataFrame, tally: _Tally) -> None:
        """Lines of programs that the transport names as others, and blank lines."""
        open_rows = rows.filter(pl.Series(tally.verdict == _UNRECOGNISED))
        foreign = pl.col("program").is_not_null() & ~pl.col("program").str.contains(self._own_programs)
        tally.verdict[open_rows.filter(foreign)["row"].to_numpy()] = _FOREIGN
        blank = open_rows.filter(~foreign.fill_null(False) & (pl.col("payload").str.strip_chars(" \t\r.") == ""))
        tally.add_noise("blank", blank["row"])

    def _account(self, lines: pl.DataFrame, rows: pl.DataFrame, tally: _Tally, consumed_bytes: int) -> Parsed:
        best, kind = _by_line(lines, rows, tally)
        counts = np.bincount(kind[best == _NOISE], minlength=len(tally.kinds))
        facts = self._facts(tally)
        return account(
            facts,
            fact_lines=int((best == _FACT).sum()),
            noise=dict(zip(tally.kinds, (int(count) for count in counts), strict=False)),
            foreign_lines=int((best == _FOREIGN).sum()),
            unrecognised=_unrecognised(lines.filter(pl.Series(best == _UNRECOGNISED))),
            evidence=evidence_frame(lines.select("line_no", "text"), _worth_keeping(facts)),
            consumed_bytes=consumed_bytes,
        )

    def _facts(self, tally: _Tally) -> dict[str, pl.DataFrame]:
        done: dict[str, pl.DataFrame] = {}
        for table in sorted(tally.facts):
            frames = [frame.drop("row") for frame in tally.facts[table] if frame.height]
            if frames:
                whole = pl.concat(frames, how="diagonal_relaxed").sort("byte_offset", maintain_order=True)
                done[table] = finish_facts(table, self._info.source_id, whole)
        return done


def _apply(pattern: Pattern, lines: pl.DataFrame, tally: _Tally) -> None:
    if pattern.noise is not None:
        tally.add_noise(pattern.noise, lines["row"])
    elif pattern.foreign:
        tally.verdict[lines["row"].to_numpy()] = _FOREIGN
    for ordinal, spec in enumerate(pattern.facts):
        tally.add_facts(spec.table, extract(spec, lines), further=ordinal > 0)


def _unwrapped(lines: pl.DataFrame) -> pl.DataFrame:
    numbered = lines.with_columns(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"), pl.lit(1, pl.Int32).alias("span")
    )
    return unwrap(numbered)


def _by_line(
    lines: pl.DataFrame, rows: pl.DataFrame, tally: _Tally
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int8]], np.ndarray[tuple[int], np.dtype[np.int32]]]:
    """Verdict and noise kind of each line: the best of its rows; a record of several lines speaks for all of them."""
    first = int(lines["line_no"].item(0)) if lines.height else 0
    span = np.maximum(rows["span"].to_numpy(), 1)
    row = np.repeat(np.arange(rows.height), span)
    within = np.arange(len(row)) - np.repeat(np.cumsum(span) - span, span)
    place = rows["line_no"].to_numpy()[row] - first + within
    best = np.zeros(lines.height, np.int8)
    np.maximum.at(best, place, tally.verdict[row])
    kind = np.zeros(lines.height, np.int32)
    noisy = tally.verdict[row] == _NOISE
    kind[place[noisy]] = tally.kind[row[noisy]]
    return best, kind


def _worth_keeping(facts: Mapping[str, pl.DataFrame]) -> pl.Series:
    kept = [pl.Series("line_no", [], dtype=pl.Int32)]
    for table, frame in facts.items():
        if fact_tables()[table].keep_verbatim:
            kept.append(frame["line_no"])
        elif table == "line_severity":
            kept.append(frame.filter(~pl.col("known_noise"))["line_no"])
    return pl.concat(kept)


def _unrecognised(lines: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("text").str.slice(0, TEXT_LIMIT)
    shape = text.str.slice(0, 80).str.replace_all(_SHAPE_DIGITS, "N")
    return lines.select("line_no", "byte_offset", shape.alias("shape"), text)
