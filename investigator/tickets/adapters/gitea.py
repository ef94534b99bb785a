"""Gitea and Forgejo: https://docs.gitea.com/development/api-usage."""

from __future__ import annotations

from investigator.tickets.adapters.common import NEW, listed, picked, table
from investigator.tickets.adapters.forge import Forge
from investigator.tickets.http import Client, Request
from investigator.tickets.model import File, Held, Limits, Target, Ticket
from investigator.tickets.secrets import Token

_API = "/api/v1"


def headers(token: Token) -> dict[str, str]:
    """A token with the right `write:issue`."""
    return {"Authorization": f"token {token.value}"}


class Gitea(Forge):
    """Gitea and Forgejo."""

    name = "gitea"
    shows_images = True
    takes_files = True

    def __init__(self, client: Client, target: Target) -> None:
        super().__init__(client, target, _API)

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
        return self._chosen(row for row in found if fingerprint in str(row.get("body") or ""))

    def create(self, title: str, body: str, fingerprint: str) -> Ticket:
        values = {"title": title[:255], "body": body}
        made = Request("POST", f"{self._repo}/issues", json=values, assumed={"number": NEW})
        return self._ticket(self._client.send(made).json)

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
