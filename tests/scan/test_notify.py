"""Notifications against real servers on this machine: a webhook, a mail server, a health check."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from investigator.errors import ConfigProblem
from investigator.scan.nights import Seen, Told
from investigator.scan.notify import Message, ping, send, with_environment, worth_telling

apprise = pytest.importorskip("apprise", reason="the extra `notify` is not installed")

MESSAGE = Message("1 new incident", "The runner crashed <b>twice</b>.")


@contextmanager
def webhook(status: int = 200) -> Iterator[tuple[int, list[tuple[str, bytes]]]]:
    got: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.rfile.read(int(self.headers["Content-Length"] or 0))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1], got
    finally:
        server.shutdown()
        server.server_close()


class _Mail(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs to hand over a mail."""

    def handle(self) -> None:
        self._say("220 mail")
        while line := self.rfile.readline().decode().strip():
            word = line.upper().split(":")[0].split(" ")[0]
            if word == "DATA":
                self._say("354 go on")
                body = []
                while (text := self.rfile.readline()) not in (b".\r\n", b""):
                    body.append(text)
                self.server.mails.append(b"".join(body))  # type: ignore[attr-defined]
                self._say("250 taken")
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 mail" if word in ("EHLO", "HELO", "MAIL", "RCPT") else "502 unknown")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def mail_server() -> Iterator[tuple[int, list[bytes]]]:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail)
    server.mails = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1], server.mails  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()


def test_webhook_and_mail_arrive(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    report.write_text("<p>report</p>")
    with webhook() as (hook_port, got), mail_server() as (mail_port, mails):
        urls = [
            f"json://127.0.0.1:{hook_port}/hook",
            f"mailto://127.0.0.1:{mail_port}?from=scan@example.org&to=ops@example.org&mode=insecure",
        ]
        assert send(urls, Message(MESSAGE.title, MESSAGE.body, report)) == ()
    (path, body) = got[0]
    assert path == "/hook"
    assert json.loads(body)["title"] == MESSAGE.title
    assert json.loads(body)["message"] == MESSAGE.body
    assert b"report.html" in mails[0]


def test_those_that_failed_are_told_by_place() -> None:
    with webhook(500) as (bad, _), webhook() as (good, got):
        assert send([f"json://127.0.0.1:{bad}/", f"json://127.0.0.1:{good}/", "no-such-service://x"], MESSAGE) == (0, 2)
    assert len(got) == 1


def test_health_check_gets_steps_and_summary() -> None:
    with webhook() as (port, got):
        assert ping(f"http://127.0.0.1:{port}/uuid", "start") is None
        assert ping(f"http://127.0.0.1:{port}/uuid/", "1", "two new incidents") is None
    assert got == [("/uuid/start", b""), ("/uuid/1", b"two new incidents")]


def test_a_health_check_that_fails_is_a_message() -> None:
    with webhook(503) as (port, _):
        assert "did not answer" in str(ping(f"http://127.0.0.1:{port}/x", "0"))
    assert "https://" in str(ping("http://example.org/x", "0"))


def test_secrets_come_from_the_environment() -> None:
    assert with_environment("ntfy://$TOKEN@host/${TOPIC}", {"TOKEN": "t", "TOPIC": "x"}) == "ntfy://t@host/x"
    with pytest.raises(ConfigProblem, match=r"\$TOKEN of a notification URL is not set"):
        with_environment("ntfy://$TOKEN@host", {})


@pytest.mark.parametrize(
    "when, change, warnings, tells",
    [
        ("worse", "new", 0, True), ("worse", "worse", 0, True), ("worse", "continuing", 0, False),
        ("new", "worse", 0, False), ("new", "continuing", 1, True), ("never", "new", 1, False),
        ("always", "continuing", 0, True), ("worse", "gone", 0, False),
    ],
)  # fmt: skip
def test_when_to_tell(when: str, change: str, warnings: int, tells: bool) -> None:
    seen = Seen("a", "t", None, "high", "s", None, "p", 1)
    assert worth_telling([Told(seen, change, 1, 1, None)], when, warnings) == tells  # type: ignore[arg-type]
