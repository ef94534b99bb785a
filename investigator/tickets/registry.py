"""Which trackers there are, and how one is reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from investigator.errors import UsageProblem
from investigator.report.redact_rules import UserRule
from investigator.tickets.adapters import gitea, github, gitlab, jira, redmine, roundup, rt
from investigator.tickets.http import Client
from investigator.tickets.model import Target, Tracker
from investigator.tickets.secrets import Token, token


class Kind(NamedTuple):
    """A kind of tracker: its adapter, its headers with the token, and its address where there is only one."""

    adapter: Callable[[Client, Target], Tracker]
    headers: Callable[[Token], dict[str, str]]
    url: str | None = None


TRACKERS: Mapping[str, Kind] = {
    "redmine": Kind(redmine.Redmine, redmine.headers),
    "roundup": Kind(roundup.Roundup, roundup.headers),
    "rt": Kind(rt.RequestTracker, rt.headers),
    "jira": Kind(jira.Jira, jira.headers),
    "github": Kind(github.GitHub, github.headers, "https://api.github.com"),
    "gitlab": Kind(gitlab.GitLab, gitlab.headers, "https://gitlab.com"),
    "gitea": Kind(gitea.Gitea, gitea.headers),
}


def address(name: str, url: str | None) -> str:
    """The tracker's address. Raises UsageProblem when it is not known."""
    found = url or TRACKERS[name].url
    if found is None:
        raise UsageProblem(f"where is {name}?", hint=f"give its address: --url https://{name}.example.org")
    return found


def connect(
    name: str,
    url: str | None,
    target: Target,
    *,
    environment: Mapping[str, str] | None = None,
    show: Callable[[str], None] | None = None,
    extra: tuple[UserRule, ...] = (),
) -> Tracker:
    """The adapter of a tracker, ready to use. Raises UsageProblem: no token, no address, no project."""
    kind, secret = TRACKERS[name], token(name, environment)
    client = Client(address(name, url), secret, kind.headers(secret), show=show, extra=extra)
    return kind.adapter(client, target)
