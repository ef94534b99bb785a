"""What several adapters need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from investigator.errors import UsageProblem
from investigator.tickets.http import Client, Request
from investigator.tickets.model import Refused, Target

#: Stands for the key of a ticket that a dry run did not file.
NEW = "NEW"
_MAX_PAGES = 20


def project(target: Target, tracker: str, example: str) -> str:
    """The project, without which this tracker has no tickets. Raises UsageProblem."""
    if not target.project:
        raise UsageProblem(f"{tracker} needs a project", hint=f"give --project {example}")
    return target.project


def get(client: Client, path: str, query: Mapping[str, str] | None = None) -> Any:
    """The JSON at a path."""
    return client.send(Request("GET", path, query or {})).json


def table(client: Client, path: str, query: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    """The JSON object at a path. Raises Refused for anything else."""
    found = get(client, path, query)
    if not isinstance(found, Mapping):
        raise unexpected(client, path)
    return found


def listed(client: Client, path: str, query: Mapping[str, str] | None = None) -> list[Mapping[str, Any]]:
    """The JSON list of objects at a path; an empty answer is an empty list. Raises Refused for anything else."""
    found = get(client, path, query)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
        raise unexpected(client, path)
    return found


def rows(client: Client, path: str, query: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """The rows of a list that names its next page in a Link header."""
    for _ in range(_MAX_PAGES):
        answer = client.send(Request("GET", path, query))
        if not isinstance(answer.json, list) or not all(isinstance(row, Mapping) for row in answer.json):
            raise unexpected(client, path)
        yield from answer.json
        following = _following(answer.headers.get("Link", ""))
        if following is None:
            return
        query = following


def _following(link: str) -> dict[str, str] | None:
    """The query of the next page."""
    for part in link.split(","):
        address, _, relation = part.partition(";")
        if 'rel="next"' in relation:
            return dict(parse_qsl(urlsplit(address.strip(" <>")).query))
    return None


def unexpected(client: Client, path: str) -> Refused:
    """The error for an answer of another shape than documented."""
    return Refused(
        f"{client.base_url}{path} answered in an unknown shape",
        hint="check that --to names this tracker's kind, and its version",
    )


def picked(client: Client, path: str, value: Any, *keys: str | int) -> Any:
    """A value deep in an answer. Raises Refused where the answer has another shape than documented."""
    for key in keys:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError) as error:
            raise unexpected(client, path) from error
    return value
