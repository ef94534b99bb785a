"""A drop is a finding when it is larger than asked and larger than the usual spread."""

from __future__ import annotations

from dataclasses import replace

import pytest

from investigator.scan.baselines import Measure, drops
from investigator.scan.misses import Miss, warnings

SPEED = Measure("server.log", "m", "prefill_tps", 300.0, 40)
STEADY = [400.0, 405.0, 395.0, 402.0]

CASES = {
    "a quarter slower": (SPEED, STEADY, True),
    "a little slower": (replace(SPEED, value=330.0), STEADY, False),
    "faster": (replace(SPEED, value=600.0), STEADY, False),
    "too few nights": (SPEED, STEADY[:2], False),
    "too few requests": (replace(SPEED, samples=2), STEADY, False),
    "as wild as ever": (SPEED, [200.0, 600.0, 400.0, 300.0, 500.0], False),
    "loads take longer": (replace(SPEED, kind="load_s", value=20.0), [10.0, 10.5, 9.8], True),
    "loads are quicker": (replace(SPEED, kind="load_s", value=5.0), [10.0, 10.5, 9.8], False),
    "errors where there were none": (replace(SPEED, kind="failed_share", value=0.1), [0.0, 0.0, 0.0], True),
    "one error in a thousand": (replace(SPEED, kind="failed_share", value=0.001), [0.0, 0.0, 0.0], False),
}


@pytest.mark.parametrize("measure, before, fires", CASES.values(), ids=CASES.keys())
def test_drops(measure: Measure, before: list[float], fires: bool) -> None:
    found = drops([measure], {(measure.place, measure.model, measure.kind): before}, 0.25)
    assert bool(found) == fires


def test_the_numbers_of_a_drop() -> None:
    (drop,) = drops([SPEED], {("server.log", "m", "prefill_tps"): STEADY}, 0.2)
    assert (drop.usual, drop.nights, round(drop.change, 3)) == (401.0, 4, 0.252)


MISS = Miss("prefill-outlasts-timeout", "server.log", "m", 0.92, "276 s of 300 s")
KEY = ("prefill-outlasts-timeout", "server.log", "m")


def test_a_miss_that_comes_nearer_every_night() -> None:
    (warning,) = warnings([MISS], {KEY: [0.80, 0.84, 0.88]}, 0.9)
    assert warning.per_night == pytest.approx(0.04 / 0.86)
    assert warning.nights_left == pytest.approx(2.0)


def test_a_miss_that_does_not_move_has_no_end() -> None:
    (warning,) = warnings([MISS], {KEY: [0.92, 0.92]}, 0.9)
    assert (warning.per_night, warning.nights_left) == (0.0, None)


def test_far_misses_and_hits_are_no_warning() -> None:
    assert warnings([replace(MISS, ratio=0.5), replace(MISS, ratio=1.2)], {}, 0.9) == ()
