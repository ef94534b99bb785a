"""Jira Cloud and Data Center: https://developer.atlassian.com/cloud/jira/platform/rest/v2/. Found again by a label."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from investigator.tickets.adapters.common import NEW, picked, project, table
from investigator.tickets.http import Client, Request
from investigator.tickets.model import File, Held, Limits, Target, Ticket
from investigator.tickets.secrets import Token

_API = "/rest/api/2"


def headers(token: Token) -> dict[str, str]:
    """Cloud: e-mail and API token; Data Center: a personal access token."""
    if token.pair is None:
        return {"Authorization": f"Bearer {token.value}"}
    return {"Authorization": f"Basic {b64encode(token.value.encode()).decode()}"}


class Jira:
    """Version 2 of the interface, which takes wiki markup in Cloud and Data Center alike."""

    name = "jira"
    shows_images = True
    takes_files = True

    def __init__(self, client: Client, target: Target) -> None:
        self._client, self._target = client, target
        self._project = project(target, self.name, "KEY")
        self.markup = target.markup or "jira"

    def limits(self) -> Limits:
        meta = table(self._client, f"{_API}/attachment/meta")
        if not picked(self._client, f"{_API}/attachment/meta", meta, "enabled"):
            return Limits(max_bytes=0)
        return Limits(max_bytes=meta.get("uploadLimit"))

    def find(self, fingerprint: str) -> Ticket | None:
        # Cloud has only the newer path, Data Center only the older one.
        path = f"{_API}/search/jql" if self._is_cloud() else f"{_API}/search"
        name = self._project.replace("\\", "\\\\").replace('"', '\\"')
        jql = f'project = "{name}" AND labels = "{_label(fingerprint)}" ORDER BY created DESC'
        found = picked(self._client, path, table(self._client, path, {"jql": jql, "fields": "status"}), "issues")
        tickets = [self._ticket(issue) for issue in found]
        return next((ticket for ticket in tickets if ticket.is_open), tickets[0] if tickets else None)

    def _is_cloud(self) -> bool:
        return bool(table(self._client, f"{_API}/serverInfo").get("deploymentType") == "Cloud")

    def get(self, key: str) -> Ticket:
        return self._ticket(self._issue(key, "status"))

    def _ticket(self, issue: Any) -> Ticket:
        key = str(picked(self._client, _API, issue, "key"))
        done = picked(self._client, _API, issue, "fields", "status", "statusCategory", "key") == "done"
        return Ticket(key, f"{self._client.base_url}/browse/{key}", not done)

    def create(self, title: str, body: str, fingerprint: str) -> Ticket:
        fields = {
            "project": {"key": self._project},
            "summary": title[:255],
            "description": body,
            "issuetype": {"name": self._target.issue_type},
            "labels": [*self._target.labels, _label(fingerprint)],
        }
        path = f"{_API}/issue"
        done = self._client.send(
            Request("POST", path, json={"fields": fields}, assumed={"key": f"{self._project}-{NEW}"})
        )
        key = str(picked(self._client, path, done.json, "key"))
        return Ticket(key, f"{self._client.base_url}/browse/{key}")

    def comment(self, ticket: Ticket, body: str) -> None:
        self._client.send(Request("POST", f"{_API}/issue/{ticket.key}/comment", json={"body": body}))

    def texts(self, ticket: Ticket) -> tuple[str, ...]:
        fields = self._issue(ticket.key, "description,comment")["fields"]
        comments = (fields.get("comment") or {}).get("comments", ())
        return (str(fields.get("description") or ""), *(str(comment.get("body") or "") for comment in comments))

    def held(self, ticket: Ticket) -> tuple[Held, ...]:
        files = self._issue(ticket.key, "attachment")["fields"].get("attachment") or ()
        return tuple(Held(str(file["filename"]), file.get("size")) for file in files)

    def attach(self, ticket: Ticket, file: File) -> str:
        path = f"{_API}/issue/{ticket.key}/attachments"
        # Without this header Jira takes an upload for a forged one.
        self._client.send(Request("POST", path, file=file, part="file", headers={"X-Atlassian-Token": "no-check"}))
        return ""

    def reopen(self, ticket: Ticket) -> None:
        path = f"{_API}/issue/{ticket.key}/transitions"
        for transition in picked(self._client, path, table(self._client, path), "transitions"):
            if transition.get("to", {}).get("statusCategory", {}).get("key") != "done":
                self._client.send(Request("POST", path, json={"transition": {"id": transition["id"]}}))
                return

    def image(self, name: str) -> str:
        return f"!{name}|width=800!"

    def ways(self) -> tuple[str, ...]:
        return ()

    def _issue(self, key: str, fields: str) -> Any:
        path = f"{_API}/issue/{key}"
        issue = table(self._client, path, {"fields": fields})
        picked(self._client, path, issue, "fields")
        return issue


def _label(fingerprint: str) -> str:
    return f"investigator-{fingerprint}"
