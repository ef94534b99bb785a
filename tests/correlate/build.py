"""Fact frames from short rows, for tests that need no parser.

`Case.add(table, path, line, stamp, **columns)`: `stamp` is `"2026-02-18 10:15:02Z"` (UTC), `"2026-02-18 11:15:02"` (local, no
zone), `"…+01:00"`, a number (seconds since the process began) or None.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from investigator.formats.facts import fact_tables

_BYTES_PER_LINE = 100
_SIDES = {"ollama-server": "server", "llama-server": "server", "modelfile": "snapshot", "ollama-show": "snapshot",
          "ollama-verbose": "snapshot", "machine": "snapshot"}  # fmt: skip


class Case:
    """Sources and facts of one made-up case."""

    def __init__(self) -> None:
        self._sources: dict[str, str] = {}
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._last_line: dict[str, int] = {}

    def source(self, path: str, format_: str) -> str:
        """Declare a source; returns its path."""
        self._sources[path] = format_
        return path

    def add(self, table: str, source: str, line: int | None, stamp: str | float | None, /, **columns: object) -> Case:
        """Add a fact. `line` None: the line after the last one of that source."""
        line = self._last_line.get(source, 0) + 1 if line is None else line
        self._last_line[source] = line
        schema = fact_tables()[table].polars_schema()
        unknown = set(columns) - set(schema)
        assert not unknown, f"{table} has no column {unknown}"
        rows = self._rows.setdefault(table, [])
        rows.append(
            {
                "fact_id": sum(map(len, self._rows.values())) + 1,
                "source_id": list(self._sources).index(source) + 1,
                "line_no": line,
                "byte_offset": line * _BYTES_PER_LINE,
                "lines": 1,
                **_stamp(stamp),
                **columns,
            }
        )
        return self

    def facts(self) -> dict[str, pl.DataFrame]:
        return {
            name: pl.DataFrame(self._rows.get(name, []), schema=table.polars_schema(), orient="row")
            if not self._rows.get(name)
            else pl.DataFrame(
                [{key: row.get(key) for key in table.polars_schema()} for row in self._rows[name]],
                schema=table.polars_schema(),
                orient="row",
            )
            for name, table in fact_tables().items()
        }

    def sources(self) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "source_id": list(range(1, len(self._sources) + 1)),
                "path": list(self._sources),
                "format": list(self._sources.values()),
                "side": [_SIDES.get(name, "agent") for name in self._sources.values()],
            },
            schema={"source_id": pl.UInt64, "path": pl.String, "format": pl.String, "side": pl.String},
        )


def utc(text: str) -> datetime:
    """`"2026-02-18 10:15:02"` as naive UTC, as frames hold it."""
    return datetime.fromisoformat(text)


def _stamp(stamp: str | float | None) -> dict[str, object]:
    if stamp is None:
        return {"stamp": None, "stamp_kind": "none", "offset_s": None}
    if isinstance(stamp, int | float):
        return {"stamp": datetime(1970, 1, 1) + timedelta(seconds=stamp), "stamp_kind": "relative", "offset_s": None}
    moment = datetime.fromisoformat(stamp)
    if moment.tzinfo is None:
        return {"stamp": moment, "stamp_kind": "local", "offset_s": None}
    offset = moment.utcoffset() or timedelta()
    naive = moment.astimezone(UTC).replace(tzinfo=None)
    return {"stamp": naive, "stamp_kind": "utc", "offset_s": int(offset.total_seconds())}
