"""Gitea and Forgejo: https://docs.gitea.com/development/api-usage. The fingerprint stands in the body."""

from __future__ import annotations

from typing import Any

from investigator.tickets.adapters.common import NEW, listed, picked, project, rows, table
from investigator.tickets.http import Client, Request
from investigator.tickets.model import File, Held, Limits, Target, Ticket
from investigator.tickets.secrets import Token

_API = "/api/v1"


def headers(token: Token) -> dict[str, str]:
    """A token with the right `write:issue`."""
    return {"Authorization": f"token {token.value}"}


class Gitea:
    """Gitea and Forgejo. The project is `owner/repository`."""

    name = "gitea"
    shows_images = True
    takes_files = True

    def __init__(self, client: Client, target: Target) -> None:
        self._client = client
        self._repo = f"{_API}/repos/{project(target, self.name, 'OWNER/REPOSITORY')}"
        self.markup = target.markup or "markdown"

    def limits(self) -> Limits:
        path = f"{_API}/settings/attachment"
        told = table(self._client, path)
        if not picked(self._client, path, told, "enabled"):
            return Limits(max_bytes=0)
        types = [item.strip().lower() for item in str(told.get("allowed_types") or "").split(",") if item.strip()]
        megabytes = told.get("max_size")
        return Limits(None if megabytes is None else int(megabytes) * 2**20, _endings(types))

    def find(self, fingerprint: str) -> Ticket | None:
        query = {"state": "all", "type": "issues", "limit": "50"}
        path = f"{self._repo}/issues"
        # The search may lag behind, so the newest issues are looked through as well.
        found = [*listed(self._client, path, {**query, "q": fingerprint}), *listed(self._client, path, query)]
        tickets = [self._ticket(row) for row in found if fingerprint in str(row.get("body") or "")]
        return next((ticket for ticket in tickets if ticket.is_open), tickets[0] if tickets else None)

    def get(self, key: str) -> Ticket:
        return self._ticket(table(self._client, f"{self._repo}/issues/{key}"))

    def _ticket(self, row: Any) -> Ticket:
        number = picked(self._client, self._repo, row, "number")
        return Ticket(str(number), str(row.get("html_url", "")), row.get("state") != "closed")

    def create(self, title: str, body: str, fingerprint: str) -> Ticket:
        values = {"title": title[:255], "body": body}
        made = Request("POST", f"{self._repo}/issues", json=values, assumed={"number": NEW})
        return self._ticket(self._client.send(made).json)

    def comment(self, ticket: Ticket, body: str) -> None:
        self._client.send(Request("POST", f"{self._repo}/issues/{ticket.key}/comments", json={"body": body}))

    def texts(self, ticket: Ticket) -> tuple[str, ...]:
        path = f"{self._repo}/issues/{ticket.key}"
        comments = rows(self._client, f"{path}/comments", {})
        return (str(table(self._client, path).get("body") or ""), *(str(row.get("body") or "") for row in comments))

    def held(self, ticket: Ticket) -> tuple[Held, ...]:
        found = listed(self._client, f"{self._repo}/issues/{ticket.key}/assets")
        return tuple(Held(str(row["name"]), row.get("size")) for row in found)

    def attach(self, ticket: Ticket, file: File) -> str:
        path = f"{self._repo}/issues/{ticket.key}/assets"
        assumed = {"browser_download_url": f"{self._client.base_url}/attachments/{NEW}"}
        done = self._client.send(
            Request("POST", path, {"name": file.name}, file=file, part="attachment", assumed=assumed)
        ).json
        if not file.media_type.startswith("image/"):
            return ""
        return f"![timeline]({picked(self._client, path, done, 'browser_download_url')})"

    def reopen(self, ticket: Ticket) -> None:
        self._client.send(Request("PATCH", f"{self._repo}/issues/{ticket.key}", json={"state": "open"}))

    def image(self, name: str) -> str:
        return ""

    def ways(self) -> tuple[str, ...]:
        return ()


def _endings(types: list[str]) -> tuple[str, ...] | None:
    """Endings that are allowed; None for all. Media types are told beside endings: those of ours are translated."""
    if not types or "*/*" in types or "*" in types:
        return None
    known: dict[str, str] = {
        "text/html": ".html", "text/*": ".html", "application/gzip": ".gz", "application/x-gzip": ".gz",
        "application/zip": ".zip", "image/png": ".png", "image/*": ".png",
    }  # fmt: skip
    return tuple(known.get(item, item) for item in types)
