"""Durations and sizes as people write them in a configuration: "36h", "2 GB". A number without unit is refused."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_BYTES = {
    "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40,
}  # fmt: skip
_QUANTITY = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*$")


def seconds(text: object) -> float:
    """Seconds of "90s", "36h", "14d". Raises ValueError."""
    value, unit = _split(text, "36h")
    if unit.lower() not in _SECONDS:
        raise ValueError(f"no unit of time: {unit!r}; use one of {', '.join(_SECONDS)}")
    return value * _SECONDS[unit.lower()]


def size_bytes(text: object) -> int:
    """Bytes of "500 MB", "2GiB". Raises ValueError."""
    value, unit = _split(text, "500MB")
    if unit.upper() not in _BYTES:
        raise ValueError(f"no unit of size: {unit!r}; use one of B, KB, MB, GB, TB, KiB, MiB, GiB, TiB")
    return round(value * _BYTES[unit.upper()])


def _split(text: object, example: str) -> tuple[float, str]:
    match = _QUANTITY.match(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f'a number with its unit in quotes is needed, such as "{example}"')
    return float(match[1]), match[2]


def _short(value: float) -> str:
    for unit in ("w", "d", "h", "m"):
        if value and value % _SECONDS[unit] == 0:
            return f"{value / _SECONDS[unit]:g}{unit}"
    return f"{value:g}s"


def _short_bytes(value: int) -> str:
    for unit in ("TB", "GB", "MB", "KB"):
        if value and value % _BYTES[unit] == 0:
            return f"{value // _BYTES[unit]}{unit}"
    return f"{value}B"


Seconds = Annotated[float, BeforeValidator(seconds, json_schema_input_type=str), PlainSerializer(_short)]
Bytes = Annotated[int, BeforeValidator(size_bytes, json_schema_input_type=str), PlainSerializer(_short_bytes)]
