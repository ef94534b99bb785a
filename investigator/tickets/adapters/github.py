"""GitHub: https://docs.github.com/en/rest/issues. There is no upload for files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from investigator.tickets.adapters.common import NEW, listed, picked, table
from investigator.tickets.adapters.forge import Forge
from investigator.tickets.http import Client, Request
from investigator.tickets.model import File, Held, Limits, Refused, Target, Ticket
from investigator.tickets.secrets import Token


def headers(token: Token) -> dict[str, str]:
    """A fine-grained or classic token."""
    return {"Authorization": f"Bearer {token.value}"}


class GitHub(Forge):
    """github.com and GitHub Enterprise Server (`https://HOST/api/v3`)."""

    name = "github"
    shows_images = False
    takes_files = False

    page_size: ClassVar[Mapping[str, str]] = {"per_page": "100"}

    def __init__(self, client: Client, target: Target) -> None:
        super().__init__(client, target, "")

    def limits(self) -> Limits:
        return Limits(max_bytes=0)

    def find(self, fingerprint: str) -> Ticket | None:
        """The newest issues are looked through first: the search lags behind."""
        query = {"state": "all", "sort": "created", "direction": "desc", **self.page_size}
        newest = listed(self._client, f"{self._repo}/issues", query)
        found = [row for row in newest if fingerprint in str(row.get("body") or "") and "pull_request" not in row]
        if not found:
            words = f'"{fingerprint}" in:body type:issue repo:{self._repo.removeprefix("/repos/")}'
            answer = table(self._client, "/search/issues", {"q": words, "sort": "created", "order": "desc"})
            found = picked(self._client, "/search/issues", answer, "items")
        return self._chosen(found)

    def create(self, title: str, body: str, fingerprint: str) -> Ticket:
        values: dict[str, Any] = {"title": title[:256], "body": body}
        if self._target.labels:
            values["labels"] = list(self._target.labels)
        made = Request("POST", f"{self._repo}/issues", json=values, assumed={"number": NEW, "html_url": ""})
        return self._ticket(self._client.send(made).json)

    def held(self, ticket: Ticket) -> tuple[Held, ...]:
        return ()

    def attach(self, ticket: Ticket, file: File) -> str:
        raise Refused("GitHub has no upload for files", hint=" or ".join(self.ways()))

    def ways(self) -> tuple[str, ...]:
        return (
            "in a workflow, actions/upload-artifact@v7 with `archive: false` keeps an HTML file that browsers open",
            "`gh gist create FILE` keeps it as a secret gist, which shows its source",
            "drag FILE.gz into a comment in the browser",
        )
