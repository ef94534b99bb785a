"""GitHub: https://docs.github.com/en/rest/issues. The fingerprint stands in the body. There is no upload for files."""

from __future__ import annotations

from typing import Any

from investigator.tickets.adapters.common import NEW, listed, picked, project, rows, table
from investigator.tickets.http import Client, Request
from investigator.tickets.model import File, Held, Limits, Refused, Target, Ticket
from investigator.tickets.secrets import Token


def headers(token: Token) -> dict[str, str]:
    """A fine-grained or classic token."""
    return {"Authorization": f"Bearer {token.value}"}


class GitHub:
    """github.com and GitHub Enterprise Server (`https://HOST/api/v3`)."""

    name = "github"
    shows_images = False
    takes_files = False

    def __init__(self, client: Client, target: Target) -> None:
        self._client, self._target = client, target
        self._repo = f"/repos/{project(target, self.name, 'OWNER/REPOSITORY')}"
        self.markup = target.markup or "markdown"

    def limits(self) -> Limits:
        return Limits(max_bytes=0)

    def find(self, fingerprint: str) -> Ticket | None:
        """The newest issues are looked through first: the search lags behind."""
        query = {"state": "all", "sort": "created", "direction": "desc", "per_page": "100"}
        newest = listed(self._client, f"{self._repo}/issues", query)
        found = [row for row in newest if fingerprint in str(row.get("body") or "") and "pull_request" not in row]
        if not found:
            words = f'"{fingerprint}" in:body type:issue repo:{self._repo.removeprefix("/repos/")}'
            answer = table(self._client, "/search/issues", {"q": words, "sort": "created", "order": "desc"})
            found = picked(self._client, "/search/issues", answer, "items")
        tickets = [self._ticket(row) for row in found]
        return next((ticket for ticket in tickets if ticket.is_open), tickets[0] if tickets else None)

    def get(self, key: str) -> Ticket:
        return self._ticket(table(self._client, f"{self._repo}/issues/{key}"))

    def _ticket(self, row: Any) -> Ticket:
        number = picked(self._client, self._repo, row, "number")
        return Ticket(str(number), str(row.get("html_url", "")), row.get("state") != "closed")

    def create(self, title: str, body: str, fingerprint: str) -> Ticket:
        values: dict[str, Any] = {"title": title[:256], "body": body}
        if self._target.labels:
            values["labels"] = list(self._target.labels)
        made = Request("POST", f"{self._repo}/issues", json=values, assumed={"number": NEW, "html_url": ""})
        return self._ticket(self._client.send(made).json)

    def comment(self, ticket: Ticket, body: str) -> None:
        self._client.send(Request("POST", f"{self._repo}/issues/{ticket.key}/comments", json={"body": body}))

    def texts(self, ticket: Ticket) -> tuple[str, ...]:
        path = f"{self._repo}/issues/{ticket.key}"
        comments = rows(self._client, f"{path}/comments", {"per_page": "100"})
        return (str(table(self._client, path).get("body") or ""), *(str(row.get("body") or "") for row in comments))

    def held(self, ticket: Ticket) -> tuple[Held, ...]:
        return ()

    def attach(self, ticket: Ticket, file: File) -> str:
        raise Refused("GitHub has no upload for files", hint=" or ".join(self.ways()))

    def reopen(self, ticket: Ticket) -> None:
        self._client.send(Request("PATCH", f"{self._repo}/issues/{ticket.key}", json={"state": "open"}))

    def image(self, name: str) -> str:
        return ""

    def ways(self) -> tuple[str, ...]:
        return (
            "in a workflow, actions/upload-artifact@v7 with `archive: false` keeps an HTML file that browsers open",
            "`gh gist create FILE` keeps it as a secret gist, which shows its source",
            "drag FILE.gz into a comment in the browser",
        )
