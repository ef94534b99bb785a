"""Request Tracker: https://docs.bestpractical.com/rt/5.0/RT/REST2.html. The fingerprint stands in the subject."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

from investigator.tickets.adapters.common import NEW, get, picked
from investigator.tickets.http import Client, Request
from investigator.tickets.model import File, Held, Limits, Target, Ticket
from investigator.tickets.secrets import Token

_BASE = "/REST/2.0"
#: Comments that are looked through for a report of ours.
_LATEST = 40


def headers(token: Token) -> dict[str, str]:
    """A token of RT::AuthToken."""
    return {"Authorization": f"token {token.value}"}


class RequestTracker:
    """Request Tracker 5, whose REST2 is part of it. The project is a queue."""

    name = "rt"
    shows_images = True
    takes_files = True

    def __init__(self, client: Client, target: Target) -> None:
        self._client, self._queue = client, target.project or "General"
        self.markup = target.markup or "plain"

    def limits(self) -> Limits:
        """RT does not tell its MaxAttachmentSize."""
        return Limits()

    def find(self, fingerprint: str) -> Ticket | None:
        queue = self._queue.replace("\\", "\\\\").replace("'", "\\'")
        wanted = f"Queue = '{queue}' AND Subject LIKE '{fingerprint}'"
        return self._first(f"{wanted} AND Status = '__Active__'", True) or self._first(wanted, False)

    def get(self, key: str) -> Ticket:
        get(self._client, f"{_BASE}/ticket/{key}")
        return self._first(f"id = {int(key)} AND Status = '__Active__'", True) or self._ticket(key, False)

    def _first(self, query: str, is_open: bool) -> Ticket | None:
        found = self._items("/tickets", {"query": query, "orderby": "id", "order": "DESC", "per_page": "1"})
        return self._ticket(found[0]["id"], is_open) if found else None

    def _ticket(self, key: object, is_open: bool) -> Ticket:
        return Ticket(str(key), f"{self._client.base_url}/Ticket/Display.html?id={key}", is_open)

    def create(self, title: str, body: str, fingerprint: str) -> Ticket:
        # RT cuts subjects at 200 characters, and the fingerprint must stay.
        subject = f"{title[:180]} [{fingerprint}]"
        values = {"Queue": self._queue, "Subject": subject, "Content": body, "ContentType": "text/plain"}
        path = f"{_BASE}/ticket"
        done = self._client.send(Request("POST", path, json=values, assumed={"id": NEW})).json
        return self._ticket(picked(self._client, path, done, "id"), True)

    def comment(self, ticket: Ticket, body: str) -> None:
        self._comment(ticket, {"Content": body, "ContentType": "text/plain"}, ())

    def texts(self, ticket: Ticket) -> tuple[str, ...]:
        """The first text and the latest ones: RT gives each only by a request of its own."""
        ids = [
            str(row["id"])
            for row in self._attachments(ticket)
            if not row.get("Filename") and str(row.get("ContentType", "")).startswith("text/")
        ]
        return tuple(self._text(id_) for id_ in [*ids[:1], *ids[1:][-_LATEST:]])

    def _text(self, id_: str) -> str:
        content = str(get(self._client, f"{_BASE}/attachment/{id_}").get("Content") or "")
        try:
            return b64decode("".join(content.split()), validate=True).decode("utf-8")
        except ValueError:
            # Some releases give text as it is.
            return content

    def held(self, ticket: Ticket) -> tuple[Held, ...]:
        names = (str(row["Filename"]) for row in self._attachments(ticket) if row.get("Filename"))
        return tuple(Held(name) for name in names)

    def attach(self, ticket: Ticket, file: File) -> str:
        content = b64encode(file.data).decode()
        attachment = {"FileName": file.name, "FileType": file.media_type, "FileContent": content}
        values = {"Content": f"Attached: {file.name}", "ContentType": "text/plain", "Attachments": [attachment]}
        self._comment(ticket, values, (file,))
        return ""

    def reopen(self, ticket: Ticket) -> None:
        self._client.send(Request("PUT", f"{_BASE}/ticket/{ticket.key}", json={"Status": "open"}))

    def image(self, name: str) -> str:
        return ""

    def ways(self) -> tuple[str, ...]:
        return ()

    def _comment(self, ticket: Ticket, values: dict[str, Any], carries: tuple[File, ...]) -> None:
        self._client.send(Request("POST", f"{_BASE}/ticket/{ticket.key}/comment", json=values, carries=carries))

    def _attachments(self, ticket: Ticket) -> list[Any]:
        query = {"fields": "Filename,ContentType", "per_page": "100"}
        return sorted(self._items(f"/ticket/{ticket.key}/attachments", query), key=lambda row: int(row["id"]))

    def _items(self, path: str, query: dict[str, str]) -> list[Any]:
        path = _BASE + path
        items: list[Any] = []
        for page in range(1, 20):
            answer = get(self._client, path, {**query, "page": str(page)})
            items += picked(self._client, path, answer, "items")
            if ("per_page" in query and len(items) >= int(answer.get("total") or 0)) or query.get("per_page") == "1":
                break
        return items
