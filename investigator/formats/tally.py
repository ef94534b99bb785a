"""What became of the rows of one chunk: a verdict for each, facts by table, kinds of noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from investigator.formats.clock_columns import Stamps
from investigator.formats.common import conform, fact_ids
from investigator.formats.facts import fact_tables

UNRECOGNISED, FOREIGN, NOISE, FACT = range(4)
LOUD = ("WARN", "ERROR", "ERR")

Rows = npt.NDArray[np.intp]


@dataclass(slots=True)
class _Part:
    """Facts of one kind: column row, and the table's own columns. `counts`: its lines are counted as facts."""

    frame: pl.DataFrame
    counts: bool


@dataclass(slots=True)
class Tally:
    """Verdicts, noise kinds and stamps by row; facts as they were found."""

    verdict: npt.NDArray[np.int8]
    kind: npt.NDArray[np.int32]
    stamps: Stamps
    kinds: list[str] = field(default_factory=list)
    parts: dict[str, list[_Part]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: pl.DataFrame) -> Tally:
        stamps = Stamps.of_columns(rows) if rows["stamp_kind"].ne("none").any() else Stamps.none(rows.height)
        return cls(np.zeros(rows.height, np.int8), np.zeros(rows.height, np.int32), stamps)

    def add_facts(self, table: str, frame: pl.DataFrame, *, further: bool = False) -> None:
        """`further`: the rows were counted with another fact."""
        self.verdict[frame["row"].to_numpy()] = FACT
        self.parts.setdefault(table, []).append(_Part(frame, not further))

    def add_severities(self, form: str, lines: pl.DataFrame) -> None:
        """Rows of line_severity for lines (columns row, level, origin) that warn or report an error."""
        noisy = pl.Series(self.verdict[lines["row"].to_numpy()] == NOISE, dtype=pl.Boolean)
        frame = lines.select(
            "row",
            pl.col("level").replace({"ERR": "ERROR"}),
            "origin",
            pl.lit(form).alias("form"),
            noisy.alias("known_noise"),
        )
        self.parts.setdefault("line_severity", []).append(_Part(frame, False))

    def add_noise(self, kind: str, rows: Rows) -> None:
        if kind not in self.kinds:
            self.kinds.append(kind)
        self.verdict[rows] = NOISE
        self.kind[rows] = self.kinds.index(kind)

    def facts(self, rows: pl.DataFrame, source_id: int) -> dict[str, pl.DataFrame]:
        """Every table's facts in their final shape, in the order of the log."""
        found = {table: [part for part in parts if part.frame.height] for table, parts in sorted(self.parts.items())}
        places = rows.select("line_no", "byte_offset", "span").hstack(self.stamps.columns().get_columns())
        return {table: _finished(table, parts, places, source_id) for table, parts in found.items() if parts}


def _finished(table: str, parts: list[_Part], places: pl.DataFrame, source_id: int) -> pl.DataFrame:
    """`places`: the columns that facts of any table have, by row."""
    own = parts[0].frame if len(parts) == 1 else pl.concat([part.frame for part in parts], how="diagonal_relaxed")
    place = own["row"].to_numpy().astype(np.intp)
    lines = np.concatenate([_counted(part, places["span"].to_numpy()) for part in parts])
    if len(place) > 1 and (np.diff(place) < 0).any():
        order = np.argsort(place, kind="stable")
        own, place, lines = own[order], place[order], lines[order]
    common = places[place].drop("span")
    given = [
        fact_ids(source_id, common["byte_offset"] + pl.Series(_ordinals(place))),
        pl.Series("source_id", np.full(len(place), source_id, np.uint64)),
        pl.Series("lines", lines, dtype=pl.Int32),
    ]
    return conform(table, own.drop("row").hstack([*common.get_columns(), *given]))


def _counted(part: _Part, span: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Lines that each fact counts for: those of its row, once."""
    place = part.frame["row"].to_numpy()
    if not part.counts:
        return np.zeros(len(place), np.int32)
    lines: npt.NDArray[np.int32] = span[place]
    lines[1:][place[1:] == place[:-1]] = 0
    return lines


def _ordinals(place: Rows) -> npt.NDArray[np.int64]:
    """0, 1, … for facts of the same row; `place` is in order."""
    number = np.arange(len(place))
    first = np.ones(len(place), np.bool_)
    first[1:] = place[1:] != place[:-1]
    return number - np.maximum.accumulate(np.where(first, number, 0))


def line_verdicts(
    rows: pl.DataFrame, tally: Tally, first_line: int, lines: int
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int32]]:
    """Verdict and noise kind of each line: the best of its rows; a record of several lines speaks for all of them."""
    span = np.maximum(rows["span"].to_numpy(), 1)
    line = rows["line_no"].to_numpy().astype(np.int64) - first_line
    verdict, kind = tally.verdict, tally.kind
    if (span != 1).any():
        row = np.repeat(np.arange(rows.height), span)
        line = line[row] + np.arange(len(row)) - np.repeat(np.cumsum(span) - span, span)
        verdict, kind = verdict[row], kind[row]
    best = np.zeros(lines, np.int8)
    of_line = np.zeros(lines, np.int32)
    if len(line):
        begins = np.flatnonzero(np.diff(line, prepend=-1))
        best[line[begins]] = np.maximum.reduceat(verdict, begins)
        noisy = verdict == NOISE
        of_line[line[noisy]] = kind[noisy]
    return best, of_line


def worth_keeping(facts: Mapping[str, pl.DataFrame]) -> pl.Series:
    """Numbers of the lines that are kept verbatim."""
    kept = [pl.Series("line_no", [], dtype=pl.Int32)]
    for table, frame in facts.items():
        if fact_tables()[table].keep_verbatim:
            kept.append(frame["line_no"])
        elif table == "line_severity":
            kept.append(frame.filter(~pl.col("known_noise"))["line_no"])
    return pl.concat(kept)
