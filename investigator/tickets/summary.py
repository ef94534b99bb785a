"""What a ticket says in place: verdict, sum, fix, how to open the report; at most 4 KB, the log's words as text."""

from __future__ import annotations

from collections.abc import Iterable

from investigator.report.text import clipped
from investigator.tickets.markup import Marker, Markup
from investigator.tickets.reading import Fix, Reading

MAX_BYTES = 4_096
_MAX_STEPS = 12
_MAX_FIX_CHARS = 500


def title(reading: Reading) -> str:
    """The ticket's title: one line, nothing in it that a tracker would link."""
    return clipped(" ".join(reading.title.replace("@", "@ ").replace("#", "# ").split()), 160)


def body(reading: Reading, markup: Markup, marker: Marker, opening: str, picture: str = "", before: str = "") -> str:
    """The summary of a new ticket. opening: how to open the report; before: the closed ticket that it follows."""
    head = [markup.heading(markup.text(f"{reading.verdict}: {reading.title}"))]
    if before:
        head.append(f"Seen before in {before}, which is closed.")
    return _fitted([*head, *_told(reading, markup)], [picture, opening, markup.marker(marker)])


def change(reading: Reading, markup: Markup, marker: Marker, opening: str, known: Marker | None) -> str:
    """The comment on a ticket that is there: what is different now, then the summary."""
    if known is None:
        news = "investigator has a report on this."
    elif known.state == marker_state(reading):
        news = f"Seen again; the numbers are the same: {markup.text(reading.state)}."
    else:
        rows = [
            f"{markup.strong('before')}: {markup.text(known.state)}",
            f"{markup.strong('now')}: {markup.text(reading.state)}",
        ]
        news = "Seen again, and changed:\n\n" + markup.items(rows)
    return _fitted([news, *_told(reading, markup)], [opening, markup.marker(marker)])


def marker_state(reading: Reading) -> str:
    """The state as it comes back out of a marker."""
    return str(Marker("", "", reading.state)).partition("state=")[2]


def _told(reading: Reading, markup: Markup) -> Iterable[str]:
    yield markup.text(clipped(reading.sentence, 900))
    if reading.tiles or reading.severity:
        facts = ([f"severity {markup.strong(markup.text(reading.severity))}"] if reading.severity else []) + [
            f"{markup.strong(markup.text(value))} {markup.text(label)}" for value, label in reading.tiles
        ]
        yield " · ".join(facts)
    if reading.sums:
        rows = [
            (markup.text(clipped(s.say, 120)), markup.inline(clipped(s.expr, 90)), markup.strong(markup.text(s.value)))
            for s in reading.sums[:_MAX_STEPS]
        ]
        yield f"{markup.strong('The sum')}:\n\n{markup.table(rows)}"
    if reading.remedy:
        yield f"{markup.strong('Smallest change that would have saved it')}: {markup.text(reading.remedy)}"
    for fix in reading.fixes:
        yield _fix(fix, markup)
    if reading.incidents > 1:
        yield f"The report tells of {reading.incidents} incidents; this is the first."


def _fix(fix: Fix, markup: Markup) -> str:
    head = f"{markup.strong(markup.text(fix.title))} – {markup.text(fix.where)}"
    if not fix.text:
        return head
    return f"{head}\n\n{markup.block(clipped(fix.text, _MAX_FIX_CHARS))}"


def _fitted(blocks: Iterable[str], tail: list[str]) -> str:
    """As many blocks as fit beside the tail, in their order; one that does not fit is left out."""
    tail = [part for part in tail if part]
    left = MAX_BYTES - sum(len(part.encode()) + 2 for part in tail)
    taken = []
    for block in blocks:
        size_bytes = len(block.encode()) + 2
        if size_bytes <= left:
            taken.append(block)
            left -= size_bytes
    return "\n\n".join([*taken, *tail])
