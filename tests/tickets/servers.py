"""Real trackers for the tests: Roundup in this process, Redmine and Request Tracker where the system has them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import requests

SCRIPTS = Path(__file__).resolve().parents[1] / "trackers"
PASSWORD = "a-password-of-a-test"


@dataclass
class Real:
    """A running tracker. files: what a ticket has attached, as the tracker hands it out; page: a ticket as people see it."""

    name: str
    url: str
    token: str
    project: str | None
    files: Callable[[str], dict[str, list[bytes]]]
    page: Callable[[str], str]
    close: Callable[[str], None]
    everything: Callable[[str], bytes]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing: a test's output is not the place."""


@contextmanager
def roundup(folder: Path) -> Iterator[Real]:
    """Roundup's classic template on SQLite, served from this process."""
    home = folder / "tracker"
    server = make_server("127.0.0.1", 0, lambda environ, start: [], server_class=WSGIServer, handler_class=_Quiet)
    url = f"http://127.0.0.1:{server.server_port}"
    settings = (
        f"tracker_name=incidents,tracker_web={url}/,mail_domain=localhost,mail_host=localhost,admin_email=admin,"
        f"mail_debug={folder / 'mail'},password_pbkdf2_default_rounds=1000"
    )
    for command in (["install", "classic", "sqlite", settings], ["initialise", PASSWORD]):
        subprocess.run(
            [sys.executable, "-m", "roundup.scripts.roundup_admin", "-i", str(home), *command],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
    from roundup.cgi.wsgi_handler import RequestDispatcher

    server.set_app(RequestDispatcher(str(home)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield _roundup(url, home)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _roundup(url: str, home: Path) -> Real:
    auth = ("admin", PASSWORD)

    def data(path: str) -> Any:
        answer = requests.get(f"{url}/rest/data{path}", auth=auth, timeout=30)
        answer.raise_for_status()
        return answer.json()["data"]

    def files(key: str) -> dict[str, list[bytes]]:
        found: dict[str, list[bytes]] = {}
        for file in data(f"/issue/{key}")["attributes"]["files"]:
            name = data(f"/file/{file['id']}/name")["data"]
            answer = requests.get(f"{url}/file{file['id']}/{name}", auth=auth, timeout=30)
            found.setdefault(name, []).append(answer.content)
        return found

    def close(key: str) -> None:
        status = next(s["id"] for s in data("/status?@fields=name")["collection"] if s["name"] == "resolved")
        etag = data(f"/issue/{key}")["@etag"]
        headers = {"If-Match": etag, "X-Requested-With": "test", "Origin": url, "Referer": f"{url}/"}
        answer = requests.patch(
            f"{url}/rest/data/issue/{key}", json={"status": status}, auth=auth, headers=headers, timeout=30
        )
        answer.raise_for_status()

    def everything(key: str) -> bytes:
        stored = sorted(path for path in home.joinpath("db").rglob("*") if path.is_file())
        return b"\n".join(path.read_bytes() for path in stored)

    def page(key: str) -> str:
        return requests.get(f"{url}/issue{key}", auth=auth, timeout=30).text

    return Real("roundup", url, f"admin:{PASSWORD}", None, files, page, close, everything)


@contextmanager
def redmine(folder: Path) -> Iterator[Real]:
    """Debian's Redmine with its default instance. The project is made if it is not there."""
    token = _told(["./redmine.sh", "token", "investigator-test"])
    with _served("./redmine.sh", "/issues.json", {"X-Redmine-API-Key": token}) as url:
        api = _Api(url, {"X-Redmine-API-Key": token})

        def files(key: str) -> dict[str, list[bytes]]:
            found: dict[str, list[bytes]] = {}
            for file in api.json(f"/issues/{key}.json?include=attachments")["issue"]["attachments"]:
                path = f"/attachments/download/{file['id']}/{file['filename']}"
                found.setdefault(file["filename"], []).append(api.get(path).content)
            return found

        def close(key: str) -> None:
            statuses = api.json("/issue_statuses.json")["issue_statuses"]
            closed = next(status["id"] for status in statuses if status["is_closed"])
            api.put(f"/issues/{key}.json", {"issue": {"status_id": closed}})

        def page(key: str) -> str:
            """The description as it is shown; around it stand forms with its source."""
            shown = api.get(f"/issues/{key}").text.partition('<div class="wiki">')[2]
            return shown.partition("</div>")[0]

        def everything(key: str) -> bytes:
            texts = (
                api.get(f"/issues/{key}.json?include=journals,attachments").content + api.get(f"/issues/{key}").content
            )
            return texts + b"".join(data for held in files(key).values() for data in held)

        yield Real(
            "redmine",
            url,
            token,
            "investigator-test",
            files,
            page,
            close,
            everything,
        )


@contextmanager
def rt(folder: Path) -> Iterator[Real]:
    """Debian's Request Tracker 5 on SQLite."""
    token = _told(["./rt.sh", "token"])
    headers = {"Authorization": f"token {token}"}
    with _served("./rt.sh", "/REST/2.0/rt", headers) as url:
        api = _Api(url, headers)

        def attachments(key: str) -> list[Any]:
            items = api.json(f"/REST/2.0/ticket/{key}/attachments?per_page=100&fields=Filename")["items"]
            return [api.json(f"/REST/2.0/attachment/{item['id']}") for item in items]

        def files(key: str) -> dict[str, list[bytes]]:
            found: dict[str, list[bytes]] = {}
            for item in attachments(key):
                if item.get("Filename"):
                    found.setdefault(item["Filename"], []).append(b64decode(item["Content"]))
            return found

        def texts(key: str) -> bytes:
            return b"\n".join(b64decode(item["Content"]) for item in attachments(key) if item.get("Content"))

        def page(key: str) -> str:
            """What RT makes of plain text: it escapes it, and nothing of ours is anything else."""
            written = [item for item in attachments(key) if item.get("Content") and not item.get("Filename")]
            assert {item["ContentType"] for item in written} == {"text/plain"}
            return escape("\n".join(b64decode(item["Content"]).decode("utf-8") for item in written))

        yield Real(
            "rt", url, token, "General", files, page,
            lambda key: api.put(f"/REST/2.0/ticket/{key}", {"Status": "resolved"}), texts,
        )  # fmt: skip


@dataclass
class _Api:
    url: str
    headers: dict[str, str]

    def get(self, path: str) -> requests.Response:
        answer = requests.get(self.url + path, headers=self.headers, timeout=60)
        answer.raise_for_status()
        return answer

    def json(self, path: str) -> Any:
        return self.get(path).json()

    def put(self, path: str, body: Any) -> None:
        requests.put(self.url + path, json=body, headers=self.headers, timeout=60).raise_for_status()


def _told(command: list[str]) -> str:
    """What a script prints behind `token=`."""
    done = subprocess.run(command, cwd=SCRIPTS, check=True, capture_output=True, text=True, timeout=180)
    return done.stdout.rpartition("token=")[2].split()[0]


@contextmanager
def _served(script: str, path: str, headers: dict[str, str]) -> Iterator[str]:
    """A script's server on a free port, once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [script, "serve", str(port)], cwd=SCRIPTS, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                requests.get(url + path, headers=headers, timeout=30).raise_for_status()
                break
            except requests.RequestException:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.3)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)
