"""Reading speeds: the best evidence wins, and every step away from it widens the interval."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.capacity import Break, prefill_s
from investigator.diagnosis.charts import ReadingLaws, curve
from investigator.planning import Measured, Speeds, case_speed, load_catalogue, read_measured
from tests.diagnosis.make import attempt
from tests.planning.make import ANSWERED, case_of

CATALOGUE = load_catalogue()
SPEEDS = Speeds(CATALOGUE.benchmarks, CATALOGUE.machines, CATALOGUE.models)
CODER = CATALOGUE.model("qwen3-coder:30b")
OWN = Measured(CATALOGUE.machine("M2 Ultra"), case_speed(2891, 2.889e-8, 0.09, "fitted", 74_560))
ASKED = 146_760


@pytest.mark.parametrize(
    ("machine", "basis", "confidence"),
    [
        ("M2 Ultra", "case", "high"),
        ("DGX Spark", "benchmark", "medium"),  # measured there, but not half as deep
        ("Framework Desktop", "benchmark", "medium"),
        ("ROG Flow Z13", "benchmark", "medium"),
        ("nvidia-rtx-3090", "scaled", "medium"),
        ("apple-m3-ultra-512", "peak", "low"),
        ("apple-m5-ultra-96", "peak", "low"),
        ("MI300X", "peak", "low"),
        ("dual 7900 XTX", "peak", "low"),
    ],
)
def test_the_best_evidence_wins(machine: str, basis: str, confidence: str) -> None:
    speed = SPEEDS.of(CATALOGUE.machine(machine), CODER, OWN)
    assert speed is not None
    assert (speed.basis, speed.confidence(ASKED)) == (basis, confidence)


@pytest.mark.parametrize("machine", ["Raspberry Pi 5", "apple-m6"])
def test_nothing_is_said_where_nothing_was_measured(machine: str) -> None:
    assert SPEEDS.of(CATALOGUE.machine(machine), CODER, OWN) is None


def test_other_models_on_the_machine_are_the_last_resort() -> None:
    speed = SPEEDS.of(CATALOGUE.machine("M2 Ultra"), CATALOGUE.model("gemma3:27b"))
    assert speed is not None and speed.basis == "other_models"
    assert speed.predict(8192).half_width > 0.5


@pytest.mark.parametrize(
    ("machine", "seconds"), [("M2 Ultra", 673), ("DGX Spark", 191), ("Strix Halo", 1749)]
)  # published fits of this model, of formulas.md
def test_published_fits_lie_inside(machine: str, seconds: float) -> None:
    speed = SPEEDS.of(CATALOGUE.machine(machine), CODER)
    assert speed is not None and speed.predict(ASKED).contains(seconds)


def test_the_cases_own_fit_reads_the_founding_prompt_in_about_673_s() -> None:
    read = OWN.speed.predict(ASKED)
    assert read.mid == pytest.approx(673, abs=1)
    assert read.half_width == pytest.approx(0.09, abs=0.01)
    assert OWN.speed.predict(500_000).half_width > 0.15


def test_each_step_away_from_a_measurement_widens() -> None:
    machines = ("M2 Ultra", "nvidia-rtx-3090", "nvidia-rtx-4090")
    speeds = [SPEEDS.of(CATALOGUE.machine(name), CODER, OWN) for name in machines]
    widths = [speed.predict(ASKED).half_width for speed in speeds if speed]
    assert len(widths) == 3 and widths == sorted(widths)


@given(machine=st.sampled_from(CATALOGUE.machines), new=st.integers(1, 300_000), cached=st.integers(0, 200_000))
def test_constants_give_the_bounds_of_the_prediction(machine: object, new: int, cached: int) -> None:
    from investigator.capacity import prefill_s

    speed = SPEEDS.of(machine, CODER, OWN)  # type: ignore[arg-type]
    if speed is None:
        return
    told = speed.predict(new, cached)
    r0, c = speed.constants(new, cached)
    assert float(prefill_s(new, cached, r0.high, c.low)) == pytest.approx(told.low)
    assert float(prefill_s(new, cached, r0.low, c.high)) == pytest.approx(told.high)
    assert told.low <= float(prefill_s(new, cached, r0.mid, c.mid)) <= told.high


def test_beyond_a_break_of_the_case_reads_are_slower_and_it_is_named() -> None:
    broken = Break(40_000, 1.9)
    plain, slowed = (case_speed(2891.0, 2.889e-8, 0.1, "fitted", 60_000, each) for each in (None, broken))
    assert slowed.predict(20_000) == plain.predict(20_000)
    assert slowed.predict(50_000).mid == pytest.approx(1.9 * plain.predict(50_000).mid)
    assert slowed.predict(50_000).low == plain.predict(50_000).low
    assert "from 40,000 tokens on" in slowed.note and "swap" in slowed.note
    r0, c = slowed.constants(50_000)
    assert float(prefill_s(50_000, 0, r0.low, c.high)) == pytest.approx(slowed.predict(50_000).high)


def test_the_break_is_found_in_the_reads_of_a_case() -> None:
    depths = [*range(4_000, 44_000, 4_000), 48_000, 52_000, 56_000]
    rows = [
        attempt(f"r{n}", minute=n, **{**ANSWERED, "work_id": f"r{n}", "asked_tokens": n, "read_tokens": n,
                                      "prefill_s": float(prefill_s(n, 0, 2891.0, 2.889e-8)) * (1.8 if n > 44_000 else 1)})
        for n in depths
    ]  # fmt: skip
    with case_of(rows) as case:
        (model,) = read_measured(case.connection, CATALOGUE).models
    assert model.break_at is not None and model.break_at.depth_tokens == 48_000
    speed = model.speed()
    assert speed is not None and "from 48,000 tokens on" in speed.note
    chart = curve(rows, ReadingLaws(rows, {}))
    assert chart is not None and "from 48,000 tokens on" in chart.note
