"""Tonight's measures out of the window's attempts."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from investigator.casefile.case import Case
from investigator.casefile.frames import insert_frame
from investigator.scan.baselines import Measure
from investigator.sources.rotation import rotation_key
from investigator.sqltext import sql_reader

_sql = sql_reader(__package__, "sql")


def place_of(path: str) -> str:
    """What a log is called across rotations: `server.log` for `server-1.log` and `server.log.2.gz`."""
    return rotation_key(path.split("~", maxsplit=1)[0]).stem


def measures(window: Case, case: Case) -> tuple[Measure, ...]:
    """Medians per (place, model) of the requests that `case` did not know before tonight; write history afterwards."""
    known: dict[str, datetime] = {}
    for stream, known_to in case.connection.execute(_sql("last_request")).fetchall():
        place = place_of(stream)
        known[place] = max(known_to, known.get(place, known_to))
    streams = [s for (s,) in window.connection.execute("SELECT DISTINCT stream FROM derived.requests").fetchall()]
    rows = [(stream, known.get(place_of(stream))) for stream in sorted(streams)]
    schema = {"stream": pl.String(), "known_to": pl.Datetime("us")}
    window.connection.execute("CREATE OR REPLACE TEMP TABLE known_requests (stream VARCHAR, known_to TIMESTAMP)")
    insert_frame(window.connection, "known_requests", pl.DataFrame(rows, schema=schema, orient="row"))
    found = window.connection.execute(_sql("measures_tonight")).fetchall()
    return tuple(Measure(place_of(stream), model, kind, value, n) for stream, model, kind, value, n in found)
