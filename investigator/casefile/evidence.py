"""The lines behind facts: kept at ingest, or fetched from the source again as long as it is the same source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from investigator.casefile.case import Case
from investigator.sources.fingerprint import fingerprint
from investigator.sources.packed import DAMAGED
from investigator.sources.streams import ChunkReader, SourceStream
from investigator.sqltext import sql_reader

_sql = sql_reader(__package__)

#: Lines shown before and after.
NEIGHBOURS = 3

#: A longer line is cut when it is shown; transcripts hold lines of megabytes.
SHOWN_CHARACTERS = 2000
_LAST_WORD = re.compile(r"[^\s\"',;{}]{1,500}$")


@dataclass(frozen=True, slots=True)
class CitedLine:
    """One line with its neighbours, each (line_no, text). Text is '' when the line is gone."""

    line_no: int
    text: str
    before: tuple[tuple[int, str], ...]
    after: tuple[tuple[int, str], ...]
    state: Literal["kept", "fetched", "rotated_away"]


def cite(case: Case, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], CitedLine]:
    """Lines by (source path, line number), with neighbours. Opens sources only for lines that were not kept."""
    by_source: dict[str, set[int]] = {}
    for path, line_no in wanted:
        by_source.setdefault(path, set()).add(line_no)
    return {
        (path, line_no): line
        for path in sorted(by_source)
        for line_no, line in sorted(_cite_source(case, path, by_source[path]).items())
    }


def _cite_source(case: Case, path: str, line_nos: set[int]) -> dict[int, CitedLine]:
    kept = _kept(case, path, line_nos)
    missing = {line_no for line_no in line_nos if line_no not in kept}
    fetched = _fetch(case, path, missing) if missing else {}
    return {line_no: _around(line_no, kept, fetched) for line_no in line_nos}


def _kept(case: Case, path: str, line_nos: set[int]) -> dict[int, str]:
    wanted = sorted(_with_neighbours(line_nos))
    rows = case.connection.execute(_sql("kept_lines"), {"path": path, "lines": wanted}).fetchall()
    return dict(rows)


def _with_neighbours(line_nos: set[int]) -> set[int]:
    return {n for line_no in line_nos for n in range(line_no - NEIGHBOURS, line_no + NEIGHBOURS + 1)}


def _fetch(case: Case, path: str, line_nos: set[int]) -> dict[int, str]:
    rows = case.connection.execute(
        "SELECT location, fingerprint, head_bytes FROM meta.sources WHERE path = ?", [path]
    ).fetchall()
    if not rows:
        return {}
    location, print_, head_bytes = rows[0]
    wanted = _with_neighbours(line_nos)
    try:
        with SourceStream(Path(location)) as stream:
            return _read_lines(stream, wanted) if fingerprint(stream.head(), head_bytes) == print_ else {}
    except DAMAGED:
        # Rotated away, deleted or not readable any more: the values are kept, the text is not to be had.
        return {}


def _read_lines(stream: SourceStream, wanted: set[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    reader = ChunkReader(stream)
    while (chunk := reader.read()) is not None and chunk.first_line_no <= max(wanted):
        count = chunk.data.count(b"\n")
        if any(chunk.first_line_no <= n <= chunk.first_line_no + count for n in wanted):
            for n, raw in enumerate(chunk.data.split(b"\n"), chunk.first_line_no):
                if n in wanted and (raw or n - chunk.first_line_no < count):
                    found[n] = raw.decode("utf-8", "replace").rstrip("\r")
        reader.consumed(len(chunk.data))
    return found


def _around(line_no: int, kept: Mapping[int, str], fetched: Mapping[int, str]) -> CitedLine:
    source, state = (kept, "kept") if line_no in kept else (fetched, "fetched")
    if line_no not in source:
        return CitedLine(line_no, "", (), (), "rotated_away")
    before = tuple((n, _shown(source[n])) for n in range(line_no - NEIGHBOURS, line_no) if n in source)
    after = tuple((n, _shown(source[n])) for n in range(line_no + 1, line_no + NEIGHBOURS + 1) if n in source)
    return CitedLine(line_no, _shown(source[line_no]), before, after, state)  # type: ignore[arg-type]


def _shown(text: str) -> str:
    if len(text) <= SHOWN_CHARACTERS:
        return text
    # Half a key is not known as a key any more: the word that the cut goes through is left out.
    kept = _LAST_WORD.sub("", text[:SHOWN_CHARACTERS])
    return f"{kept} … {len(text) - len(kept):,} more characters"
