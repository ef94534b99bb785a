"""Memory and times over windows: the founding numbers, what grows with what, and that solving agrees with checking."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.capacity import GB, GIB, KV_TYPE_BYTES
from investigator.errors import UsageProblem
from investigator.planning import (
    Catalogue,
    FitTable,
    Plan,
    Speeds,
    Where,
    budget_of,
    fit_model,
    fit_table,
    largest_window_tokens,
    load_catalogue,
    needs_of,
)

CATALOGUE: Catalogue = load_catalogue()
SPEEDS = Speeds(CATALOGUE.benchmarks, CATALOGUE.machines, CATALOGUE.models)
TYPES = sorted((name for name in KV_TYPE_BYTES if name != "none"), key=lambda name: KV_TYPE_BYTES[name])
MODELS = [model for model in CATALOGUE.models if model.weights]
MACHINES = [machine for machine in CATALOGUE.machines if machine.memory_gib]


def founding(plan: Plan | None = None, *contexts: int, memory_gib: float = 64) -> FitTable:
    return fit_model(CATALOGUE, "qwen3-coder:30b", plan, contexts, where=Where("M2 Ultra", memory_gib))


def test_the_founding_model_fits_its_machine() -> None:
    made = founding()
    last = made.rows[-1]
    assert last.window_tokens == 262_144 == made.largest_fitting_tokens
    assert last.kv_bytes == 24 * GIB
    assert round(last.weights_bytes.mid / GIB, 1) == 17.3
    assert last.limit_bytes is not None and last.limit_bytes.mid == 48 * GIB
    assert last.verdict == "fits"
    assert round(last.total_bytes.mid / GB) == 45  # what `ollama ps` prints for it
    assert made.first_limit is not None and made.first_limit.kind == "model_window"


def test_q8_0_halves_the_cache_but_not_quite() -> None:
    assert founding(Plan("q8_0"), 262_144).rows[0].kv_bytes == 12.75 * GIB


def test_a_smaller_machine_breaks_on_memory_first() -> None:
    made = fit_model(CATALOGUE, "qwen3-coder:30b", where=Where("apple-m4-pro", 24))
    assert made.first_limit is not None and made.first_limit.kind == "memory"
    assert made.rows[-1].verdict == "does_not_fit"


def test_two_cards_are_not_one_pool() -> None:
    one_pool = 2 * 24 * GIB
    made = fit_model(CATALOGUE, "qwen3-coder:30b", where=Where("threadripper-2x7900xtx"))
    limit = made.rows[-1].limit_bytes
    assert limit is not None and limit.high < one_pool
    assert any("not one pool" in note for note in made.notes)


def test_the_limit_of_the_client_breaks_before_memory() -> None:
    made = founding(Plan(timeout_s=300))
    assert made.first_limit is not None and made.first_limit.kind == "timeout"
    speed = SPEEDS.of(CATALOGUE.machine("M2 Ultra"), CATALOGUE.model("qwen3-coder:30b"))
    assert speed is not None
    tokens = made.first_limit.tokens
    assert speed.predict(tokens).high <= 300 < speed.predict(tokens + 256).high
    assert tokens < 96_000 < made.first_limit.might_tokens  # the law itself says 96,000


def test_without_a_machine_only_needs_are_told() -> None:
    made = fit_model(CATALOGUE, "qwen3-coder:30b")
    assert {row.verdict for row in made.rows} == {None}
    assert made.rows[0].read_s is None and made.rows[0].decode_tps is None


def test_a_model_without_a_known_file_is_estimated_by_its_parameters() -> None:
    (model,) = [each for each in CATALOGUE.models if not each.weights][:1]
    needs = needs_of(model)
    assert needs.quant == "Q4_K_M" and needs.weights.label == "estimated"
    assert needs.weights.mid == pytest.approx(model.total_parameters * 4.87 / 8)


def test_beyond_the_models_own_window_is_said() -> None:
    assert founding(None, 300_000).rows[0].beyond_native


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: Plan("q3_0"), "q3_0"),
        (lambda: Plan(slots=0), "slot"),
        (lambda: fit_model(CATALOGUE, "no-such-model"), "no-such-model"),
        (lambda: fit_model(CATALOGUE, "qwen3"), "several models|no model"),
        (lambda: fit_model(CATALOGUE, "qwen3-coder:30b", where=Where("toaster")), "toaster"),
        (lambda: fit_model(CATALOGUE, "qwen3-coder:30b", where=Where(None, 64)), "--memory"),
        (lambda: fit_model(CATALOGUE, "qwen3-coder:30b", quant="Q1_X"), "Q1_X"),
        (lambda: fit_model(CATALOGUE, "qwen3-coder:30b", where=Where("cpu-ddr5-5600-2ch")), "as fitted"),
        (lambda: fit_table(needs_of(MODELS[0]), contexts=[0]), "at least one token"),
    ],
)
def test_what_cannot_be_is_refused(call: object, word: str) -> None:
    assert callable(call)
    with pytest.raises(UsageProblem, match=word):
        call()


@given(
    model=st.sampled_from(MODELS),
    windows=st.tuples(st.integers(1, 2**20), st.integers(1, 2**20)),
    slots=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    types=st.tuples(st.sampled_from(TYPES), st.sampled_from(TYPES)),
)
def test_needs_grow_with_context_slots_and_bytes_per_element(
    model: object, windows: tuple[int, int], slots: tuple[int, int], types: tuple[str, str]
) -> None:
    needs = needs_of(model)  # type: ignore[arg-type]
    (small, large), (few, many) = sorted(windows), sorted(slots)
    lean, fat = sorted(types, key=TYPES.index)
    base = needs.kv_bytes(small, few, lean)
    assert base <= needs.kv_bytes(large, few, lean)
    assert base <= needs.kv_bytes(small, many, lean)
    assert base <= needs.kv_bytes(small, few, fat)
    assert needs.compute_bytes(small, few).high <= needs.compute_bytes(large, many).high


@given(
    model=st.sampled_from(MODELS),
    machine=st.sampled_from(MACHINES),
    slots=st.integers(1, 4),
    kv_type=st.sampled_from(TYPES),
)
def test_solving_agrees_with_checking(model: object, machine: object, slots: int, kv_type: str) -> None:
    needs, budget = needs_of(model), budget_of(machine)  # type: ignore[arg-type]
    made = fit_table(needs, budget, plan=Plan(kv_type, slots))
    largest = made.largest_fitting_tokens
    assert largest is not None and needs.native_window_tokens is not None
    if largest:
        assert budget.judge(needs, largest, slots, kv_type).verdict == "fits"
    if largest < needs.native_window_tokens:
        assert budget.judge(needs, largest + 256, slots, kv_type).verdict != "fits"


@given(limit=st.integers(0, 10**6), upto=st.integers(1, 10**6))
def test_the_search_finds_the_last_step(limit: int, upto: int) -> None:
    found = largest_window_tokens(lambda window: window <= limit, upto)
    assert found == (upto if upto <= limit else limit // 256 * 256)


@given(window=st.integers(256, 262_144))
def test_sums_are_in_bytes_whatever_the_unit_printed(window: int) -> None:
    row = founding(None, window).rows[0]
    parts = row.weights_bytes.mid + row.kv_bytes + row.compute_bytes.mid
    assert row.total_bytes.mid == pytest.approx(parts)
    assert row.margin_bytes is not None and row.limit_bytes is not None
    assert row.margin_bytes.mid == pytest.approx(row.limit_bytes.mid - parts)
    assert row.total_bytes.mid / GB == pytest.approx(row.total_bytes.mid / GIB * 1.073741824)
