"""GitLab: https://docs.gitlab.com/api/issues/. The fingerprint stands in the description."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from investigator.tickets.adapters.common import NEW, listed, picked, project, rows, table
from investigator.tickets.http import Client, Request
from investigator.tickets.model import File, Held, Limits, Target, Ticket
from investigator.tickets.secrets import Token

#: What an upload becomes in a text.
_UPLOADED = re.compile(r"\[([^\]\n]+)\]\(\S*/uploads/[^)\s]+\)")


def headers(token: Token) -> dict[str, str]:
    """A personal, project or group access token with the scope `api`."""
    return {"PRIVATE-TOKEN": token.value}


class GitLab:
    """gitlab.com and self-managed servers. The project is `group/name` or its number."""

    name = "gitlab"
    shows_images = True
    takes_files = True

    def __init__(self, client: Client, target: Target) -> None:
        self._client, self._target = client, target
        self._path = f"/api/v4/projects/{quote(project(target, self.name, 'GROUP/NAME'), safe='')}"
        self.markup = target.markup or "markdown"

    def limits(self) -> Limits:
        """GitLab tells its limit to administrators only; a file over it is refused with 413."""
        return Limits()

    def find(self, fingerprint: str) -> Ticket | None:
        query = {"search": fingerprint, "in": "description", "order_by": "created_at", "sort": "desc", "scope": "all"}
        tickets = [self._ticket(row) for row in listed(self._client, f"{self._path}/issues", query)]
        return next((ticket for ticket in tickets if ticket.is_open), tickets[0] if tickets else None)

    def get(self, key: str) -> Ticket:
        return self._ticket(table(self._client, f"{self._path}/issues/{key}"))

    def _ticket(self, row: Any) -> Ticket:
        number = picked(self._client, self._path, row, "iid")
        return Ticket(str(number), str(row.get("web_url", "")), row.get("state") != "closed")

    def create(self, title: str, body: str, fingerprint: str) -> Ticket:
        values = {"title": title[:255], "description": body, "labels": ",".join(self._target.labels)}
        made = Request("POST", f"{self._path}/issues", json=values, assumed={"iid": NEW})
        return self._ticket(self._client.send(made).json)

    def comment(self, ticket: Ticket, body: str) -> None:
        self._client.send(Request("POST", f"{self._path}/issues/{ticket.key}/notes", json={"body": body}))

    def texts(self, ticket: Ticket) -> tuple[str, ...]:
        path = f"{self._path}/issues/{ticket.key}"
        notes = rows(self._client, f"{path}/notes", {"sort": "asc", "per_page": "100"})
        written = tuple(str(note.get("body") or "") for note in notes if not note.get("system"))
        return (str(table(self._client, path).get("description") or ""), *written)

    def held(self, ticket: Ticket) -> tuple[Held, ...]:
        """An upload belongs to an issue only by a text that links it."""
        return tuple(Held(name) for text in self.texts(ticket) for name in _UPLOADED.findall(text))

    def attach(self, ticket: Ticket, file: File) -> str:
        path = f"{self._path}/uploads"
        assumed = {"markdown": f"[{file.name}](/uploads/{NEW}/{file.name})"}
        done = self._client.send(Request("POST", path, file=file, part="file", assumed=assumed)).json
        return str(picked(self._client, path, done, "markdown"))

    def reopen(self, ticket: Ticket) -> None:
        self._client.send(Request("PUT", f"{self._path}/issues/{ticket.key}", json={"state_event": "reopen"}))

    def image(self, name: str) -> str:
        return ""

    def ways(self) -> tuple[str, ...]:
        return ()
