"""Redmine: https://www.redmine.org/projects/redmine/wiki/Rest_api. The fingerprint stands in the description."""

from __future__ import annotations

from typing import Any

from investigator.tickets.adapters.common import NEW, get, picked, project
from investigator.tickets.http import Client, Request
from investigator.tickets.model import File, Held, Limits, NotThere, Target, Ticket
from investigator.tickets.secrets import Token


def headers(token: Token) -> dict[str, str]:
    """The key of the user's account page."""
    return {"X-Redmine-API-Key": token.value}


class Redmine:
    """Redmine 5 and later."""

    name = "redmine"
    shows_images = True
    takes_files = True

    def __init__(self, client: Client, target: Target) -> None:
        self._client, self._project = client, project(target, self.name, "IDENTIFIER")
        # Redmine does not tell which markup its administrator chose; Textile is what it is delivered with up to 5.
        self.markup = target.markup or "textile"

    def limits(self) -> Limits:
        """Redmine tells neither size nor types."""
        return Limits()

    def find(self, fingerprint: str) -> Ticket | None:
        query = {"project_id": self._project, "description": f"~{fingerprint}", "sort": "id:desc", "limit": "1"}
        for status in ("open", "closed"):
            found = self._issues({**query, "status_id": status})
            if found:
                return self._ticket(found[0]["id"], status == "open")
        return None

    def get(self, key: str) -> Ticket:
        for status in ("open", "closed"):
            if self._issues({"issue_id": key, "status_id": status}):
                return self._ticket(key, status == "open")
        raise NotThere(f"there is no issue {key} at {self._client.base_url}", hint="check the number and the token")

    def _issues(self, query: dict[str, str]) -> Any:
        return picked(self._client, "/issues.json", get(self._client, "/issues.json", query), "issues")

    def _ticket(self, key: object, is_open: bool) -> Ticket:
        return Ticket(str(key), f"{self._client.base_url}/issues/{key}", is_open)

    def create(self, title: str, body: str, fingerprint: str) -> Ticket:
        issue = {"project_id": self._project, "subject": title[:255], "description": body}
        done = self._client.send(
            Request("POST", "/issues.json", json={"issue": issue}, assumed={"issue": {"id": NEW}})
        ).json
        return self._ticket(picked(self._client, "/issues.json", done, "issue", "id"), True)

    def comment(self, ticket: Ticket, body: str) -> None:
        self._change(ticket, {"notes": body})

    def texts(self, ticket: Ticket) -> tuple[str, ...]:
        issue = self._issue(ticket, "journals")
        notes = (str(journal.get("notes") or "") for journal in issue.get("journals", ()))
        return (str(issue.get("description") or ""), *filter(None, notes))

    def held(self, ticket: Ticket) -> tuple[Held, ...]:
        files = self._issue(ticket, "attachments").get("attachments", ())
        return tuple(Held(str(file["filename"]), file.get("filesize")) for file in files)

    def attach(self, ticket: Ticket, file: File) -> str:
        path = "/uploads.json"
        kind = {"Content-Type": "application/octet-stream"}
        upload = Request(
            "POST", path, {"filename": file.name}, file=file, headers=kind, assumed={"upload": {"token": "TOKEN"}}
        )
        token = picked(self._client, path, self._client.send(upload).json, "upload", "token")
        self._change(ticket, {"uploads": [{"token": token, "filename": file.name, "content_type": file.media_type}]})
        return ""

    def reopen(self, ticket: Ticket) -> None:
        path = "/issue_statuses.json"
        statuses = picked(self._client, path, get(self._client, path), "issue_statuses")
        first = next((status for status in statuses if not status.get("is_closed")), None)
        if first is not None:
            self._change(ticket, {"status_id": first["id"]})

    def image(self, name: str) -> str:
        return f"![timeline]({name})" if self.markup == "markdown" else f"!{name}!"

    def ways(self) -> tuple[str, ...]:
        return ()

    def _issue(self, ticket: Ticket, include: str) -> Any:
        path = f"/issues/{ticket.key}.json"
        return picked(self._client, path, get(self._client, path, {"include": include}), "issue")

    def _change(self, ticket: Ticket, issue: dict[str, Any]) -> None:
        self._client.send(Request("PUT", f"/issues/{ticket.key}.json", json={"issue": issue}))
