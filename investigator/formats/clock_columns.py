"""Printed stamps to numbers, many at once: fixed layouts by position, the rest by the expressions of `convert`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from investigator.formats.convert import local_stamp, stamp_columns

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

#: Kinds of stamps by number, as stored in `stamp_kind`.
KINDS = ("none", "utc", "local", "relative", "yearless", "boot")
#: No zone offset was printed.
NO_OFFSET = np.int32(np.iinfo(np.int32).min)

_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_RFC_DATE = 19
_SLASH_GIN, _SLASH = len("2026/02/12 - 08:00:00"), len("2026/02/12 08:00:00")


@dataclass(slots=True)
class Stamps:
    """at_us: microseconds since 1970, UTC if kind says so. kind: index of KINDS; 0 means that there is no stamp.

    local: texts of this layout never have a zone.
    """

    at_us: Ints
    kind: npt.NDArray[np.int8]
    offset_s: npt.NDArray[np.int32]
    local: bool = False

    @classmethod
    def none(cls, count: int) -> Stamps:
        return cls(np.zeros(count, np.int64), np.zeros(count, np.int8), np.full(count, NO_OFFSET, np.int32))

    @classmethod
    def of_columns(cls, frame: pl.DataFrame) -> Stamps:
        """From columns stamp, stamp_kind, offset_s."""
        kind = frame["stamp_kind"].replace_strict(
            dict(zip(KINDS, range(len(KINDS)), strict=True)), return_dtype=pl.Int8
        )
        at = frame["stamp"].cast(pl.Int64).fill_null(0)
        offset = frame["offset_s"].fill_null(int(NO_OFFSET))
        return cls(at.to_numpy().copy(), kind.to_numpy().copy(), offset.to_numpy().copy())

    def at(self, where: npt.NDArray[np.bool_]) -> Stamps:
        """The stamps at these places."""
        return Stamps(self.at_us[where], self.kind[where], self.offset_s[where], self.local)

    def put(self, where: npt.NDArray[np.intp], other: Stamps) -> None:
        """Overwrite the stamps at these places, where the others say anything at all."""
        if not other.kind.all():
            where, other = where[other.kind != 0], other.at(other.kind != 0)
        self.at_us[where], self.kind[where] = other.at_us, other.kind
        # A transport that knows UTC has told the zone that a local time lacks.
        zoned = other.offset_s != NO_OFFSET if other.local else slice(None)
        self.offset_s[where[zoned]] = other.offset_s[zoned]

    def columns(self) -> pl.DataFrame:
        """Columns stamp, stamp_kind, offset_s."""
        numbers = pl.DataFrame({"stamp": self.at_us, "kind": self.kind, "offset_s": self.offset_s})
        return numbers.select(
            pl.when(pl.col("kind") != 0).then(pl.col("stamp").cast(pl.Datetime("us"))),
            pl.lit(pl.Series(KINDS)).gather(pl.col("kind")).alias("stamp_kind"),
            pl.when(pl.col("offset_s") != int(NO_OFFSET)).then("offset_s"),
        )


def rfc3339_stamps(text: pl.Series) -> Stamps:
    """Stamps of `2026-02-12T08:00:00.123+01:00` and its kin, as `convert.stamp_columns`."""
    return _decoded(text, _rfc3339, stamp_columns)


def slash_stamps(text: pl.Series) -> Stamps:
    """Stamps of `2026/02/12 - 08:00:00` and `2026/02/12 08:00:00`, as `convert.local_stamp`."""
    stamps = _decoded(text, _slashed, local_stamp)
    stamps.local = True
    return stamps


_Decoder = Callable[[Bytes], tuple[Ints, npt.NDArray[np.int32], npt.NDArray[np.bool_]]]


def _decoded(text: pl.Series, decode: _Decoder, by_expression: Callable[[pl.Expr], tuple[pl.Expr, ...]]) -> Stamps:
    """Texts of one length are decoded together; those that break the layout go the slow way."""
    stamps = Stamps.none(len(text))
    lengths = text.str.len_bytes().fill_null(0).to_numpy()
    slow = np.zeros(len(text), np.bool_)
    for length in np.unique(lengths):
        where = np.flatnonzero(lengths == length)
        if length < _RFC_DATE:
            slow[where] = length > 0
            continue
        at_us, offset_s, good = decode(_matrix(text, where, int(length)))
        kind = np.where(offset_s == NO_OFFSET, 2, 1).astype(np.int8)
        stamps.put(where, Stamps(at_us, kind, offset_s))
        slow[where] = ~good
    if slow.any():
        left = np.flatnonzero(slow)
        some = text.gather(left).to_frame("text").with_columns(pl.lit(None, pl.Int32).alias("offset_s"))
        columns = some.lazy().select(by_expression(pl.col("text"))).collect()
        stamps.kind[left] = 0
        stamps.put(left, Stamps.of_columns(columns))
    return stamps


def _matrix(text: pl.Series, where: npt.NDArray[np.intp], length: int) -> Bytes:
    """One row of bytes per text, all of this length."""
    some = text if len(where) == len(text) else text.gather(where)
    return np.frombuffer(some.str.join("").item().encode(), np.uint8).reshape(-1, length)


def _rfc3339(text: Bytes) -> tuple[Ints, npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    length = text.shape[1]
    zone = _zone_bytes(text[0])
    fraction = length - _RFC_DATE - zone
    local, good = _date_time(text, ord("-"), 11)
    good &= (text[:, 10] == ord("T")) | (text[:, 10] == ord(" "))
    if fraction == 1 or fraction < 0:
        good[:] = False
    elif fraction > 1:
        digits = text[:, 20 : _RFC_DATE + fraction] - np.uint8(ord("0"))
        good &= ((text[:, 19] == ord(".")) | (text[:, 19] == ord(","))) & (digits < 10).all(axis=1)
        for place in range(min(6, fraction - 1)):
            local += digits[:, place] * np.int64(10 ** (5 - place))
    offset = np.full(len(text), NO_OFFSET, np.int32)
    if zone:
        offset, zoned = _offset(text[:, length - zone :])
        good &= zoned
        local -= offset.astype(np.int64) * 1_000_000
    return local, offset, good


def _zone_bytes(first: Bytes) -> int:
    if first[-1] == ord("Z"):
        return 1
    return next((size for size in (6, 5) if first[-size] in b"+-"), 0) if len(first) > _RFC_DATE + 4 else 0


def _offset(zone: Bytes) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """Seconds east of UTC of `Z`, `+01:00`, `+0100`, and whether the text is one."""
    if zone.shape[1] == 1:
        return np.zeros(len(zone), np.int32), zone[:, 0] == ord("Z")
    digits = zone[:, (1, 2, -2, -1)] - np.uint8(ord("0"))
    good = (digits < 10).all(axis=1) & ((zone[:, 0] == ord("+")) | (zone[:, 0] == ord("-")))
    if zone.shape[1] == 6:
        good &= zone[:, 3] == ord(":")
    parts = digits.astype(np.int32)
    seconds = ((parts[:, 0] * 10 + parts[:, 1]) * 60 + parts[:, 2] * 10 + parts[:, 3]) * 60
    return np.where(zone[:, 0] == ord("-"), -seconds, seconds).astype(np.int32), good


def _slashed(text: Bytes) -> tuple[Ints, npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    length = text.shape[1]
    offset = np.full(len(text), NO_OFFSET, np.int32)
    if length not in (_SLASH, _SLASH_GIN):
        return np.zeros(len(text), np.int64), offset, np.zeros(len(text), np.bool_)
    local, good = _date_time(text, ord("/"), length - 8)
    between = b" - " if length == _SLASH_GIN else b" "
    good &= (text[:, 10 : length - 8] == np.frombuffer(between, np.uint8)).all(axis=1)
    return local, offset, good


def _date_time(text: Bytes, between: int, clock: int) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Microseconds of `YYYY-MM-DD` at 0 and `HH:MM:SS` at `clock`, and which rows are valid."""
    places = [0, 1, 2, 3, 5, 6, 8, 9, *(clock + step for step in (0, 1, 3, 4, 6, 7))]
    digits = text[:, places] - np.uint8(ord("0"))
    good = (digits < 10).all(axis=1) & (text[:, 4] == between) & (text[:, 7] == between)
    good &= (text[:, clock + 2] == ord(":")) & (text[:, clock + 5] == ord(":"))
    d = digits.T.astype(np.int64)
    year = ((d[0] * 10 + d[1]) * 10 + d[2]) * 10 + d[3]
    month, day, hour, minute, second = (d[i] * 10 + d[i + 1] for i in (4, 6, 8, 10, 12))
    leap = (month == 2) & (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    good &= (year > 0) & (month >= 1) & (month <= 12) & (hour < 24) & (minute < 60) & (second < 60)
    good &= (day >= 1) & (day <= _DAYS[np.clip(month - 1, 0, 11)] + leap)
    seconds = ((_days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
    return seconds * 1_000_000, good


def _days(year: Ints, month: Ints, day: Ints) -> Ints:
    """Days since 1970-01-01 in the Gregorian calendar (H. Hinnant, chrono-compatible date algorithms)."""
    year = year - (month <= 2)
    era_year = year % 400
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return (year // 400) * 146_097 + era_year * 365 + era_year // 4 - era_year // 100 + day_of_year - 719_468
