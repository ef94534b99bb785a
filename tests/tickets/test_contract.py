"""Jira, GitHub, GitLab and Gitea by contract: their documented shapes, and everything that may go wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import fakes
import pytest
import yaml

from investigator.errors import DeliveryProblem
from investigator.tickets import http
from investigator.tickets.http import Client
from investigator.tickets.ladder import Order, Outcome, deliver
from investigator.tickets.model import Target, Tracker
from investigator.tickets.registry import TRACKERS
from investigator.tickets.secrets import Token

FAULTS = yaml.safe_load(Path(__file__).with_name("faults.yaml").read_text(encoding="utf-8"))
KINDS = {
    "github": (fakes.GitHub, "github", "a-token-of-a-test"),
    "gitlab": (fakes.GitLab, "gitlab", "a-token-of-a-test"),
    "gitea": (fakes.Gitea, "gitea", "a-token-of-a-test"),
    "jira-cloud": (fakes.Jira, "jira", "me@example.org:a-token-of-a-test"),
    "jira-dc": (fakes.JiraDataCenter, "jira", "a-token-of-a-test"),
}


@pytest.fixture(params=KINDS)
def fake(request: pytest.FixtureRequest) -> Iterator[tuple[fakes.Fake, Tracker]]:
    """A fake and our adapter for it, which waits for nothing long."""
    kind, name, secret = KINDS[request.param]
    with serve_with(kind(), name, secret) as both:
        yield both


class serve_with:
    def __init__(self, made: fakes.Fake, name: str, secret: str) -> None:
        self._serving, self._name, self._secret = fakes.serve(made), name, Token(secret)

    def __enter__(self) -> tuple[fakes.Fake, Tracker]:
        fake = self._serving.__enter__()
        kind = TRACKERS[self._name]
        client = Client(fake.url, self._secret, kind.headers(self._secret), timeouts_s=(2.0, 0.3), backoff_s=0.0)
        return fake, kind.adapter(client, Target(fake.project))

    def __exit__(self, *error: Any) -> None:
        self._serving.__exit__(*error)


def reports(fake: fakes.Fake, issue: fakes.Issue) -> list[tuple[str, bytes]]:
    """The reports that a ticket shows: attached, or linked by its texts."""
    text = "\n".join((issue.body, *issue.comments))
    linked = [file for number, file in enumerate(fake.uploads, 1) if f"/uploads/{number:032x}/" in text]
    return [(name, data) for name, data in (*issue.files, *linked) if not name.endswith(".png")]


def test_a_whole_life(fake: tuple[fakes.Fake, Tracker], order: Callable[..., Order]) -> None:
    server, tracker = fake
    fingerprint = uuid4().hex[:12]
    deliver(order(uuid4().hex[:12]), tracker)
    first = deliver(order(fingerprint), tracker)
    issue = next(issue for issue in server.issues if issue.key == first.ticket.key)
    assert first.delivered and len(issue.body.encode()) <= 4_096 and "15,688 tokens" in issue.body
    if tracker.takes_files:
        ((name, data),) = reports(server, issue)
        assert order(fingerprint).stem in name
        assert name.endswith(".gz") or data == order(fingerprint).html.encode()
    else:
        assert "gist" in issue.body

    before = server.writes()
    again = deliver(order(fingerprint), tracker)
    assert again.ticket.key == first.ticket.key and server.writes() == before

    deliver(order(fingerprint, 17), tracker)
    assert "17 min" in issue.comments[-1] and "before" in issue.comments[-1]
    assert len(reports(server, issue)) == (2 if tracker.takes_files else 0)

    issue.is_open = False
    deliver(order(fingerprint, 17), tracker)
    assert not issue.is_open, "the report is the one that it was closed with"
    deliver(order(fingerprint, 18), tracker)
    assert issue.is_open and "18 min" in issue.comments[-1]

    issue.is_open = False
    linked = deliver(order(fingerprint, 19, closed="link"), tracker)
    assert linked.ticket.key != issue.key and not issue.is_open and len(server.issues) == 3
    assert issue.key in server.issues[-1].body


@pytest.mark.parametrize("row", FAULTS, ids=[row["name"] for row in FAULTS])
def test_what_may_go_wrong(fake: tuple[fakes.Fake, Tracker], order: Callable[..., Order], row: dict[str, Any]) -> None:
    server, tracker = fake
    names = ("at", "status", "body", "headers", "times", "how", "before")
    server.faults = [fakes.Fault(**{name: row[name] for name in names if name in row})]
    wanted = order(uuid4().hex[:12])
    if row.get("delivered"):
        assert deliver(wanted, tracker).delivered
    else:
        with pytest.raises(DeliveryProblem) as caught:
            deliver(wanted, tracker)
        assert row["says"] in str(caught.value) and "→" in str(caught.value)
        assert "a-token-of-a-test" not in str(caught.value) and caught.value.exit_code == 4
    assert len(server.issues) == row["issues"]
    # Whatever it was: once it is over, a further run makes it right, and nothing twice.
    server.faults = []
    assert deliver(wanted, tracker).delivered
    (issue,) = server.issues
    assert len(reports(server, issue)) == (1 if tracker.takes_files else 0)


class Killed(BaseException):
    """What a killed process does not survive."""


def _killed_after(writes: int, monkeypatch: pytest.MonkeyPatch, act: Callable[[], Outcome]) -> bool:
    """Run `act` and kill it right after a number of writing requests; False when it ended before."""
    count, send = 0, http.Client.send

    def sent(self: Client, request: http.Request) -> http.Answer:
        nonlocal count
        answer = send(self, request)
        count += request.method != "GET"
        if count == writes:
            raise Killed
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(http.Client, "send", sent)
        try:
            act()
        except Killed:
            return True
    return False


def test_killed_after_any_request(
    fake: tuple[fakes.Fake, Tracker], order: Callable[..., Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after each writing request of a first and of a later delivery: one ticket, one current report, told once."""
    server, tracker = fake
    for minutes in (15, 17):
        for writes in range(1, 9):
            server.issues.clear()
            server.uploads.clear()
            fingerprint = uuid4().hex[:12]
            if minutes == 17:
                deliver(order(fingerprint), tracker)
            killed = _killed_after(writes, monkeypatch, lambda f=fingerprint, m=minutes: deliver(order(f, m), tracker))  # type: ignore[misc]
            deliver(order(fingerprint, minutes), tracker)
            (issue,) = server.issues
            wanted = order(fingerprint, minutes)
            assert sum(wanted.stem in name for name, _ in reports(server, issue)) == (1 if tracker.takes_files else 0)
            assert sum(f"report={wanted.report}" in text for text in (issue.body, *issue.comments)) == 1
            if not killed:
                break
        else:
            pytest.fail("more writes than expected")


@pytest.mark.parametrize(
    ("max_bytes", "endings", "ending"),
    [
        (10_000_000, None, ".html"),
        (10_000_000, (".gz", ".zip"), ".html.gz"),
        (10_000_000, (".zip",), ".zip"),
        (100_000, None, "-trimmed.html"),
        (30_000, (".zip", ".html"), None),
        (5_000, (".zip",), None),
        (10_000_000, (".txt",), None),
    ],
)
def test_the_report_in_the_first_form_that_is_taken(
    order: Callable[..., Order], max_bytes: int, endings: tuple[str, ...] | None, ending: str | None
) -> None:
    """GitLab tells no limits: each refusal is met by the next form, or by less of the report."""
    server = fakes.GitLab()
    server.max_bytes, server.endings = max_bytes, None if endings is None else (*endings, ".png")
    with serve_with(server, "gitlab", "a-token-of-a-test") as (_, tracker):
        wanted = order(uuid4().hex[:12])
        for _ in range(2):
            done = deliver(wanted, tracker)
        (issue,) = server.issues
        found = reports(server, issue)
        if ending is None:
            assert not done.delivered and not found
            assert sum("could not be attached" in text for text in issue.comments) == 1
        else:
            assert done.delivered and [name.endswith(ending) for name, _ in found] == [True]
            assert all(len(data) <= max_bytes for _, data in found)


def test_limits_are_asked_not_tried(order: Callable[..., Order]) -> None:
    server = fakes.Gitea()
    with serve_with(server, "gitea", "a-token-of-a-test") as (_, tracker):
        deliver(order(uuid4().hex[:12]), tracker)
    sent = [asked.query["name"] for asked in server.asked if asked.path.endswith("/assets") and asked.method == "POST"]
    assert [name.rpartition("-")[2].split(".", 1)[1] for name in sent] == ["png", "html.gz"]
