"""Values with units, and how they read: 146,760 tokens · 6 min 15 s · 24.0 GiB."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from investigator.capacity.units import format_bytes, format_duration, format_seconds, format_tokens
from investigator.rulebook.findings import Value

UNKNOWN = "unknown"
_SUFFIX: Mapping[str, str] = {
    "tokens": " tokens",
    "tps": " tokens/s",
    "s/tok2": " s/token²",
    "GiB": " GiB",
    "s/GiB": " s/GiB",
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value as templates see it; `str()` is the default way to say it."""

    value: Value
    unit: str | None = None

    def __str__(self) -> str:
        return say(self.value, self.unit)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __eq__(self, other: object) -> bool:
        return self.value == (other.value if isinstance(other, Quantity) else other)

    def __hash__(self) -> int:
        return hash(self.value)

    def __lt__(self, other: object) -> bool:
        return _comparable(self) < _comparable(other)

    def __le__(self, other: object) -> bool:
        return _comparable(self) <= _comparable(other)

    def __gt__(self, other: object) -> bool:
        return _comparable(self) > _comparable(other)

    def __ge__(self, other: object) -> bool:
        return _comparable(self) >= _comparable(other)


def say(value: Value, unit: str | None = None) -> str:
    """A value for running text: seconds in words, bytes in binary units, `unknown` for None."""
    if unit == "s" and is_number(value):
        return format_duration(float(value))  # type: ignore[arg-type]
    return say_exact(value, unit)


def say_exact(value: Value, unit: str | None = None) -> str:
    """A value for a sum: one number with its unit (`366.9 s`, not `6 min 7 s`)."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S UTC")
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return UNKNOWN if math.isnan(value) else "without limit"
    return _say_number(float(value), unit)


def _say_number(value: float, unit: str | None) -> str:
    if unit == "s":
        return f"{value * 1000:.3g} ms" if 0 < value < 0.0095 else format_seconds(value)
    if unit in {"bytes", "bytes/tok"}:
        return format_bytes(value)
    if unit == "tokens":
        return format_tokens(value) + " tokens"
    return plain(value) + _SUFFIX.get(unit or "", "")


def plain(value: float) -> str:
    """A number without unit: thousands separated, at most four significant decimals, small ones with an exponent."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) < 1e-3:
        return f"{value:.4g}".replace("e-0", "e-")
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.4g}"


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _comparable(item: object) -> float:
    value = item.value if isinstance(item, Quantity) else item
    return float(value) if isinstance(value, int | float) else math.nan
