"""Where a tracker's token comes from: the environment, a folder of credentials, the keyring. Never the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from investigator.errors import UsageProblem

#: Forms of a token where a tracker takes more than one.
FORMS = {
    "roundup": "USER:PASSWORD",
    "jira": "E-MAIL:API-TOKEN for Jira Cloud, the personal access token for Data Center",
}


@dataclass(frozen=True, slots=True)
class Token:
    """A secret that no traceback, log or `repr` shows."""

    value: str = field(repr=False)

    @property
    def pair(self) -> tuple[str, str] | None:
        """Name and password of `NAME:PASSWORD`; None for a bare token."""
        name, colon, rest = self.value.partition(":")
        return (name, rest) if colon else None

    def __str__(self) -> str:
        return "***"


def variable(tracker: str) -> str:
    """The environment variable of a tracker's token."""
    return f"INVESTIGATOR_{tracker.upper()}_TOKEN"


def token(tracker: str, environment: Mapping[str, str] | None = None) -> Token:
    """The tracker's token. Raises UsageProblem that says where it is looked for."""
    environment = os.environ if environment is None else environment
    found = environment.get(variable(tracker)) or _credential(tracker, environment) or _keyring(tracker)
    if not found or not found.strip():
        form = f" ({FORMS[tracker]})" if tracker in FORMS else ""
        raise UsageProblem(
            f"no token for {tracker}",
            hint=f"export {variable(tracker)}{form}, or put it into $CREDENTIALS_DIRECTORY/{tracker}-token "
            f"or the keyring (service investigator, user {tracker})",
        )
    value = found.strip()
    if not value.isprintable() or not value.isascii():
        raise UsageProblem(f"the token for {tracker} is not one line of ASCII", hint="check where it was copied from")
    return Token(value)


def _credential(tracker: str, environment: Mapping[str, str]) -> str | None:
    folder = environment.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return None
    path = Path(folder) / f"{tracker}-token"
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem(f"the token cannot be read: {error}", path=path) from error


def _keyring(tracker: str) -> str | None:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        found: str | None = keyring.get_password("investigator", tracker)
    except KeyringError:
        # A locked keyring is no reason to fail: the message says where else a token may be.
        return None
    return found
