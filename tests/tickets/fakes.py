"""Local servers that answer as Jira, GitHub, GitLab and Gitea document it, and fail on demand.

They keep what they are sent, as the real ones do; shapes are those of the vendors' reference pages.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class Fault:
    """What happens instead of an answer, `times` times, to requests whose `METHOD path` matches `at`.

    before: the server does what it is asked first. how: answer | reset | silence.
    """

    at: str
    status: int = 500
    body: str = '{"message": "out of order"}'
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    how: str = "answer"
    before: bool = False


@dataclass
class Issue:
    key: str
    title: str
    body: str
    labels: list[str]
    is_open: bool = True
    comments: list[str] = field(default_factory=list)
    files: list[tuple[str, bytes]] = field(default_factory=list)


@dataclass
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    def part(self) -> tuple[str, str, bytes]:
        """(field, file name, content) of a form with one file."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        message = BytesParser(policy=HTTP).parsebytes(head + self.raw)
        part = next(part for part in message.iter_parts() if part.get_filename())
        name = part.get_param("name", header="content-disposition")
        return str(name), str(part.get_filename()), bytes(part.get_payload(decode=True))


class Fake:
    """State and shapes that all four share. `prefix` numbers its issues."""

    project = "acme/agents"
    token_header = "authorization"
    token = "Bearer a-token-of-a-test"
    max_bytes = 10_000_000
    endings: tuple[str, ...] | None = None

    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self.faults: list[Fault] = []
        self.asked: list[Asked] = []
        self.uploads: list[tuple[str, bytes]] = []
        self.url = ""

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.headers.get(self.token_header) != self.token:
            return 401, {"message": "Bad credentials"}
        for pattern, call in self.routes():
            if found := re.fullmatch(pattern, f"{asked.method} {asked.path}"):
                issues = [issue for issue in self.issues if issue.key == found.groupdict().get("key")]
                if "key" in found.groupdict() and not issues:
                    return 404, {"message": "Not Found"}
                result: tuple[int, Any] = call(asked, *issues)
                return result
        return 404, {"message": f"no such page: {asked.method} {asked.path}"}

    def routes(self) -> list[tuple[str, Any]]:
        raise NotImplementedError

    def new(self, title: str, body: str, labels: list[str], prefix: str = "") -> Issue:
        self.issues.append(Issue(f"{prefix}{len(self.issues) + 1}", title, body, labels))
        return self.issues[-1]

    def taken(self, name: str, data: bytes) -> tuple[int, Any] | None:
        """The refusal of a file; None for one that is taken."""
        if len(data) > self.max_bytes:
            return 413, {"message": "Payload Too Large"}
        if self.endings is not None and not name.endswith(self.endings):
            return 422, {"message": "File type is not allowed"}
        return None

    def writes(self) -> int:
        return sum(asked.method != "GET" for asked in self.asked)


class GitHub(Fake):
    def routes(self) -> list[tuple[str, Any]]:
        repo = "/repos/acme/agents/issues"
        return [
            (f"GET {repo}", lambda a: (200, [self.row(i) for i in reversed(self.issues)])),
            (
                f"POST {repo}",
                lambda a: (201, self.row(self.new(a.json["title"], a.json["body"], a.json.get("labels", [])))),
            ),
            ("GET /search/issues", self.search),
            (rf"GET {repo}/(?P<key>\d+)", lambda a, i: (200, self.row(i))),
            (rf"PATCH {repo}/(?P<key>\d+)", self.change),
            (rf"GET {repo}/(?P<key>\d+)/comments", lambda a, i: (200, [{"body": body} for body in i.comments])),
            (rf"POST {repo}/(?P<key>\d+)/comments", self.comment),
        ]

    def row(self, issue: Issue) -> dict[str, Any]:
        state = "open" if issue.is_open else "closed"
        url = f"https://github.example/acme/agents/issues/{issue.key}"
        return {"number": int(issue.key), "html_url": url, "state": state, "title": issue.title, "body": issue.body}

    def search(self, asked: Asked) -> tuple[int, Any]:
        word = asked.query["q"].split('"')[1]
        found = [self.row(issue) for issue in self.issues if word in issue.body]
        return 200, {"total_count": len(found), "incomplete_results": False, "items": found}

    def change(self, asked: Asked, issue: Issue) -> tuple[int, Any]:
        issue.is_open = asked.json["state"] == "open"
        return 200, self.row(issue)

    def comment(self, asked: Asked, issue: Issue) -> tuple[int, Any]:
        issue.comments.append(asked.json["body"])
        return 201, {"id": len(issue.comments), "body": issue.comments[-1]}


class GitLab(Fake):
    token_header, token = "private-token", "a-token-of-a-test"

    def routes(self) -> list[tuple[str, Any]]:
        project = "/api/v4/projects/acme/agents"
        return [
            (f"GET {project}/issues", self.search),
            (f"POST {project}/issues", lambda a: (201, self.row(self.new(a.json["title"], a.json["description"], [])))),
            (rf"GET {project}/issues/(?P<key>\d+)", lambda a, i: (200, self.row(i))),
            (rf"PUT {project}/issues/(?P<key>\d+)", self.change),
            (rf"GET {project}/issues/(?P<key>\d+)/notes", self.notes),
            (rf"POST {project}/issues/(?P<key>\d+)/notes", self.comment),
            (f"POST {project}/uploads", self.upload),
        ]

    def row(self, issue: Issue) -> dict[str, Any]:
        state = "opened" if issue.is_open else "closed"
        url = f"https://gitlab.example/acme/agents/-/issues/{issue.key}"
        return {
            "id": 900 + int(issue.key),
            "iid": int(issue.key),
            "state": state,
            "description": issue.body,
            "web_url": url,
        }

    def search(self, asked: Asked) -> tuple[int, Any]:
        assert asked.query["in"] == "description"
        return 200, [self.row(i) for i in reversed(self.issues) if asked.query["search"] in i.body]

    def change(self, asked: Asked, issue: Issue) -> tuple[int, Any]:
        issue.is_open = asked.json["state_event"] == "reopen"
        return 200, self.row(issue)

    def notes(self, asked: Asked, issue: Issue) -> tuple[int, Any]:
        system = [{"body": "changed the description", "system": True}]
        return 200, system + [{"body": body, "system": False} for body in issue.comments]

    def comment(self, asked: Asked, issue: Issue) -> tuple[int, Any]:
        issue.comments.append(asked.json["body"])
        return 201, {"id": 1, "body": issue.comments[-1]}

    def upload(self, asked: Asked) -> tuple[int, Any]:
        part, name, data = asked.part()
        assert part == "file"
        if refused := self.taken(name, data):
            return refused
        self.uploads.append((name, data))
        url = f"/uploads/{len(self.uploads):032x}/{name}"
        mark = "!" if name.endswith(".png") else ""
        return 201, {"alt": name, "url": url, "full_path": f"/-/project/7{url}", "markdown": f"{mark}[{name}]({url})"}


class Gitea(Fake):
    token = "token a-token-of-a-test"
    #: The list that Gitea is delivered with lacks .html.
    allowed = ".csv,.docx,.fodg,.gz,.jpeg,.jpg,.log,.md,.pdf,.png,.svg,.tgz,.txt,.zip"
    endings = tuple(allowed.split(","))
    megabytes = 4
    max_bytes = megabytes * 2**20

    def routes(self) -> list[tuple[str, Any]]:
        repo = "/api/v1/repos/acme/agents/issues"
        told = {"enabled": True, "allowed_types": self.allowed, "max_size": self.megabytes, "max_files": 5}
        return [
            ("GET /api/v1/settings/attachment", lambda a: (200, told)),
            (
                f"GET {repo}",
                lambda a: (200, [self.row(i) for i in reversed(self.issues) if a.query.get("q", "") in i.body]),
            ),
            (f"POST {repo}", lambda a: (201, self.row(self.new(a.json["title"], a.json["body"], [])))),
            (rf"GET {repo}/(?P<key>\d+)", lambda a, i: (200, self.row(i))),
            (rf"PATCH {repo}/(?P<key>\d+)", self.change),
            (rf"GET {repo}/(?P<key>\d+)/comments", lambda a, i: (200, [{"body": body} for body in i.comments])),
            (rf"POST {repo}/(?P<key>\d+)/comments", self.comment),
            (rf"GET {repo}/(?P<key>\d+)/assets", lambda a, i: (200, [{"name": n, "size": len(d)} for n, d in i.files])),
            (rf"POST {repo}/(?P<key>\d+)/assets", self.upload),
        ]

    def row(self, issue: Issue) -> dict[str, Any]:
        state = "open" if issue.is_open else "closed"
        url = f"https://gitea.example/acme/agents/issues/{issue.key}"
        return {"number": int(issue.key), "html_url": url, "state": state, "body": issue.body}

    def change(self, asked: Asked, issue: Issue) -> tuple[int, Any]:
        issue.is_open = asked.json["state"] == "open"
        return 201, self.row(issue)

    def comment(self, asked: Asked, issue: Issue) -> tuple[int, Any]:
        issue.comments.append(asked.json["body"])
        return 201, {"id": 1, "body": issue.comments[-1]}

    def upload(self, asked: Asked, issue: Issue) -> tuple[int, Any]:
        part, _, data = asked.part()
        name = asked.query["name"]
        assert part == "attachment"
        if refused := self.taken(name, data):
            return refused
        issue.files.append((name, data))
        return 201, {
            "name": name,
            "size": len(data),
            "browser_download_url": f"https://gitea.example/attachments/{name}",
        }


class Jira(Fake):
    project = "OPS"
    token = "Basic bWVAZXhhbXBsZS5vcmc6YS10b2tlbi1vZi1hLXRlc3Q="
    deployment = "Cloud"

    def routes(self) -> list[tuple[str, Any]]:
        api = "/rest/api/2"
        search = f"{api}/search/jql" if self.deployment == "Cloud" else f"{api}/search"
        issue = rf"{api}/issue/(?P<key>OPS-\d+)"
        return [
            (f"GET {api}/serverInfo", lambda a: (200, {"deploymentType": self.deployment, "version": "10.4.0"})),
            (f"GET {api}/attachment/meta", lambda a: (200, {"enabled": True, "uploadLimit": self.max_bytes})),
            (f"GET {search}", self.search),
            (f"POST {api}/issue", self.create),
            (f"GET {issue}", lambda a, i: (200, self.row(i))),
            (f"POST {issue}/comment", self.comment),
            (f"POST {issue}/attachments", self.upload),
            (f"GET {issue}/transitions", self.transitions),
            (f"POST {issue}/transitions", self.transition),
        ]

    def row(self, issue: Issue) -> dict[str, Any]:
        category = {"id": 4, "key": "indeterminate" if issue.is_open else "done"}
        fields = {
            "status": {"name": "whatever", "statusCategory": category},
            "description": issue.body,
            "comment": {"comments": [{"body": body} for body in issue.comments], "total": len(issue.comments)},
            "attachment": [{"filename": name, "size": len(data)} for name, data in issue.files],
        }
        return {"id": "10", "key": issue.key, "fields": fields}

    def search(self, asked: Asked) -> tuple[int, Any]:
        label = asked.query["jql"].split('labels = "')[1].split('"')[0]
        return 200, {"issues": [self.row(i) for i in reversed(self.issues) if label in i.labels]}

    def create(self, asked: Asked) -> tuple[int, Any]:
        fields = asked.json["fields"]
        if fields["project"]["key"] != "OPS":
            return 400, {"errorMessages": [], "errors": {"project": "valid project is required"}}
        issue = self.new(fields["summary"], fields["description"], fields["labels"], "OPS-")
        return 201, {"id": "10", "key": issue.key, "self": f"{self.url}/rest/api/2/issue/10"}

    def comment(self, asked: Asked, issue: Issue) -> tuple[int, Any]:
        issue.comments.append(asked.json["body"])
        return 201, {"id": "1", "body": issue.comments[-1]}

    def upload(self, asked: Asked, issue: Issue) -> tuple[int, Any]:
        if asked.headers.get("x-atlassian-token") != "no-check":
            return 403, {"message": "XSRF check failed"}
        part, name, data = asked.part()
        assert part == "file"
        if refused := self.taken(name, data):
            return refused
        issue.files.append((name, data))
        return 200, [{"id": "1", "filename": name, "size": len(data)}]

    def transitions(self, asked: Asked, issue: Issue) -> tuple[int, Any]:
        to = [("31", "done"), ("21", "indeterminate")]
        return 200, {"transitions": [{"id": i, "to": {"statusCategory": {"key": k}}} for i, k in to]}

    def transition(self, asked: Asked, issue: Issue) -> tuple[int, Any]:
        issue.is_open = asked.json["transition"]["id"] == "21"
        return 204, None


class JiraDataCenter(Jira):
    deployment = "Server"
    token = "Bearer a-token-of-a-test"


@contextmanager
def serve(fake: Fake) -> Iterator[Fake]:
    """Run a fake on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body in one packet: two would wait for each other.
        wbufsize = 1 << 16
        disable_nagle_algorithm = True

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (ConnectionError, ValueError):
                self.close_connection = True

        def _any(self) -> None:
            _respond(fake, self)

        do_GET = do_POST = do_PUT = do_PATCH = _any

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()


def _respond(fake: Fake, handler: BaseHTTPRequestHandler) -> None:
    raw = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    parts = urlsplit(handler.path)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    headers = {name.lower(): value for name, value in handler.headers.items()}
    asked = Asked(handler.command, unquote(parts.path), query, headers, raw)
    fake.asked.append(asked)
    fault = next((f for f in fake.faults if f.times and re.search(f.at, f"{asked.method} {asked.path}")), None)
    if fault is None:
        status, answer = fake.answer(asked)
        _send(handler, status, "" if answer is None else json.dumps(answer), {"Content-Type": "application/json"})
        return
    fault.times -= 1
    if fault.before:
        fake.answer(asked)
    if fault.how == "silence":
        time.sleep(0.6)
        handler.close_connection = True
    elif fault.how == "reset":
        # Without lingering, closing a socket sends a reset.
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        handler.close_connection = True
    else:
        kind = "text/html" if fault.body.startswith("<") else "application/json"
        _send(handler, fault.status, fault.body, {"Content-Type": kind, **fault.headers})


def _send(handler: BaseHTTPRequestHandler, status: int, body: str, headers: dict[str, str]) -> None:
    handler.send_response(status)
    data = body.encode()
    for name, value in {**headers, "Content-Length": str(len(data))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)
    handler.wfile.flush()
