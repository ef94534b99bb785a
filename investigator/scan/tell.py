"""What people are told of a night: the message, its delivery, and what is kept for the next time."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

from investigator.casefile.case import Case
from investigator.config import Notify
from investigator.report.redact import Redactor
from investigator.report.text import plural
from investigator.scan.book import Book, Undelivered
from investigator.scan.notify import Message, send, worth_telling
from investigator.scan.overview import said, warning_text
from investigator.scan.run import Outcome


def message(outcome: Outcome) -> tuple[str, str]:
    """(title, body) of a night: masked, plain text."""
    counts = {change: sum(t.change == change for t in outcome.told) for change in ("new", "worse", "gone")}
    title = ", ".join(f"{count} {change}" for change, count in counts.items() if count) or "no change"
    body = [f"{told.change}: {told.seen.title} ({_where(told.seen.model, told.seen.place)})\n  {told.seen.sentence}"
            for told in outcome.told if told.change != "continuing"]  # fmt: skip
    continuing = sum(told.change == "continuing" for told in outcome.told)
    body += [plural(continuing, "continuing incident")] if continuing else []
    body += [f"close to a limit: {warning_text(warning)}" for warning in outcome.warnings]
    for drop in outcome.drops:
        m = drop.measure
        change = f"{said(m.kind, m.value)}, usually {said(m.kind, drop.usual)}"
        body.append(f"slower than usual: {m.kind} of {_where(m.model, m.place)}: {change}")
    body += [f"problem: {problem}" for problem in outcome.problems]
    body.append(f"pages: {outcome.reports / 'index.html'}")
    clean = Redactor()
    return clean.mask(f"investigator: {title}"), clean.mask("\n".join(body))


def _where(model: str | None, place: str) -> str:
    return f"{model} in {place}" if model and place else model or place


def tell(case: Case, outcome: Outcome, notify: Notify) -> tuple[str, ...]:
    """Send tonight's message, if the configuration asks for it, and what earlier nights could not send.

    Returns what went wrong, in words; nothing is lost by it: the message waits in the case. Raises DeliveryProblem when
    there is something to send and apprise is not installed.
    """
    book = Book(case)
    services = {_service(url): url for url in notify.urls}
    waiting = [late for late in book.undelivered() if late.service in services]
    if worth_telling(outcome.told, notify.when, len(outcome.warnings) + len(outcome.drops)):
        title, body = message(outcome)
        attachment = str(outcome.reports / outcome.pages[0]) if notify.attach and outcome.pages else None
        tonight = [Undelivered(outcome.night, service, title, body, attachment) for service in services]
        # Kept first: a scan that is killed while it tells has not told.
        for each in tonight:
            book.keep_for_later(each)
        waiting += tonight
    return tuple(_deliver(book, waiting, services))


def _deliver(book: Book, waiting: Sequence[Undelivered], services: dict[str, str]) -> list[str]:
    trouble = []
    for late in waiting:
        attachment = Path(late.attachment) if late.attachment and Path(late.attachment).is_file() else None
        if send([services[late.service]], Message(late.title, late.body, attachment)):
            place = list(services).index(late.service) + 1
            trouble.append(
                f"notification URL {place} did not take the message of night {late.night}; tried again next time"
            )
        else:
            book.delivered(late)
    return trouble


def _service(url: str) -> str:
    return blake2b(url.encode(), digest_size=6).hexdigest()
