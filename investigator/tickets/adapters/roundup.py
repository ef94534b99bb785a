"""Roundup: https://www.roundup-tracker.org/docs/rest.html. The fingerprint stands at the end of the title."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from investigator.tickets.adapters.common import NEW, get, picked
from investigator.tickets.http import Client, Request
from investigator.tickets.model import File, Held, Limits, Target, Ticket
from investigator.tickets.secrets import Token

#: States of the delivered templates in which nobody works on an issue any more.
_CLOSED = frozenset({"resolved", "done-cbb", "closed", "done", "rejected"})


def headers(token: Token) -> dict[str, str]:
    """Name and password, or a JSON web token."""
    if token.pair is None:
        return {"Authorization": f"Bearer {token.value}"}
    return {"Authorization": f"Basic {b64encode(token.value.encode()).decode()}"}


class Roundup:
    """Roundup 2 with the schema of its classic template: issues with title, status, messages and files."""

    name = "roundup"
    shows_images = False
    takes_files = True

    def __init__(self, client: Client, target: Target) -> None:
        self._client = client
        self.markup = target.markup or "plain"

    def limits(self) -> Limits:
        """Roundup tells neither size nor types."""
        return Limits()

    def find(self, fingerprint: str) -> Ticket | None:
        found = self._data("/issue", {"title": fingerprint, "@sort": "-id", "@fields": "title,status", "@verbose": "2"})
        tickets = [self._ticket(row["id"], row.get("status")) for row in found["collection"]]
        return next((ticket for ticket in tickets if ticket.is_open), tickets[0] if tickets else None)

    def get(self, key: str) -> Ticket:
        issue = self._issue(key)
        return self._ticket(issue["id"], issue["attributes"].get("status"))

    def _ticket(self, key: object, status: Any) -> Ticket:
        name = str(status.get("name", "")) if isinstance(status, Mapping) else ""
        return Ticket(str(key), f"{self._client.base_url}/issue{key}", name not in _CLOSED)

    def create(self, title: str, body: str, fingerprint: str) -> Ticket:
        issue = {"title": f"{title} [{fingerprint}]", "messages": [self._message(body)]}
        return self._ticket(self._post("/issue", issue), None)

    def comment(self, ticket: Ticket, body: str) -> None:
        self._add(ticket, "messages", self._message(body))

    def texts(self, ticket: Ticket) -> tuple[str, ...]:
        ids = [message["id"] for message in self._issue(ticket.key)["attributes"].get("messages", ())]
        ids.sort(key=int)
        return tuple(str(self._data(f"/msg/{id_}/content", {})["data"]) for id_ in ids)

    def held(self, ticket: Ticket) -> tuple[Held, ...]:
        files = self._issue(ticket.key)["attributes"].get("files", ())
        return tuple(Held(str(self._data(f"/file/{file['id']}/name", {})["data"])) for file in files)

    def attach(self, ticket: Ticket, file: File) -> str:
        form = {"name": file.name, "type": file.media_type}
        request = Request(
            "POST",
            "/rest/data/file",
            file=file,
            part="content",
            form=form,
            headers=self._from(),
            assumed={"data": {"id": NEW}},
        )
        self._add(ticket, "files", self._id(self._client.send(request).json))
        return ""

    def reopen(self, ticket: Ticket) -> None:
        found = self._data("/status", {"@fields": "name", "@sort": "order"})["collection"]
        first = next((status for status in found if status.get("name") not in _CLOSED), None)
        if first is not None:
            self._patch(ticket, {"status": first["id"]})

    def image(self, name: str) -> str:
        return ""

    def ways(self) -> tuple[str, ...]:
        return ()

    def _message(self, body: str) -> str:
        """Make a message; its id. Roundup's interface does not fill in who wrote it when."""
        now = datetime.now(UTC).strftime("%Y-%m-%d.%H:%M:%S")
        return self._post("/msg", {"content": body, "date": now, **self._author()})

    def _author(self) -> dict[str, str]:
        """The id of the token's user; nothing for a JSON web token, which does not tell its user."""
        name = self._client.user
        found = self._data("/user", {"username": name, "@fields": "username"})["collection"] if name else ()
        return next(({"author": str(user["id"])} for user in found if user.get("username") == name), {})

    def _issue(self, key: str) -> Any:
        return self._data(f"/issue/{key}", {"@verbose": "2"})

    def _add(self, ticket: Ticket, what: str, id_: str) -> None:
        self._patch(ticket, {"@op": "add", what: id_})

    def _patch(self, ticket: Ticket, values: dict[str, Any]) -> None:
        etag = NEW if ticket.key == NEW else str(self._issue(ticket.key)["@etag"])
        self._client.send(
            Request("PATCH", f"/rest/data/issue/{ticket.key}", json=values, headers={**self._from(), "If-Match": etag})
        )

    def _post(self, path: str, values: dict[str, Any]) -> str:
        request = Request("POST", f"/rest/data{path}", json=values, headers=self._from(), assumed={"data": {"id": NEW}})
        return self._id(self._client.send(request).json)

    def _id(self, answer: Any) -> str:
        return str(picked(self._client, "/rest/data", answer, "data", "id"))

    def _data(self, path: str, query: Mapping[str, str]) -> Any:
        return picked(self._client, path, get(self._client, f"/rest/data{path}", query), "data")

    def _from(self) -> dict[str, str]:
        """What Roundup wants to see against forged requests."""
        parts = urlsplit(self._client.base_url)
        return {
            "X-Requested-With": "investigator",
            "Origin": f"{parts.scheme}://{parts.netloc}",
            "Referer": f"{self._client.base_url}/",
        }
