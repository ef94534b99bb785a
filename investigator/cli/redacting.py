"""The options of redaction, the same for every command that hands out a report."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from investigator.errors import UsageProblem

if TYPE_CHECKING:
    from investigator.report import Redaction

Command = TypeVar("Command", bound=Callable[..., Any])
_KEY_BYTES = 32
_FILE = click.Path(path_type=Path, dir_okay=False)


def redaction_options(command: Command) -> Command:
    """Add --no-redact, --redact-rules and --redact-key; `redaction` makes of their values what reports take."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def masking_options(command: Command) -> Command:
    """The same without --no-redact, for what leaves the machine."""
    for option in reversed(_OPTIONS[1:]):
        command = option(command)
    return command


_OPTIONS = (
    click.option("--no-redact", is_flag=True, help="Mask nothing, and mark the report as unmasked."),
    click.option(
        "--redact-rules", type=_FILE, metavar="FILE", help="Mask what the rules of this gitleaks TOML file find, too."
    ),
    click.option(
        "--redact-key", type=_FILE, metavar="FILE",
        help="Make pseudonyms with the key in FILE (made if missing), so that all reports agree.",
    ),
)  # fmt: skip


def redaction(no_redact: bool, redact_rules: Path | None, redact_key: Path | None) -> Redaction:
    """What the options say. Raises UsageProblem for files that cannot be used and options that exclude each other."""
    from investigator.report import Redaction, gitleaks

    if no_redact and (redact_rules or redact_key):
        raise UsageProblem("--no-redact excludes --redact-rules and --redact-key")
    return Redaction(
        on=not no_redact,
        key=None if redact_key is None else _key(redact_key),
        extra=() if redact_rules is None else gitleaks(redact_rules),
    )


def _key(path: Path) -> bytes:
    """The key in `path`, made at random and readable by its owner only when there is none."""
    try:
        if not path.exists():
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(os.urandom(_KEY_BYTES).hex().encode() + b"\n")
        text = path.read_text(encoding="ascii").strip()
        key = bytes.fromhex(text)
    except (OSError, ValueError) as error:
        raise UsageProblem(f"the redaction key cannot be used: {error}", hint="name a new file", path=path) from error
    if len(key) != _KEY_BYTES:
        raise UsageProblem(
            f"the redaction key has {len(key)} bytes instead of {_KEY_BYTES}", hint="name a new file", path=path
        )
    return key
