"""The options that narrow what is judged and shown, the same for every command that judges a case."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import rich_click as click

from investigator.errors import UsageProblem

_OPTIONS = (
    click.option(
        "--since", metavar="TIME", help='Judge only what was there at TIME or later: "2026-02-18 11:00", "2 days ago".'
    ),
    click.option("--until", metavar="TIME", help="Judge only what was there at TIME or earlier."),
    click.option(
        "--last", metavar="DURATION", help="Judge only the last 90m, 2h, 3d … of the logs, counted from their end."
    ),
    click.option("--run", metavar="ID", help="Judge only this run or session; the beginning of its id is enough."),
    click.option("--model", metavar="NAME", help="Judge only the calls of this model."),
)


def narrowing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --since, --until, --last, --run and --model; the command gets them as `narrowing`."""

    @wraps(command)
    def narrowed(
        *args: Any, since: str | None, until: str | None, last: str | None, run: str | None, model: str | None,
        **others: Any,
    ) -> Any:  # fmt: skip
        return command(*args, narrowing=_narrowing(since, until, last, run, model), **others)

    wrapped: Callable[..., Any] = narrowed
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def _narrowing(since: str | None, until: str | None, last: str | None, run: str | None, model: str | None) -> Any:
    from investigator.correlate.narrow import Narrowing
    from investigator.moments import written_moment

    if since is not None and last is not None:
        raise UsageProblem("--since and --last exclude each other", hint="--last 2h is counted back from --until")
    now = datetime.now(UTC)
    begin, end = (None if text is None else written_moment(text, now) for text in (since, until))
    return Narrowing(begin, end, None if last is None else _seconds(last), run or None, model or None)


def _seconds(text: str) -> float:
    from investigator.config.quantities import seconds

    try:
        return seconds(text)
    except ValueError as error:
        raise UsageProblem(f"--last {text}: no duration", hint="write it as 90m, 2h or 3d") from error
