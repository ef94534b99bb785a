"""What was delivered, in the case: the ticket of each incident, and what became of every rung."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from investigator.casefile.case import Case
from investigator.sqltext import sql_reader
from investigator.tickets.ladder import Order, Step
from investigator.tickets.model import Ticket

_sql = sql_reader(__package__, "sql")


@dataclass(frozen=True, slots=True)
class Place:
    """Where tickets go."""

    tracker: str
    base_url: str
    project: str


class Book:
    """Tables of schema `tickets` of a case. The case is open only while it is read or written, not while a tracker is
    waited for."""

    def __init__(self, case: Path, place: Place, now: datetime) -> None:
        self._path, self._place, self._now = case, place, now.astimezone(UTC).replace(tzinfo=None)

    def known(self, fingerprint: str) -> str | None:
        """Key of an incident's ticket as last recorded."""
        with self._open() as case:
            values = {
                "tracker": self._place.tracker, "base_url": self._place.base_url, "project": self._place.project,
                "fingerprint": fingerprint,
            }  # fmt: skip
            rows = case.connection.execute(_sql("known"), values).fetchall()
        return str(rows[0][0]) if rows else None

    def finished(self, fingerprint: str) -> bool:
        """Whether the last delivery of an incident's report came to its end."""
        with self._open() as case:
            values = {"tracker": self._place.tracker, "fingerprint": fingerprint}
            rows = case.connection.execute(_sql("finished"), values).fetchall()
        return bool(rows and rows[0][0])

    def noting(self, order: Order) -> Callable[[Ticket, Step], None]:
        """What `deliver` tells its steps to."""

        def note(ticket: Ticket, step: Step) -> None:
            place = self._place
            with self._open() as case, case.transaction() as con:
                con.execute(
                    _sql("put_ticket"),
                    [place.tracker, place.base_url, place.project, order.fingerprint, ticket.key, ticket.url],
                )
                con.execute(_sql("add_step"), self._row(order, ticket.key, step))

        return note

    def failed(self, order: Order, why: str) -> None:
        """Record that a delivery ended before its time."""
        with self._open() as case:
            case.connection.execute(_sql("add_step"), self._row(order, "", Step("ticket", "failed", False, why)))

    def _row(self, order: Order, ticket: str, step: Step) -> list[object]:
        return [
            self._now, self._place.tracker, order.fingerprint, ticket, order.report, step.rung, step.result, step.done,
            step.detail,
        ]  # fmt: skip

    @contextmanager
    def _open(self) -> Iterator[Case]:
        with Case(self._path) as case:
            case.connection.execute(_sql("schema"))
            yield case
