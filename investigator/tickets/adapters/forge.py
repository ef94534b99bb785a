"""What GitHub and Gitea have in common: both speak of issues alike. The fingerprint stands in the body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from investigator.tickets.adapters.common import picked, project, rows, table
from investigator.tickets.http import Client, Request
from investigator.tickets.model import Target, Ticket


class Forge:
    """Issues of a repository; the project is `owner/repository`."""

    name: str
    #: Query for the longest list that the server gives at once; empty where its own length is as good.
    page_size: ClassVar[Mapping[str, str]] = {}

    def __init__(self, client: Client, target: Target, root: str) -> None:
        self._client, self._target = client, target
        self._repo = f"{root}/repos/{project(target, self.name, 'OWNER/REPOSITORY')}"
        self.markup = target.markup or "markdown"

    def get(self, key: str) -> Ticket:
        return self._ticket(table(self._client, f"{self._repo}/issues/{key}"))

    def comment(self, ticket: Ticket, body: str) -> None:
        self._client.send(Request("POST", f"{self._repo}/issues/{ticket.key}/comments", json={"body": body}))

    def texts(self, ticket: Ticket) -> tuple[str, ...]:
        path = f"{self._repo}/issues/{ticket.key}"
        comments = rows(self._client, f"{path}/comments", self.page_size)
        return (str(table(self._client, path).get("body") or ""), *(str(row.get("body") or "") for row in comments))

    def reopen(self, ticket: Ticket) -> None:
        self._client.send(Request("PATCH", f"{self._repo}/issues/{ticket.key}", json={"state": "open"}))

    def image(self, name: str) -> str:
        return ""

    def _ticket(self, row: Any) -> Ticket:
        number = picked(self._client, self._repo, row, "number")
        return Ticket(str(number), str(row.get("html_url", "")), row.get("state") != "closed")

    def _chosen(self, found: Iterable[Any]) -> Ticket | None:
        """An open one first."""
        tickets = [self._ticket(row) for row in found]
        return next((ticket for ticket in tickets if ticket.is_open), tickets[0] if tickets else None)
