"""Binary and decimal sizes, and how they are printed.

Bytes and seconds are carried as plain numbers everywhere; only these functions turn them into text, so that GB (10^9)
and GiB (2^30) cannot be mixed on the way.
"""

from __future__ import annotations

from typing import TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .sql import Sql

KIB = 2**10
MIB = 2**20
GIB = 2**30
MB = 10**6
GB = 10**9

Floats: TypeAlias = NDArray[np.float64]


def as_floats(value: ArrayLike | Sql) -> Floats:
    """`value` as float64 array; a scalar becomes a 0-d array, None becomes NaN. An expression stays one (`sql`)."""
    if isinstance(value, Sql):
        return cast(Floats, value)
    return np.asarray(value, dtype=np.float64)


def gib(bytes_: ArrayLike) -> Floats:
    """Bytes as GiB (2^30 bytes): the unit of engine logs and of machine memory."""
    return as_floats(bytes_) / GIB


def gb(bytes_: ArrayLike) -> Floats:
    """Bytes as GB (10^9 bytes): the unit of `ollama list`, `ollama ps` and of bandwidth figures."""
    return as_floats(bytes_) / GB


def format_gib(bytes_: float, digits: int = 1) -> str:
    """`25769803776` -> `24.0 GiB`."""
    return f"{bytes_ / GIB:,.{digits}f} GiB"


def format_gb(bytes_: float, digits: int = 1) -> str:
    """`25769803776` -> `25.8 GB`."""
    return f"{bytes_ / GB:,.{digits}f} GB"


def format_mib(bytes_: float, digits: int = 1) -> str:
    """`1048576` -> `1.0 MiB`."""
    return f"{bytes_ / MIB:,.{digits}f} MiB"


def format_bytes(bytes_: float) -> str:
    """Bytes in the largest binary unit that keeps one digit before the point: `512 B`, `1.5 KiB`, `24.0 GiB`."""
    for size, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if abs(bytes_) >= size:
            return f"{bytes_ / size:,.1f} {name}"
    return f"{bytes_:,.0f} B"


def format_tokens(tokens: float) -> str:
    """`146760` -> `146,760`."""
    return f"{tokens:,.0f}"


def format_seconds(seconds: float, digits: int = 1) -> str:
    """One number with a unit: `366.9` -> `366.9 s`; a whole number has no decimals (`300 s`), a part of a second three
    digits that count (`0.171 s`).
    """
    if 0 < abs(seconds) < 1:
        return f"{seconds:.3g} s"
    rounded = round(seconds, digits)
    return f"{rounded:,.0f} s" if rounded == int(rounded) else f"{rounded:,.{digits}f} s"


def format_duration(seconds: float) -> str:
    """Whole seconds in words a person reads at a glance: `375` -> `6 min 15 s`, `300` -> `5 min`, `0.4` -> `0.4 s`."""
    if abs(seconds) < 60:
        return format_seconds(seconds)
    sign = "-" if seconds < 0 else ""
    minutes, rest_s = divmod(round(abs(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (rest_s, "s"))
    return sign + " ".join(f"{number} {unit}" for number, unit in parts if number)
