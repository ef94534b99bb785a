"""What changed since the last night."""

from __future__ import annotations

import pytest

from investigator.scan.nights import Known, Seen, compare


def one(identity: str, calls: int = 4, severity: str = "high", place: str = "server.log") -> Seen:
    return Seen(identity, "title", "runner_crash", severity, "sentence", "m", place, calls)  # type: ignore[arg-type]


def known(*seen: Seen, night: int = 3, nights: int = 2) -> dict[str, Known]:
    return {each.identity: Known(each, night, nights) for each in seen}


CHANGES = {
    "not there before": ([one("a")], {}, [("a", "new", 1)]),
    "the same again": ([one("a")], known(one("a")), [("a", "continuing", 3)]),
    "half as many calls more": ([one("a", 6)], known(one("a", 4)), [("a", "continuing", 3)]),
    "more than that": ([one("a", 7)], known(one("a", 4)), [("a", "worse", 3)]),
    "higher severity": ([one("a", 4, "critical")], known(one("a")), [("a", "worse", 3)]),
    "far fewer calls": ([one("a", 1)], known(one("a", 4)), [("a", "better", 3)]),
    "its logs were read and it is not there": ([], known(one("a")), [("a", "gone", 2)]),
    "its logs were not read": ([], known(one("a", place="other.log")), []),
    "twice in one night, worst first": (
        [one("b", 1, "low"), one("a", 1), one("a", 2)],
        {},
        [("a", "new", 1), ("b", "new", 1)],
    ),
}


@pytest.mark.parametrize("tonight, before, told", CHANGES.values(), ids=CHANGES.keys())
def test_changes(tonight: list[Seen], before: dict[str, Known], told: list[tuple[str, str, int]]) -> None:
    found = compare(tonight, before, 5, frozenset({"server.log"}))
    assert [(t.seen.identity, t.change, t.nights) for t in found] == told
