"""Tell people what changed, through apprise; what could not be told waits for the next scan."""

from __future__ import annotations

import os
import re
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from investigator.errors import ConfigProblem, DeliveryProblem
from investigator.scan.nights import Told

_VARIABLE = re.compile(r"\$\{?([A-Z][A-Z0-9_]*)\}?")
_PING_TIMEOUT_S = 10
#: Health-check services keep about this much of a ping's text.
_PING_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class Message:
    """Plain text, already redacted. attachment: a file that goes along where the service takes one."""

    title: str
    body: str
    attachment: Path | None = None


def worth_telling(told: Sequence[Told], when: str, warnings: int) -> bool:
    """Does the configuration's `when` ask to tell of this night?"""
    wanted = {"new": {"new"}, "worse": {"new", "worse"}}.get(when, set())
    return when == "always" or (when != "never" and (any(t.change in wanted for t in told) or warnings > 0))


def with_environment(url: str, environment: Mapping[str, str] | None = None) -> str:
    """`$NAME` of a URL replaced from the environment, so that no secret stands in the file. Raises ConfigProblem."""
    environment = os.environ if environment is None else environment

    def value(match: re.Match[str]) -> str:
        if match[1] not in environment:
            raise ConfigProblem(f"${match[1]} of a notification URL is not set", hint="export it where the scan runs")
        return environment[match[1]]

    return _VARIABLE.sub(value, url)


def send(urls: Sequence[str], message: Message) -> tuple[int, ...]:
    """Send to each URL; returns the places (in `urls`) of those that did not take it. URLs are secrets: never shown.

    Raises DeliveryProblem when apprise is not installed.
    """
    try:
        from apprise import Apprise, NotifyFormat
    except ImportError as error:
        raise DeliveryProblem("apprise is not installed", hint="pip install 'investigator[notify]'") from error
    failed = []
    for number, url in enumerate(urls):
        service = Apprise()
        attach = str(message.attachment) if message.attachment else None
        good = service.add(with_environment(url)) and service.notify(
            title=message.title, body=message.body, body_format=NotifyFormat.TEXT, attach=attach
        )
        if not good:
            failed.append(number)
    return tuple(failed)


def ping(url: str, step: str, text: str = "") -> str | None:
    """Ping a health check: step `start`, or the exit code. Returns what went wrong; a ping never fails a scan."""
    target = f"{with_environment(url).rstrip('/')}/{step}"
    if not target.startswith(("https://", "http://127.0.0.1", "http://localhost", "http://[::1]")):
        return "a health-check URL must begin with https://"
    request = urllib.request.Request(target, data=text.encode()[:_PING_BYTES], method="POST")
    try:
        with urllib.request.urlopen(request, timeout=_PING_TIMEOUT_S):
            return None
    except (urllib.error.URLError, OSError, ValueError) as error:
        return f"the health check did not answer: {getattr(error, 'reason', error)}"
