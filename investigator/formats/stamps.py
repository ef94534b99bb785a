"""Time stamps as agents print them: ISO text or Unix numbers. Nothing is guessed: no zone printed, no zone known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_EPOCH = datetime(1970, 1, 1)
#: From here on a Unix number is in milliseconds (13 digits; agent-logs.md §0.7), and from there in microseconds.
_MILLISECONDS_FROM = 1e11
_NANOSECONDS_FROM = 1e17


class Stamp(NamedTuple):
    """at: without zone; UTC if kind is 'utc'. offset_s: the zone that was printed, in seconds east of UTC."""

    at: datetime | None
    kind: str
    offset_s: int | None = None


NO_STAMP = Stamp(None, "none")
#: Longest form that ends in Z and is taken without a time zone object: 2026-11-02T09:00:00.123456Z.
_ZULU_CHARS = 27


def iso_stamp(text: str | None) -> Stamp:
    """ISO 8601, with `Z`, an offset or no zone; anything else has no stamp."""
    if not text:
        return NO_STAMP
    try:
        if text.endswith("Z") and len(text) <= _ZULU_CHARS:
            naive = datetime.fromisoformat(text[:-1])
            return Stamp(naive, "utc", 0) if naive.tzinfo is None else NO_STAMP
        at = datetime.fromisoformat(text)
        offset = at.utcoffset()
        if offset is None:
            return Stamp(at, "local")
        return Stamp(at.astimezone(UTC).replace(tzinfo=None), "utc", int(offset.total_seconds()))
    except (ValueError, OverflowError):
        return NO_STAMP


def epoch_time(value: float | int | None) -> datetime | None:
    """A Unix number in s, ms or ns (decided by its size) as UTC without zone; None when it cannot be a time."""
    if value is None or not 0 < value < 1e20:
        return None
    divisor = 1e9 if value >= _NANOSECONDS_FROM else 1e3 if value >= _MILLISECONDS_FROM else 1
    try:
        if isinstance(value, int):
            return _EPOCH + timedelta(microseconds=value * 1_000_000 // int(divisor))
        return _EPOCH + timedelta(seconds=value / divisor)
    except (OverflowError, ValueError):
        return None


def epoch_stamp(value: float | int | None) -> Stamp:
    """The same as a stamp: a Unix number is UTC by definition."""
    at = epoch_time(value)
    return NO_STAMP if at is None else Stamp(at, "utc", 0)
