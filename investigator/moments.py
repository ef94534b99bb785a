"""Moments as people write them: "2 days ago", "yesterday", "2026-02-18 11:00"."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from dateutil.parser import ParserError, parse
from dateutil.relativedelta import relativedelta

from investigator.errors import UsageProblem

_AGO = re.compile(r"^\s*(\d+|an?)\s+(minute|hour|day|week|month)s?\s+ago\s*$", re.I)


def moment(text: str, now: datetime) -> datetime:
    """The moment that `text` means, seen from `now`; without a zone it is UTC. Raises UsageProblem."""
    found = written_moment(text, now)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def written_moment(text: str, now: datetime) -> datetime:
    """The same, but naive where the text names a time of day without its zone."""
    if text.strip().lower() == "yesterday":
        return now - relativedelta(days=1)
    if ago := _AGO.match(text):
        count = 1 if ago[1].lower() in ("a", "an") else int(ago[1])
        return now - relativedelta(**{f"{ago[2].lower()}s": count})  # type: ignore[arg-type]
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    try:
        return parse(text, default=midnight)
    except (ParserError, OverflowError, ValueError) as error:
        raise UsageProblem(f"no moment: {text!r}", hint='write it as "2 days ago" or 2026-02-18T11:00') from error
