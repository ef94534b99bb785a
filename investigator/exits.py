"""The exit codes of every command, and which one wins when several hold."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class Exit(IntEnum):
    """What the program's exit code says. README has the same table; a test compares them."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    INCOMPLETE = 3
    UNDELIVERED = 4
    INTERNAL = 70
    BUSY = 75
    INTERRUPTED = 130


#: One sentence per code, for `--help`, the JSON report and the documentation.
MEANING: dict[Exit, str] = {
    Exit.OK: "nothing at or above --fail-on",
    Exit.FINDINGS: "findings at or above --fail-on",
    Exit.USAGE: "wrong usage",
    Exit.INCOMPLETE: "incomplete: an input or a rule could not be used",
    Exit.UNDELIVERED: "report made, but delivery or the redaction gate failed",
    Exit.INTERNAL: "internal error",
    Exit.BUSY: "another scan is running",
    Exit.INTERRUPTED: "interrupted",
}

#: Worst first. An interruption outranks all: whatever else was true, the work was not finished.
_ORDER = (
    Exit.INTERRUPTED,
    Exit.INTERNAL,
    Exit.USAGE,
    Exit.BUSY,
    Exit.UNDELIVERED,
    Exit.INCOMPLETE,
    Exit.FINDINGS,
    Exit.OK,
)


def worst(codes: Iterable[int]) -> Exit:
    """The one code to exit with when several hold: 130, 70, 2, 75, 4, 3, 1, else 0.

    Raises ValueError for a number that is not one of ours.
    """
    held = {Exit(code) for code in codes}
    return next((code for code in _ORDER if code in held), Exit.OK)


def ranked(codes: Iterable[int]) -> list[Exit]:
    """All codes that hold, worst first and each once; zero is left out when anything else holds."""
    held = {Exit(code) for code in codes}
    return [code for code in _ORDER if code in held and (code is not Exit.OK or held == {Exit.OK})]
