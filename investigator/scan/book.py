"""The book of nights in the case: what each scan found, measured and could not deliver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import duckdb

from investigator.casefile.case import Case
from investigator.casefile.follow import Growth
from investigator.scan.baselines import LEAST_SAMPLES, Kind, Measure
from investigator.scan.misses import Miss
from investigator.scan.nights import Known, Seen, Told
from investigator.sqltext import sql_reader

_sql = sql_reader(__package__, "sql")

#: Nights that the overview shows and that trends are made of.
SHOWN_NIGHTS = 30


@dataclass(frozen=True, slots=True)
class Versions:
    """What a verdict depends on beside the logs."""

    tool: str
    rules: str
    catalogue: str

    def changed(self, before: Versions) -> str:
        """What is different from an earlier night, in words; '' if nothing is."""
        names = {"tool": "the program's version", "rules": "the rules", "catalogue": "the catalogue"}
        return " and ".join(words for name, words in names.items() if getattr(self, name) != getattr(before, name))


@dataclass(frozen=True, slots=True)
class Night:
    """One scan. reason: why it judged anew although no log changed, else ''."""

    night: int
    started_at: datetime
    versions: Versions
    files: int
    read_bytes: int
    reason: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message that a service did not take. service: digest of its URL as configured."""

    night: int
    service: str
    title: str
    body: str
    attachment: str | None


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that a night adds to the book. reports: page of an incident by identity."""

    night: Night
    told: tuple[Told, ...] = ()
    reports: Mapping[str, str] = field(default_factory=dict)
    measures: tuple[Measure, ...] = ()
    misses: tuple[Miss, ...] = ()


class Book:
    """Reads and writes the tables of schema `nights` of an open case."""

    def __init__(self, case: Case) -> None:
        self._case = case
        if not case.read_only:
            case.connection.execute(_sql("schema"))

    def last(self) -> Night | None:
        """The last night, or None in the first one."""
        rows = self._rows("SELECT * FROM nights.nights ORDER BY night DESC LIMIT 1")
        return _night(rows[0]) if rows else None

    def open_incidents(self) -> dict[str, Known]:
        """Incidents that were there when last looked for, by identity."""
        return {row[0]: Known(Seen(*row[:8]), row[8], row[9]) for row in self._rows(_sql("open_incidents"))}

    def measures(self, since: int) -> dict[tuple[str, str, Kind], list[float]]:
        """Values by (place, model, kind), oldest first."""
        rows = self._rows(_sql("measures"), {"since": since, "samples": LEAST_SAMPLES})
        return {(place, model, kind): values for place, model, kind, values in rows}

    def misses(self, since: int) -> dict[tuple[str, str, str], list[float]]:
        """Nearest ratios by (rule, place, model), oldest first."""
        return {
            (rule, place, model): ratios for rule, place, model, ratios in self._rows(_sql("misses"), {"since": since})
        }

    def history(self, since: int) -> list[dict[str, Any]]:
        """Every word on every incident since night `since`."""
        return self._dicts(_sql("history"), {"since": since})

    def nights(self, since: int) -> list[dict[str, Any]]:
        return self._dicts(_sql("nights"), {"since": since})

    def unjudged(self) -> tuple[Growth, ...]:
        """What was read and not judged yet: tonight's, and that of a scan that was killed before it judged."""
        rows = self._rows(_sql("unjudged"))
        return tuple(Growth(id_, path, "grown", from_, to - from_, line) for id_, path, from_, to, line in rows)

    def write(self, found: Findings) -> None:
        """Add a night, all or nothing; everything that was read counts as judged then."""
        night = found.night
        with self._case.transaction() as con:
            con.execute(_sql("add_night"), _night_row(night))
            con.execute(_sql("judge"))
            _many(con, "incidents", [_incident_row(night.night, told, found.reports) for told in found.told])
            _many(
                con, "measures", [(night.night, m.place, m.model, m.kind, m.value, m.samples) for m in found.measures]
            )
            _many(con, "misses", [(night.night, m.rule, m.place, m.model, m.ratio, m.text) for m in found.misses])

    def undelivered(self) -> list[Undelivered]:
        return [Undelivered(*row) for row in self._rows("SELECT * FROM nights.outbox ORDER BY night, service")]

    def keep_for_later(self, message: Undelivered) -> None:
        """Remember a message until its service takes it."""
        values = [message.night, message.service, message.title, message.body, message.attachment]
        self._case.connection.execute("INSERT OR REPLACE INTO nights.outbox VALUES (?, ?, ?, ?, ?)", values)

    def delivered(self, message: Undelivered) -> None:
        parameters = {"night": message.night, "service": message.service}
        self._case.connection.execute(_sql("delivered"), parameters)

    def _rows(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        return self._case.connection.execute(sql, parameters or {}).fetchall()

    def _dicts(self, sql: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        done = self._case.connection.execute(sql, parameters)
        names = [column[0] for column in done.description]
        return [dict(zip(names, row, strict=True)) for row in done.fetchall()]


def _many(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    for row in rows:
        con.execute(f"INSERT INTO nights.{table} VALUES ({', '.join('?' * len(row))})", list(row))


def _night_row(night: Night) -> dict[str, object]:
    return {
        "night": night.night,
        "started_at": night.started_at.astimezone(UTC).replace(tzinfo=None),
        "tool": night.versions.tool,
        "rules": night.versions.rules,
        "catalogue": night.versions.catalogue,
        "files": night.files,
        "read_bytes": night.read_bytes,
        "reason": night.reason,
        "exit_code": night.exit_code,
    }


def _night(row: tuple[Any, ...]) -> Night:
    number, started_at, tool, rules, catalogue, files_, read_bytes, reason, exit_code = row
    versions = Versions(tool, rules, catalogue)
    return Night(number, started_at.replace(tzinfo=UTC), versions, files_, read_bytes, reason, exit_code)


def _incident_row(night: int, told: Told, reports: Mapping[str, str]) -> tuple[object, ...]:
    s = told.seen
    return (
        night, s.identity, told.change, s.title, s.cause, s.severity, s.sentence, s.model, s.place, s.failed_calls,
        told.first_night, told.nights, reports.get(s.identity),
    )  # fmt: skip
