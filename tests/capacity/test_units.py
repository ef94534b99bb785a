"""Sizes and durations as text: GB and GiB never mix."""

from __future__ import annotations

import numpy as np
import pytest

from investigator.capacity import format_bytes, format_duration, format_gb, format_gib, format_seconds, gb, gib
from investigator.capacity.units import format_mib, format_tokens


@pytest.mark.parametrize(
    ("bytes_", "binary", "decimal"),
    [
        (25_769_803_776, "24.0 GiB", "25.8 GB"),
        (18.56e9, "17.3 GiB", "18.6 GB"),
        (51_539_607_552, "48.0 GiB", "51.5 GB"),
    ],
)
def test_one_size_in_both_units(bytes_: float, binary: str, decimal: str) -> None:
    assert (format_gib(bytes_), format_gb(bytes_)) == (binary, decimal)
    assert float(gib(bytes_)) * 2**30 == pytest.approx(float(gb(bytes_)) * 10**9)


def test_gib_over_an_array_keeps_unknowns() -> None:
    np.testing.assert_array_equal(gib(np.array([2**30, 2**31, np.nan])), [1.0, 2.0, np.nan])


@pytest.mark.parametrize(
    ("bytes_", "text"),
    [
        (0, "0 B"),
        (1023, "1,023 B"),
        (1024, "1.0 KiB"),
        (65_863_680, "62.8 MiB"),
        (2**30, "1.0 GiB"),
        (-(2**31), "-2.0 GiB"),
    ],
)
def test_format_bytes(bytes_: float, text: str) -> None:
    assert format_bytes(bytes_) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (375, "6 min 15 s"),
        (300, "5 min"),
        (59.94, "59.9 s"),
        (59.96, "60 s"),
        (0.4, "0.4 s"),
        (3600, "1 h"),
        (3661, "1 h 1 min 1 s"),
        (-90, "-1 min 30 s"),
        (0, "0 s"),
    ],
)
def test_format_duration(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(366.9, "366.9 s"), (300.0, "300 s"), (327.68, "327.7 s"), (7200, "7,200 s")]
)
def test_format_seconds(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


def test_other_formats() -> None:
    assert (format_tokens(146_760), format_mib(2**20 * 62.81)) == ("146,760", "62.8 MiB")
