"""One HTTP client for all trackers: time limits, retries, TLS, and every failure in words a user can act on.

What goes out passes the redaction gate here, so no adapter can forget it. A dry run sends what only reads and shows the
rest.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from investigator import __version__
from investigator.errors import DeliveryProblem, UsageProblem
from investigator.report.redact_rules import UserRule

try:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.connectionpool import ConnectionPool
    from urllib3.exceptions import HTTPError, MaxRetryError, ResponseError
    from urllib3.response import BaseHTTPResponse
    from urllib3.util.retry import Retry
except ImportError as missing:
    raise DeliveryProblem("requests is not installed", hint="pip install 'investigator[tickets]'") from missing

from investigator.tickets.failures import refusal, trouble
from investigator.tickets.gate import check_file, check_texts, strings
from investigator.tickets.model import File
from investigator.tickets.secrets import Token

CONNECT_S, READ_S = 10.0, 60.0
#: A server may ask for a pause; a longer one than this is not waited for.
MAX_PAUSE_S = 60
_MAX_ANSWER_BYTES = 64 << 20
_READS = ("GET", "HEAD")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Request:
    """One request. The body is `json`, or `file` alone, or a form of `form` with `file` as its part `part`.

    carries: files inside `json`, for the gate. assumed: the JSON that a dry run takes for the answer.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    file: File | None = None
    part: str | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    carries: tuple[File, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    assumed: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: JSON decoded, or None when it is none."""

    json: Any
    headers: Mapping[str, str]
    content: bytes = b""


class Client:
    """Requests to one tracker."""

    def __init__(
        self,
        base_url: str,
        token: Token,
        headers: Mapping[str, str],
        *,
        show: Callable[[str], None] | None = None,
        extra: tuple[UserRule, ...] = (),
        timeouts_s: tuple[float, float] = (CONNECT_S, READ_S),
        backoff_s: float = 0.5,
    ) -> None:
        """show: makes this a dry run; gets the text of every request. headers: those that carry the token."""
        self.base_url = checked_url(base_url)
        self._token, self._secret_headers = token, dict(headers)
        self._show, self._extra, self._timeouts_s = show, extra, timeouts_s
        self._session = requests.Session()
        # A password in ~/.netrc would replace the token.
        self._session.auth = lambda prepared: prepared
        adapter = _Patient(backoff_s)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    @property
    def user(self) -> str | None:
        """The name in a token that is a name and a password."""
        return self._token.pair[0] if self._token.pair else None

    def send(self, request: Request) -> Answer:
        """Send a request. Raises DeliveryProblem: held back by the gate, Refused in one of its kinds, or Uncertain."""
        self._gate(request)
        prepared = self._session.prepare_request(self._made(request))
        if self._show is not None:
            self._show(shown(request, prepared, tuple(self._secret_headers)))
            if request.method not in _READS:
                return Answer(request.assumed, {})
        reads = request.method in _READS
        try:
            with self._session.send(
                prepared, timeout=self._timeouts_s, allow_redirects=False, stream=True, **self._environment(prepared)
            ) as response:
                content = response.raw.read(_MAX_ANSWER_BYTES, decode_content=True)
        # Below requests, urllib3 raises errors of its own while an answer is read.
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise trouble(error, self.base_url, self._timeouts_s, reads) from error
        if problem := refusal(response.status_code, response.headers, content, self.base_url, self._token.value):
            raise problem
        return Answer(_decoded(content), response.headers, content)

    def _gate(self, request: Request) -> None:
        # A file inside JSON is judged by its content, not by its base64.
        packed = {base64.b64encode(file.data).decode() for file in request.carries}
        texts = [request.path, *request.query.values(), *request.form.values()]
        texts += [text for text in strings(request.json) if text not in packed]
        check_texts(texts, f"{request.method} {request.path}", self._extra)
        for file in (*request.carries, *([request.file] if request.file else [])):
            check_file(file, self._extra)

    def _made(self, request: Request) -> requests.Request:
        headers = {
            "Accept": "application/json",
            "User-Agent": f"investigator/{__version__}",
            **self._secret_headers,
            **request.headers,
        }
        made = requests.Request(request.method, self.base_url + request.path, headers, params=dict(request.query))
        if request.json is not None:
            made.json = request.json
        elif request.file is not None and request.part is not None:
            made.files = {request.part: (request.file.name, request.file.data, request.file.media_type)}
            made.data = dict(request.form)
        elif request.file is not None:
            made.data = request.file.data
        elif request.form:
            made.data = dict(request.form)
        return made

    def _environment(self, prepared: requests.PreparedRequest) -> dict[str, Any]:
        """Proxies and the CA bundle as the environment names them; certificates are always checked."""
        settings = self._session.merge_environment_settings(prepared.url or "", {}, None, True, None)
        return {name: value for name, value in settings.items() if name != "stream"}


class _Retry(Retry):
    """Gives up where the server asks for a pause that is longer than anybody wants to wait."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        if response is not None and _pool is not None and (self.get_retry_after(response) or 0) > MAX_PAUSE_S:
            raise MaxRetryError(_pool, url or "", ResponseError("too long a pause"))
        return super().increment(method, url, response, error, _pool, _stacktrace)


class _Patient(HTTPAdapter):
    """Retries what is safe: reads on any passing trouble, writes only where the server says that it did nothing."""

    def __init__(self, backoff_s: float) -> None:
        super().__init__()
        common: dict[str, Any] = {
            "total": 4, "backoff_factor": backoff_s, "backoff_max": MAX_PAUSE_S,
            "raise_on_status": False, "redirect": 0, "connect": 2,
        }  # fmt: skip
        self._reads = _Retry(**common, read=2, status_forcelist=(429, 500, 502, 503, 504), allowed_methods=_READS)
        self._writes = _Retry(**common, read=0, status_forcelist=(429, 503), allowed_methods=("POST", "PUT", "PATCH"))

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self.max_retries = self._reads if request.method in _READS else self._writes
        return super().send(request, *args, **kwargs)


def checked_url(url: str) -> str:
    """The tracker's address without a slash at its end. Raises UsageProblem for what must not be used."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise UsageProblem(f"not the address of a tracker: {parts.hostname or url[:60]!r}", hint="give https://HOST/…")
    if parts.username or parts.password:
        raise UsageProblem("the tracker's address holds a password", hint="tokens come from the environment")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise UsageProblem(
            f"plain http to {parts.hostname} would show the token and the report to the network",
            hint=f"use https://{parts.netloc}{parts.path}",
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(content) if content.strip() else None
    except ValueError:
        return None


def shown(request: Request, prepared: requests.PreparedRequest, secret: tuple[str, ...]) -> str:
    """A request as text: the token masked, JSON readable, files by size and digest."""
    lines = [f"{request.method} {prepared.url}"]
    for name, value in prepared.headers.items():
        lines.append(f"{name}: {'***' if name in secret else value}")
    if request.json is not None:
        lines += ["", json.dumps(_briefly(request.json), indent=2, ensure_ascii=False)]
    elif request.form and request.file is None:
        lines += ["", urlencode(dict(request.form))]
    elif request.form:
        lines += ["", *(f"{name}={value}" for name, value in request.form.items())]
    for file in (*request.carries, *([request.file] if request.file else [])):
        lines += ["", f"<{file.name}, {file.media_type}, {len(file.data):,} bytes, sha256 {file.sha256}>"]
    return "\n".join(lines)


def _briefly(value: Any) -> Any:
    """JSON for reading: long runs without white space, as base64 makes them, are cut."""
    if isinstance(value, Mapping):
        return {key: _briefly(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_briefly(item) for item in value]
    if isinstance(value, str) and len(value) > 500 and not any(c.isspace() for c in value):
        return f"{value[:40]}… ({len(value):,} characters of base64)"
    return value
