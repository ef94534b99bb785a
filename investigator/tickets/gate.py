"""The last look before anything leaves: what still looks like a secret is not sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from investigator.errors import DeliveryProblem
from investigator.report.redact import scan
from investigator.report.redact_rules import UserRule
from investigator.report.viewmodel import NOT_REDACTED
from investigator.tickets.model import File


def check_texts(texts: Iterable[str], what: str, extra: tuple[UserRule, ...] = ()) -> None:
    """Raises DeliveryProblem (exit code 4) when one of the texts holds what looks like a secret."""
    for text in texts:
        if leaks := scan(text, extra):
            places = ", ".join(f"{leak.rule} in line {leak.line_no}" for leak in leaks[:5])
            raise DeliveryProblem(
                f"{what} was held back, it still holds what looks like a secret: {places}",
                hint="nothing of it was sent; mask it with --redact-rules, or make the report again with redaction",
            )


def check_file(file: File, extra: tuple[UserRule, ...] = ()) -> None:
    """The same for a file's name and its readable content, and for a report made without redaction."""
    if NOT_REDACTED in file.text:
        raise DeliveryProblem(
            f"{file.name} was held back: the report was made with --no-redact",
            hint="make it again without --no-redact",
        )
    check_texts((file.name, file.text), file.name, extra)


def strings(value: Any) -> Iterable[str]:
    """Every string in a JSON-like value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from strings(key)
            yield from strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from strings(item)
