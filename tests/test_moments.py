"""Moments as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from investigator.errors import UsageProblem
from investigator.moments import moment, written_moment

NOW = datetime(2026, 2, 18, 12, 30, tzinfo=UTC)

WRITTEN = {
    "2 days ago": NOW - timedelta(days=2),
    "an hour ago": NOW - timedelta(hours=1),
    "yesterday": NOW - timedelta(days=1),
    "2026-02-17T11:00Z": datetime(2026, 2, 17, 11, tzinfo=UTC),
    "2026-02-17 11:00+01:00": datetime(2026, 2, 17, 10, tzinfo=UTC),
    "2026-02-17 11:00": datetime(2026, 2, 17, 11),
    "11:15": datetime(2026, 2, 18, 11, 15),
    "2026-02-17": datetime(2026, 2, 17),
}


@pytest.mark.parametrize(("text", "meant"), WRITTEN.items())
def test_a_moment(text: str, meant: datetime) -> None:
    found = written_moment(text, NOW)
    assert found == meant and (found.tzinfo is None) == (meant.tzinfo is None)
    assert moment(text, NOW) == (meant if meant.tzinfo else meant.replace(tzinfo=UTC))


@pytest.mark.parametrize("text", ["", "soonish", "2026-02-31", "99999999999999999999"])
def test_no_moment(text: str) -> None:
    with pytest.raises(UsageProblem, match="no moment"):
        written_moment(text, NOW)
