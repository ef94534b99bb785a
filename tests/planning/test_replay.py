"""Failed attempts in other worlds, and the load on other machines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from investigator.capacity import GIB
from investigator.casefile.case import Case
from investigator.errors import UsageProblem
from investigator.planning import (
    Asked,
    Catalogue,
    Ground,
    IncidentLoad,
    MachineTable,
    ScenarioResult,
    compare_machines,
    fit_model,
    load_catalogue,
    parts,
    read_measured,
    replay,
    scenarios,
)
from investigator.rulebook.load import load_rules
from investigator.rulebook.pack import RuleSet
from tests.planning.make import FOUNDING, case_of, founding_rows

WINDOW = 262_144


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="module")
def rules(rules_dir: Path) -> RuleSet:
    names = ["prefill-outlasts-timeout", "window-capped-below-native", "prompt-cut-to-window"]
    return load_rules([rules_dir / f"{name}.yaml" for name in names])


@pytest.fixture(scope="module")
def case() -> Iterator[Case]:
    with case_of(founding_rows(), parent="qwen3-coder:30b") as made:
        yield made


@pytest.fixture(scope="module")
def ground(case: Case, catalogue: Catalogue) -> Ground:
    facts = read_measured(case.connection, catalogue)
    return Ground(catalogue, facts, facts.models[0])


def failed() -> tuple[dict[str, Any], ...]:
    return tuple(row for row in founding_rows() if row["failed"])


def results(case: Case, rules: RuleSet, ground: Ground, asked: Asked) -> dict[str, ScenarioResult]:
    made = scenarios(parts(ground.catalogue, asked), ground)
    return {result.say: result for result in replay(case.connection, rules, failed(), made)}


def test_what_the_logs_say_beats_the_catalogue(ground: Ground) -> None:
    model, facts = ground.model, ground.case
    assert model is not None and model.spec is not None and model.spec.id == "qwen3-coder-30b-a3b"
    assert facts.machine is not None and facts.machine.id == "apple-m2-ultra"
    needs = model.needs()
    assert needs is not None and needs.weights.mid == FOUNDING["weights_bytes"]
    assert needs.kv_bytes(WINDOW) == 24 * GIB
    made = fit_model(ground.catalogue, "v-128k", case=facts)
    assert made.origin == "case" and made.speed_basis == "case"
    limit = made.rows[-1].limit_bytes
    assert limit is not None and limit.mid == 48 * GIB and made.rows[-1].verdict == "fits"


def test_a_model_without_a_known_name_is_recognised_by_its_sizes(catalogue: Catalogue) -> None:
    sizes = {"weights_bytes": 9_000_000_000, "kv_bytes_per_token": 196_608.0, "native_window_tokens": 32_768}
    for columns, wanted in ((sizes, "qwen2.5-coder-14b"), ({**sizes, "weights_bytes": 30_000_000_000}, None)):
        with case_of([{**row, **columns} for row in founding_rows()], chip=None) as unnamed:
            facts = read_measured(unnamed.connection, catalogue)
        spec = facts.models[0].spec
        assert facts.machine is None and (spec.id if spec else None) == wanted


def test_a_name_that_the_sizes_refute_is_not_believed(catalogue: Catalogue) -> None:
    with case_of(founding_rows(), parent="llama3.1:8b") as wrong:
        assert read_measured(wrong.connection, catalogue).models[0].spec is None


def test_the_machine_of_the_logs_keeps_its_memory(case: Case, rules: RuleSet, ground: Ground) -> None:
    found = results(case, rules, ground, Asked(machines=("Apple M2 Ultra",)))
    (result,) = found.values()
    assert result.memory is not None and result.memory.limit_bytes.mid == 48 * GIB
    found = results(case, rules, ground, Asked(machines=("Apple M2 Ultra",), memory_gib=192))
    (result,) = found.values()
    assert result.memory is not None and result.memory.limit_bytes.mid == 144 * GIB


def test_each_change_alone_fails_and_both_pass(case: Case, rules: RuleSet, ground: Ground) -> None:
    found = results(case, rules, ground, Asked(timeouts_s=(900.0,), windows_tokens=(WINDOW,)))
    assert {say: result.verdict for say, result in found.items()} == {
        "limit 15 min": "fails",
        "window 262,144": "fails",
        "limit 15 min and window 262,144": "passes",
    }
    both = found["limit 15 min and window 262,144"]
    assert [fate.fate for fate in both.attempts] == ["passes", "not_needed", "not_needed"]
    read = both.attempts[0].reading_s
    assert read is not None and read.mid == pytest.approx(673, abs=1)
    assert both.memory is not None and both.memory.verdict == "fits"
    assert (both.passing_calls, both.total_calls) == (3, 3)


def test_a_limit_inside_the_interval_might_pass(case: Case, rules: RuleSet, ground: Ground) -> None:
    found = results(case, rules, ground, Asked(timeouts_s=(680.0,), windows_tokens=(WINDOW,)))
    assert found["limit 11 min 20 s and window 262,144"].verdict == "might"


def test_a_cached_prefix_is_the_quick_way_out(case: Case, rules: RuleSet, ground: Ground) -> None:
    found = results(case, rules, ground, Asked(windows_tokens=(WINDOW,), cached_tokens=(None, 120_000, 1_000)))
    assert found["window 262,144 and whole prefix cached"].verdict == "passes"
    assert found["window 262,144 and 120,000 tokens cached"].verdict == "passes"
    assert found["window 262,144 and 1,000 tokens cached"].verdict == "fails"
    assert found["whole prefix cached"].verdict == "fails"  # the prompt is still cut


def test_what_does_not_fit_fails_whatever_the_limit(case: Case, rules: RuleSet, ground: Ground) -> None:
    found = results(case, rules, ground, Asked(timeouts_s=(9000.0,), windows_tokens=(WINDOW,), slots=(2,)))
    both = found["limit 2 h 30 min and window 262,144 and 2 slot(s)"]
    assert both.verdict == "fails" and both.memory is not None and both.memory.verdict == "does_not_fit"
    assert both.attempts[0].why[0].startswith("memory: needs 66.")


def test_q8_0_makes_two_slots_fit(case: Case, rules: RuleSet, ground: Ground) -> None:
    asked = Asked(timeouts_s=(9000.0,), windows_tokens=(WINDOW,), slots=(2,), kv_types=("q8_0",))
    last = list(results(case, rules, ground, asked).values())[-1]
    assert last.verdict == "passes" and last.memory is not None and last.memory.verdict == "fits"


def test_another_model_says_that_it_counts_otherwise(case: Case, rules: RuleSet, ground: Ground) -> None:
    found = results(case, rules, ground, Asked(models=("qwen3.6:35b",), timeouts_s=(900.0,)))
    assert any("another number of tokens" in note for result in found.values() for note in result.notes)


def test_too_many_combinations_are_refused(ground: Ground) -> None:
    many = Asked(timeouts_s=tuple(map(float, range(10))), windows_tokens=tuple(range(1, 8)))
    with pytest.raises(UsageProblem, match="combinations"):
        scenarios(parts(ground.catalogue, many), ground)


CAPPED = "The window was set below what the model supports, and the prompt needed more"


@pytest.fixture(scope="module")
def machines(case: Case, rules: RuleSet, ground: Ground) -> MachineTable:
    load = IncidentLoad("i", "t", failed(), "m", WINDOW, (CAPPED,), ())
    return compare_machines(case.connection, rules, load, ground)


def test_the_machines_of_the_founding_incident_are_compared(machines: MachineTable) -> None:
    names = " ".join(row.name for row in machines.rows)
    for wanted in ("DGX Spark", "M2 Ultra", "M3 Ultra", "M5 Ultra", "Framework Desktop", "ROG Flow Z13", "7900 XTX",
                   "MI300X", "Mac mini", "Raspberry Pi 5"):  # fmt: skip
        assert wanted in names


def test_that_no_purchase_fixes_it_is_said_first(machines: MachineTable) -> None:
    assert machines.sentence.startswith("No purchase fixes this incident by itself: on each of them the window was set")
    assert {row.alone for row in machines.rows} == {"fails"}
    assert machines.remarks[-1] == (
        "Without any purchase it passes with a window of 262,144 tokens and a limit of 15 min."
    )


def test_machines_are_in_the_order_of_their_use(machines: MachineTable) -> None:
    assert machines.rows[0].is_present
    ranks = [("passes", "might", "fails").index(row.with_window or row.alone) for row in machines.rows[1:]]
    assert ranks == sorted(ranks)
    assert machines.timeout_s == 300


def test_a_price_is_of_the_memory_that_it_buys(machines: MachineTable) -> None:
    rows = {row.machine_id: row for row in machines.rows}
    largest = rows["apple-m5-ultra-256"]
    assert largest.price is not None and (largest.memory_gib, largest.price.amount) == (256, 10_799)
    assert rows["apple-m2-ultra"].price is None


def test_fewer_reasons_do_not_change_a_verdict(case: Case, rules: RuleSet, ground: Ground) -> None:
    worlds = scenarios(
        parts(ground.catalogue, Asked(machines=("dgx spark", "rpi5-16"), windows_tokens=(WINDOW,))), ground
    )
    fully, shortly = (replay(case.connection, rules, failed(), worlds, all_reasons=flag) for flag in (True, False))
    assert [r.verdict for r in fully] == [r.verdict for r in shortly]


@pytest.mark.parametrize(
    ("machine_id", "with_window", "memory", "confidence"),
    [
        ("nvidia-dgx-spark", "passes", "fits", "medium"),
        ("apple-m2-ultra", "fails", "fits", "high"),
        ("amd-strix-halo-128", "fails", "fits", "medium"),
        ("apple-m6", "fails", "does_not_fit", "high"),
        ("rpi5-16", "fails", "does_not_fit", "high"),
        ("amd-mi300x", "might", "fits", "low"),
    ],
)
def test_a_machine(machines: MachineTable, machine_id: str, with_window: str, memory: str, confidence: str) -> None:
    row = next(row for row in machines.rows if row.machine_id == machine_id)
    assert (row.with_window, row.memory, row.confidence) == (with_window, memory, confidence)


def test_the_spark_reads_it_in_about_191_s(machines: MachineTable) -> None:
    spark = next(row for row in machines.rows if row.machine_id == "nvidia-dgx-spark")
    assert spark.reading_s is not None and spark.reading_s.contains(191)
    assert spark.price is not None and (spark.price.amount, spark.price.verified) == (4699, True)
