"""The delivery ladder: the ticket, its summary, the timeline's picture, the report in the first form that is taken.

Every rung looks before it acts, so that a run that was killed anywhere is finished by the next one and nothing is done
twice: files bear the digest of the report, texts a marker with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal, TypeVar

from investigator.report.redact_rules import UserRule
from investigator.tickets import files, summary, trim
from investigator.tickets.gate import check_file
from investigator.tickets.markup import MARKUPS, Marker, markers
from investigator.tickets.model import (
    File,
    NotThere,
    Refused,
    SizeRefused,
    Ticket,
    Tracker,
    Uncertain,
)
from investigator.tickets.reading import Reading

Closed = Literal["reopen", "link"]
Rung = Literal["ticket", "summary", "picture", "report"]
_T = TypeVar("_T")
_NOT_ATTACHED = "The report could not be attached"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be delivered. html: the whole report; issue: the ticket that the user named; new: file one anyway.

    closed: what becomes of a closed ticket whose incident is back: opened again, or named in a new one.
    extra: redaction rules of the user, for the gate.
    """

    fingerprint: str
    reading: Reading
    html: str
    issue: str | None = None
    new: bool = False
    closed: Closed = "reopen"
    extra: tuple[UserRule, ...] = ()

    @property
    def report(self) -> str:
        """Digest of the report."""
        return files.digest(self.html.encode("utf-8", "surrogatepass"))

    @property
    def stem(self) -> str:
        return files.stem(self.fingerprint, self.report)

    @property
    def marker(self) -> Marker:
        return Marker(self.fingerprint, self.report, self.reading.state)


@dataclass(frozen=True, slots=True)
class Step:
    """What became of a rung. done: whether it is there now; detail: the file's name, or why not."""

    rung: Rung
    result: str
    done: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where the ticket is and what was done."""

    ticket: Ticket
    steps: tuple[Step, ...]

    @property
    def delivered(self) -> bool:
        return all(step.done for step in self.steps if step.rung in ("ticket", "summary", "report"))


def deliver(
    order: Order, tracker: Tracker, known: str | None = None, note: Callable[[Ticket, Step], None] | None = None
) -> Outcome:
    """Climb the ladder. known: key of the ticket as an earlier run recorded it; note: is told each step as it is done.

    Raises DeliveryProblem when the tracker cannot be reached, refuses the ticket itself, or the gate holds back.
    """
    return _Delivery(order, tracker, note).run(known)


class _Delivery:
    """One call of `deliver`."""

    def __init__(self, order: Order, tracker: Tracker, note: Callable[[Ticket, Step], None] | None) -> None:
        self._order, self._tracker, self._note = order, tracker, note
        self._markup = MARKUPS[tracker.markup]
        self._steps: list[Step] = []
        self._created = False

    def run(self, known: str | None) -> Outcome:
        # Before the first request, so that a ticket is not filed whose report is then held back.
        check_file(files.FORMS[0](self._order.stem, self._order.html), self._order.extra)
        picture = self._picture()
        ticket = self._ticket(known, picture)
        texts = () if self._created else self._tracker.texts(ticket)
        names = () if self._created else tuple(held.name for held in self._tracker.held(ticket))
        told = [marker for text in texts for marker in markers(text) if marker.incident == self._order.fingerprint]
        is_told = self._created or any(marker.report == self._order.report for marker in told)
        if not is_told:
            ticket = self._opened(ticket)
        links = [*self._send_picture(ticket, picture, names), *self._send_report(ticket, names, texts)]
        if not is_told:
            last = told[-1] if told else None
            body = summary.change(self._order.reading, self._markup, self._order.marker, self._opening(), last)
            self._comment(ticket, "\n\n".join([body, *links]))
            self._did(ticket, Step("summary", "told what changed" if last else "told", True))
        else:
            if links:
                self._comment(ticket, "\n\n".join(links))
            if not self._created:
                self._did(ticket, Step("summary", "there already", True))
        return Outcome(ticket, tuple(self._steps))

    def _ticket(self, known: str | None, picture: File | None) -> Ticket:
        order, before = self._order, ""
        if order.issue is not None:
            ticket = self._tracker.get(order.issue)
            self._did(ticket, Step("ticket", "as named", True))
            return ticket
        found = None if order.new else self._tracker.find(order.fingerprint) or self._known(known)
        if found is not None:
            if found.is_open or order.closed == "reopen" or self._is_told(found):
                self._did(found, Step("ticket", "found", True))
                return found
            before = found.key if self._tracker.markup == "jira" else f"#{found.key}"
        body = summary.body(
            order.reading, self._markup, order.marker, self._opening(),
            self._tracker.image(picture.name) if picture else "", before,
        )  # fmt: skip
        title = summary.title(order.reading)
        ticket = _careful(
            lambda: self._tracker.create(title, body, order.fingerprint),
            lambda: None if order.new or before else self._tracker.find(order.fingerprint),
        )
        self._created = True
        self._did(ticket, Step("ticket", "filed", True))
        self._did(ticket, Step("summary", "told", True))
        return ticket

    def _known(self, key: str | None) -> Ticket | None:
        """The ticket of the case's own record: a tracker's search may lag behind."""
        try:
            return None if key is None else self._tracker.get(key)
        except NotThere:
            return None

    def _is_told(self, ticket: Ticket) -> bool:
        """Whether a closed ticket has this very report: then it was closed in knowledge of it, and stays so."""
        found = (marker for text in self._tracker.texts(ticket) for marker in markers(text))
        return any((m.incident, m.report) == (self._order.fingerprint, self._order.report) for m in found)

    def _opened(self, ticket: Ticket) -> Ticket:
        if ticket.is_open or self._order.closed != "reopen":
            return ticket
        self._tracker.reopen(ticket)
        again = self._tracker.get(ticket.key)
        done = again.is_open
        self._did(again, Step("ticket", "reopened" if done else "stays closed", True, "" if done else "not allowed"))
        return again

    def _picture(self) -> File | None:
        if not self._tracker.shows_images or not self._tracker.takes_files:
            return None
        return files.picture(self._order.stem, self._order.reading.timeline)

    def _send_picture(self, ticket: Ticket, picture: File | None, names: tuple[str, ...]) -> list[str]:
        if picture is None:
            return []
        if picture.name in names:
            self._did(ticket, Step("picture", "there already", True, picture.name))
            return []
        try:
            link = self._attach(ticket, picture)
        except Refused as error:
            # The report matters more; a tracker without pictures is no failure.
            self._did(ticket, Step("picture", "refused", False, error.message))
            return []
        self._did(ticket, Step("picture", "sent", True, picture.name))
        return [link] if link else []

    def _send_report(self, ticket: Ticket, names: tuple[str, ...], texts: tuple[str, ...]) -> list[str]:
        if not self._tracker.takes_files:
            self._did(ticket, Step("report", "not taken here", True, "; or ".join(self._tracker.ways())))
            return []
        there = next((name for name in names if _is_report(name, self._order.stem)), None)
        if there is not None:
            self._did(ticket, Step("report", "there already", True, there))
            return []
        sent, link = self._first_taken(ticket)
        if sent is not None:
            self._did(ticket, Step("report", "sent", True, sent.name))
            return [link] if link else []
        self._did(ticket, Step("report", "refused", False, link))
        told = any(_NOT_ATTACHED in text and self._order.report in text for text in texts)
        return [] if told else [f"{_NOT_ATTACHED} ({self._order.report}): {self._markup.text(link)}"]

    def _first_taken(self, ticket: Ticket) -> tuple[File | None, str]:
        """(file, link) of the first form that is taken; (None, why not) if none is."""
        limits, why = self._tracker.limits(), "nothing of it fits"
        bodies = self._bodies()
        body, form = next(bodies), 0
        while body is not None and form < len(files.FORMS):
            name, text = body
            file = files.FORMS[form](name, text)
            try:
                if not limits.takes_type(file.name):
                    form += 1
                    why = f"files like {file.name} are not taken"
                    continue
                if not limits.takes_size(len(file.data)):
                    raise SizeRefused(f"{len(file.data):,} bytes are more than the {limits.max_bytes:,} that are taken")
                return file, self._attach(ticket, file)
            except SizeRefused as error:
                why, body = error.message, next(bodies, None)
            except (NotThere, Refused) as error:
                # Not every server says that it is the type which it does not like.
                why, form = error.message, form + 1
        return None, why

    def _bodies(self) -> Iterator[tuple[str, str] | None]:
        order = self._order
        trimmed = ((f"{order.stem}-trimmed", text) for text in trim.smaller(order.html))
        yield from chain([(order.stem, order.html)], trimmed)

    def _attach(self, ticket: Ticket, file: File) -> str:
        def look() -> str | None:
            return "" if any(held.name == file.name for held in self._tracker.held(ticket)) else None

        return _careful(lambda: self._tracker.attach(ticket, file), look)

    def _comment(self, ticket: Ticket, body: str) -> None:
        def look() -> bool | None:
            return True if any(body.strip() == text.strip() for text in self._tracker.texts(ticket)) else None

        def send() -> bool:
            self._tracker.comment(ticket, body)
            return True

        _careful(send, look)

    def _opening(self) -> str:
        say = self._markup
        if not self._tracker.takes_files:
            ways = say.items([say.text(way) for way in self._tracker.ways()])
            return f"{say.strong('How to open')}: the report cannot be attached here. Ways to share it:\n\n{ways}"
        name = say.inline(f"{self._order.stem}.html")
        return (
            f"{say.strong('How to open')}: save the attached {name} and open it in a browser; it needs no network and"
            " runs no script. Unpack it first if it ends in .gz or .zip."
        )

    def _did(self, ticket: Ticket, step: Step) -> None:
        self._steps.append(step)
        if self._note is not None:
            self._note(ticket, step)


def _is_report(name: str, stem: str) -> bool:
    return name.startswith((f"{stem}.", f"{stem}-trimmed."))


def _careful(do: Callable[[], _T], look: Callable[[], _T | None]) -> _T:
    """Do something that may have been done although it failed: look before doing it once more."""
    try:
        return do()
    except Uncertain:
        found = look()
        return do() if found is None else found
