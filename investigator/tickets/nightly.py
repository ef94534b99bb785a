"""Tickets as a step of `scan`: those of tonight's incidents, and what earlier nights could not deliver."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from investigator.config import Config
from investigator.errors import DeliveryProblem, InvestigatorError
from investigator.scan.nights import Told
from investigator.scan.run import Outcome
from investigator.tickets.book import Book, Place
from investigator.tickets.ladder import Order, deliver
from investigator.tickets.ladder import Outcome as Delivered
from investigator.tickets.model import Target, Tracker
from investigator.tickets.reading import read_report
from investigator.tickets.registry import address, connect

_WANTED = {
    "new": ("new",),
    "worse": ("new", "worse"),
    "always": ("new", "worse", "continuing", "better"),
    "never": (),
}


def attach_nightly(config: Config, outcome: Outcome, now: datetime, tracker: Tracker | None = None) -> tuple[str, ...]:
    """File or comment what the configuration asks for. Returns what went wrong, in words; the next scan tries again.

    tracker: instead of the one that the configuration names.
    """
    settings = config.settings.tickets
    if settings.to is None or settings.when == "never":
        return ()
    pages = {Path(page).stem: outcome.reports / page for page in outcome.pages}
    trouble = []
    try:
        book = Book(
            config.resolved(config.settings.scan.case),
            Place(settings.to, address(settings.to, settings.url), settings.project or ""),
            now,
        )
        wanted = [told for told in outcome.told if told.seen.identity in pages and _wanted(told, settings.when, book)]
        if not wanted:
            return ()
        target = Target(settings.project, settings.issue_type, settings.labels, settings.markup)
        tracker = tracker or connect(settings.to, settings.url, target)
    except InvestigatorError as error:
        return (f"tickets: {error}",)
    for told in wanted:
        identity = told.seen.identity
        try:
            html = pages[identity].read_text(encoding="utf-8")
            order = Order(identity, read_report(html, str(pages[identity])), html, closed=settings.closed)
            done = deliver_noted(order, tracker, book)
            trouble += [
                f"ticket {done.ticket.key}: {step.detail}"
                for step in done.steps
                if not step.done and step.rung != "picture"
            ]
        except (InvestigatorError, OSError) as error:
            trouble.append(f"ticket of {told.seen.title}: {error}")
    return tuple(trouble)


def deliver_noted(order: Order, tracker: Tracker, book: Book) -> Delivered:
    """Deliver, and record in the case what became of it, failures too."""
    try:
        return deliver(order, tracker, book.known(order.fingerprint), book.noting(order))
    except DeliveryProblem as error:
        book.failed(order, error.message)
        raise


def _wanted(told: Told, when: str, book: Book) -> bool:
    """What the configuration asks for, and what a night before did not bring to its end."""
    return told.change in _WANTED[when] or (told.change != "gone" and not book.finished(told.seen.identity))
