"""A source's row in the case: is it new, half read, changed, or known? And writing what a chunk gave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import duckdb
import polars as pl

from investigator.casefile.case import Case
from investigator.casefile.frames import insert_frame
from investigator.formats.base import Format, Parsed
from investigator.formats.facts import fact_tables
from investigator.sources.bundles import stat_of
from investigator.sources.discover import Candidate
from investigator.sources.fingerprint import Head, source_id
from investigator.sources.streams import Position, SourceStream
from investigator.sqltext import sql_reader

_sql = sql_reader(__package__)

State = Literal["new", "half", "changed", "same", "duplicate"]

_ACCOUNT_TABLES = ("sources", "noise", "unrecognised", "evidence_lines")


class _Known(NamedTuple):
    source_id: int
    path: str
    location: str
    size_bytes: int
    modified_ns: int
    cursor_bytes: int
    cursor_line: int
    complete: bool
    sha256: str | None
    fingerprint: str


@dataclass(frozen=True, slots=True)
class SourceRow:
    """Where reading a source has to begin, and why.

    `other` names the source that has the same content; `replaces` is the id that this place had before.
    """

    source_id: int
    state: State
    cursor_bytes: int = 0
    cursor_line: int = 1
    other: str = ""
    replaces: int | None = None


def look_up(case: Case, candidate: Candidate, fingerprint: str) -> SourceRow:
    """What the case knows of `candidate`: by fingerprint, place and size; by digest where two files begin alike."""
    parameters = {"fingerprint": fingerprint, "location": str(candidate.location)}
    known = [_Known(*row) for row in case.connection.execute(_sql("known_sources"), parameters).fetchall()]
    here = next((row for row in known if row.location == str(candidate.location)), None)
    if here is not None:
        return _same_place(here, candidate, fingerprint)
    alike = [row for row in known if row.fingerprint == fingerprint]
    if not alike:
        return SourceRow(source_id(fingerprint), "new")
    with SourceStream(candidate.location) as stream:
        digest = stream.sha256()
    other = next((row.path for row in alike if row.sha256 == digest), "")
    return SourceRow(source_id(fingerprint, candidate.path), "duplicate" if other else "new", other=other)


def _same_place(here: _Known, candidate: Candidate, fingerprint: str) -> SourceRow:
    stat = stat_of(candidate.location)
    if here.fingerprint != fingerprint:
        return SourceRow(source_id(fingerprint), "changed", replaces=here.source_id)
    if not here.complete:
        return SourceRow(here.source_id, "half", here.cursor_bytes, here.cursor_line)
    unchanged = (here.size_bytes, here.modified_ns) == (stat.size_bytes, stat.modified_ns)
    return SourceRow(here.source_id, "same" if unchanged else "changed")


def begin(case: Case, row: SourceRow, candidate: Candidate, head: Head, format_: Format) -> None:
    """Make the source's row; what an earlier reading of a changed source left is dropped first."""
    if row.state == "half":
        return
    stat = stat_of(candidate.location)
    with case.transaction() as con:
        for id_ in {row.source_id, row.replaces} - {None}:
            _forget(con, id_)
        con.execute(
            _sql("new_source"),
            {
                "source_id": row.source_id,
                "path": candidate.path,
                "location": str(candidate.location),
                "fingerprint": head.digest,
                "head_bytes": head.size_bytes,
                "format": format_.id,
                "side": format_.side,
                "size_bytes": stat.size_bytes,
                "modified_ns": stat.modified_ns,
            },
        )


def end(case: Case, row: SourceRow, sha256: str) -> None:
    """The whole source was read."""
    case.connection.execute(
        "UPDATE meta.sources SET complete = true, sha256 = ? WHERE source_id = ?", [sha256, row.source_id]
    )


def _forget(con: duckdb.DuckDBPyConnection, id_: int | None) -> None:
    # What belongs to a source is written after its row: without one there is nothing to look for in fifty tables.
    if not con.execute("SELECT 1 FROM meta.sources WHERE source_id = ?", [id_]).fetchall():
        return
    tables = [f"facts.{name}" for name in fact_tables()] + [f"meta.{name}" for name in _ACCOUNT_TABLES]
    for table in tables:
        con.execute(f"DELETE FROM {table} WHERE source_id = ?", [id_])


def write_chunk(case: Case, row: SourceRow, parsed: Parsed, position: Position) -> None:
    """Facts, account and cursor of one chunk, all or nothing."""
    source = pl.lit(row.source_id, dtype=pl.UInt64).alias("source_id")
    with case.transaction() as con:
        for name, frame in parsed.facts.items():
            insert_frame(con, f"facts.{name}", frame)
        insert_frame(con, "meta.noise", _noise(parsed).with_columns(source))
        insert_frame(con, "meta.unrecognised", _shapes(parsed.unrecognised).with_columns(source))
        insert_frame(con, "meta.evidence_lines", parsed.evidence.with_columns(source))
        con.execute(
            _sql("advance"),
            {
                "offset": position.offset,
                "line": position.line_no,
                "tail": position.tail,
                "lines": parsed.lines,
                "facts": parsed.fact_lines,
                "noise": sum(parsed.noise.values()),
                "foreign": parsed.foreign_lines,
                "unrecognised": parsed.unrecognised.height,
                "source": row.source_id,
            },
        )


def _noise(parsed: Parsed) -> pl.DataFrame:
    schema = {"kind": pl.String(), "lines": pl.Int64()}
    return pl.DataFrame({"kind": list(parsed.noise), "lines": list(parsed.noise.values())}, schema=schema)


def _shapes(unrecognised: pl.DataFrame) -> pl.DataFrame:
    return (
        unrecognised.group_by("shape")
        .agg(
            pl.len().cast(pl.Int64).alias("lines"),
            pl.col("line_no").min().alias("first_line"),
            pl.col("text").sort_by("line_no").first().str.slice(0, 300).alias("sample"),
        )
        .sort("first_line", "shape")
    )
