"""What all trackers have in common: tickets, files, limits, the calls of an adapter, and how they fail."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

from investigator.errors import DeliveryProblem

#: How a tracker writes its texts.
MARKUPS = ("markdown", "textile", "jira", "plain")


class Refused(DeliveryProblem):
    """The tracker understood the request and does not take it."""


class TypeRefused(Refused):
    """The tracker does not take files of this type."""


class SizeRefused(Refused):
    """The file is larger than the tracker takes."""


class NotThere(Refused):
    """No such ticket or project, or none that the token may see."""


class Uncertain(DeliveryProblem):
    """The tracker may have done what it was asked, or not: look before asking again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server says of attachments; None where it does not tell. endings: such as `.html`, lower case."""

    max_bytes: int | None = None
    endings: tuple[str, ...] | None = None

    def takes_type(self, name: str) -> bool:
        return self.endings is None or any(name.lower().endswith(ending) for ending in self.endings)

    def takes_size(self, size_bytes: int) -> bool:
        return self.max_bytes is None or size_bytes <= self.max_bytes


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as people name it (`12`, `OPS-7`), where to see it, and whether it is still open."""

    key: str
    url: str
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class File:
    """A file to send. text: what can be read in it, as the redaction gate reads it (a packed file's content)."""

    name: str
    media_type: str
    data: bytes
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Held:
    """A file that a ticket has; the size where the tracker tells it."""

    name: str
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Where tickets go: the project as the tracker names it (a queue, `owner/repository`), and how they look."""

    project: str | None = None
    issue_type: str = "Task"
    labels: tuple[str, ...] = ()
    markup: str | None = None


class Tracker(Protocol):
    """The calls that an adapter makes of one tracker. All of them raise DeliveryProblem.

    A ticket is found by its incident's fingerprint, which the adapter puts where the tracker can search for it.
    """

    name: str
    #: One of MARKUPS.
    markup: str
    #: Whether a PNG is seen in place.
    shows_images: bool
    #: Whether files can be sent at all.
    takes_files: bool

    def limits(self) -> Limits:
        """What the server says of files; asked, not assumed."""

    def find(self, fingerprint: str) -> Ticket | None:
        """The open ticket of an incident, else its latest closed one, else None."""

    def get(self, key: str) -> Ticket:
        """A ticket by its key. Raises NotThere."""

    def create(self, title: str, body: str, fingerprint: str) -> Ticket:
        """File a ticket."""

    def comment(self, ticket: Ticket, body: str) -> None:
        """Add a comment."""

    def texts(self, ticket: Ticket) -> tuple[str, ...]:
        """The ticket's body and its comments, oldest first, as written."""

    def held(self, ticket: Ticket) -> tuple[Held, ...]:
        """The files that the ticket has."""

    def attach(self, ticket: Ticket, file: File) -> str:
        """Send a file. Returns what a comment must say for the file to be found; '' where the ticket shows it itself.

        Raises TypeRefused, SizeRefused, Refused.
        """

    def reopen(self, ticket: Ticket) -> None:
        """Open a closed ticket again."""

    def image(self, name: str) -> str:
        """Markup that shows an attached picture in a text; '' where only the upload tells its address."""

    def ways(self) -> tuple[str, ...]:
        """For a tracker that takes no report: the documented ways to bring it there."""
