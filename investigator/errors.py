"""Errors that a user can do something about: what is wrong, where, and what to do.

Anything else that is raised is a defect of the program and ends in exit code 70.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from investigator.exits import Exit


class InvestigatorError(Exception):
    """Base of all errors meant for the user.

    `path` and `line` (1-based) say where; `column` (1-based) and `source_line` let `str()` draw a caret;
    `hint` is one sentence that says what to do.
    """

    exit_code: ClassVar[Exit] = Exit.INCOMPLETE

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        path: str | Path | None = None,
        line: int | None = None,
        *,
        column: int | None = None,
        source_line: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.path = None if path is None else str(path)
        self.line = line
        self.column = column
        self.source_line = source_line

    @property
    def where(self) -> str | None:
        """`path:line:column`, as much of it as is known."""
        if self.path is None:
            return None if self.line is None else f"line {self.line}"
        parts = [self.path]
        if self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        return ":".join(parts)

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.message}" if self.where else self.message]
        if self.source_line is not None:
            lines.append(f"  {self.source_line}")
            if self.column is not None:
                lines.append("  " + _indent_like(self.source_line, self.column - 1) + "^")
        if self.hint:
            lines.append(f"  → {self.hint}")
        return "\n".join(lines)


class UsageProblem(InvestigatorError):
    """The command line asks for something that cannot be."""

    exit_code = Exit.USAGE


class InputProblem(InvestigatorError):
    """An input cannot be found, opened or read; the other inputs are still processed."""


class ConfigProblem(InvestigatorError):
    """A configuration file is wrong."""

    exit_code = Exit.USAGE


class RuleProblem(InvestigatorError):
    """A rule file is wrong; the other rules still run."""


class CaseProblem(InvestigatorError):
    """The case file is missing, foreign, too new, or held by another program."""


class DeliveryProblem(InvestigatorError):
    """The report was made but could not be delivered, or the redaction gate held it back."""

    exit_code = Exit.UNDELIVERED


class BusyProblem(InvestigatorError):
    """Another scan holds the lock."""

    exit_code = Exit.BUSY


def _indent_like(text: str, width: int) -> str:
    """White space as wide as the first `width` characters of `text`: tabs stay tabs, so the caret lines up."""
    return "".join("\t" if char == "\t" else " " for char in text[:width].ljust(width))
