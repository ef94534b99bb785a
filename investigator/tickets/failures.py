"""What can go wrong between here and a tracker, in words, with what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import requests

from investigator.errors import DeliveryProblem
from investigator.report.redact import Redactor
from investigator.report.text import clipped, visible
from investigator.tickets.model import NotThere, Refused, SizeRefused, TypeRefused, Uncertain

_MAX_TOLD = 300
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_TOO_LARGE = re.compile(r"too (?:large|big)|exceed|maximum.{0,20}size|size.{0,20}(?:limit|maximum)|larger than", re.I)
_WRONG_TYPE = re.compile(r"extension|file ?type|content.?type|mime|media type|not (?:an )?allowed|format", re.I)
_LOOK_AGAIN = "run the same command again: it looks first, and files nothing twice"

#: Status → what it means here, and what to do.
_STATUS = {
    400: ("does not understand the request", "check the project and the ticket's key"),
    401: ("does not accept the token", "check the token, its form and whether it has expired"),
    403: ("does not allow this with the given token", "give the token the right to file, comment and attach"),
    404: ("knows no such ticket or project", "check the key, the project and whether the token may see it"),
    405: ("does not offer this", "check the address and the tracker's version"),
    409: ("says that somebody changed the ticket meanwhile", _LOOK_AGAIN),
    422: ("does not accept the values", "check the project and its required fields"),
    429: ("asks to wait", "too many requests: try again later"),
}  # fmt: skip


def refusal(
    status: int, headers: Mapping[str, str], content: bytes, base_url: str, token: str
) -> DeliveryProblem | None:
    """The error that an answer is; None for one that says yes."""
    host = urlsplit(base_url).netloc
    html = "html" in headers.get("Content-Type", "") or content.lstrip()[:15].lower().startswith(
        (b"<!doctype", b"<html")
    )
    if 200 <= status < 300:
        return None if not html else _page(host, content, token)
    said = _said(content, html, token)
    tail = f": {said}" if said else ""
    if 300 <= status < 400:
        where = urlsplit(headers.get("Location", ""))
        target = f"{where.scheme}://{where.netloc}" if where.netloc else "a page of its own, such as a login"
        return Refused(f"{host} redirects to {target}", hint="give the address of the API itself with --url")
    if status >= 500:
        return Uncertain(f"{host} failed with {status}{tail}", hint=_LOOK_AGAIN)
    if status == 413:
        return SizeRefused(f"{host} does not take files of this size{tail}")
    if status == 415:
        return TypeRefused(f"{host} does not take files of this type{tail}")
    words, hint = _STATUS.get(status, (f"answered {status}", "check the address and the tracker's version"))
    kind = _kind(status, said)
    if status == 429 and (pause := headers.get("Retry-After")):
        hint += f" (in {visible(pause)[:40]} s)" if pause.isdigit() else ""
    return kind(f"{host} {words} ({status}){tail}", hint=hint)


def _kind(status: int, said: str) -> type[Refused]:
    if status == 404:
        return NotThere
    if status in (400, 403, 409, 422) and _TOO_LARGE.search(said):
        return SizeRefused
    if status in (400, 403, 409, 422) and _WRONG_TYPE.search(said):
        return TypeRefused
    return Refused


def _page(host: str, content: bytes, token: str) -> DeliveryProblem | None:
    title = _said(content, True, token)
    return Refused(
        f"{host} answered with a web page instead of JSON" + (f": {title}" if title else ""),
        hint="give the address of the tracker itself; a proxy or a login page may stand before it",
    )


def trouble(error: Exception, base_url: str, timeouts_s: tuple[float, float], reads: bool) -> DeliveryProblem:
    """The error that a failed transport is. What was asked of a server may have been done: then it is Uncertain."""
    host = urlsplit(base_url).netloc
    connect_s, read_s = timeouts_s
    kind: type[DeliveryProblem] = DeliveryProblem if reads else Uncertain
    if isinstance(error, requests.exceptions.SSLError):
        return DeliveryProblem(
            f"the certificate of {host} is not trusted",
            hint="name your own authority's certificate in REQUESTS_CA_BUNDLE; checking is never turned off",
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return DeliveryProblem(f"the proxy before {host} does not answer", hint="check HTTPS_PROXY and NO_PROXY")
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return DeliveryProblem(f"{host} does not answer within {connect_s:g} s", hint="check the address and network")
    if isinstance(error, requests.exceptions.ReadTimeout) or "timed out" in str(error).lower():
        return kind(f"{host} took the request and did not answer within {read_s:g} s", hint=_LOOK_AGAIN)
    if _never_connected(error):
        return DeliveryProblem(f"{host} cannot be reached", hint="check the address, the network and the proxy")
    return kind(f"the connection to {host} broke ({type(error).__name__})", hint=_LOOK_AGAIN)


def _never_connected(error: Exception) -> bool:
    text = str(error)
    return any(word in text for word in ("NewConnectionError", "NameResolutionError", "Failed to establish"))


def _said(content: bytes, html: bool, token: str) -> str:
    """What the server says of an error, short, safe to print, and without our token should it repeat it."""
    if html:
        title = _TITLE.search(content)
        text = unescape(title[1].decode("utf-8", "replace")) if title else ""
    else:
        text = _message(content)
    flat = " ".join(text.split())
    for secret in (token, token.partition(":")[2]):
        if len(secret) > 3:
            flat = flat.replace(secret, "***")
    return clipped(visible(Redactor().mask(flat)), _MAX_TOLD)


def _message(content: bytes) -> str:
    try:
        return "; ".join(dict.fromkeys(_texts(json.loads(content))))
    except ValueError:
        return content[:2_000].decode("utf-8", "replace")


def _texts(value: Any) -> list[str]:
    """The strings of an error's JSON, `field: message` where a key tells what it is about."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    if isinstance(value, Mapping):
        skip = ("documentation_url", "url", "status", "code", "resource")
        plain = ("error", "errors", "message", "messages", "errorMessages", "msg", "title")
        return [
            text if key in plain else f"{key}: {text}"
            for key, item in value.items()
            if key not in skip
            for text in _texts(item)
        ]
    return []
