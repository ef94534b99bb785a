"""The data files: complete, consistent with themselves and with what they were made from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from investigator.capacity import CacheSettings, MachineKind, geometry_of, kv_bytes, kv_bytes_per_token
from investigator.catalog import (
    find_machine,
    find_model,
    load_benchmarks,
    load_context_defaults,
    load_machines,
    load_models,
    load_timeouts,
)
from investigator.catalog.records import TimeoutKind
from investigator.yamltext import load as load_yaml


@pytest.fixture(scope="module")
def knowledge(shared: Path) -> Any:
    def load(name: str) -> Any:
        return load_yaml((shared / "knowledge" / name).read_text(encoding="utf-8"))

    return load


def test_prices_have_a_date_and_nothing_else_in_it() -> None:
    dates = {machine.price.date for machine in load_machines() if machine.price}
    assert [date for date in dates if not re.fullmatch(r"20\d\d(-\d\d)?", date)] == []


@pytest.mark.parametrize("load", [load_models, load_machines, load_timeouts])
def test_ids_are_unique(load: Any) -> None:
    ids = [entry.id for entry in load()]
    assert len(set(ids)) == len(ids) > 70


def test_what_has_no_source_is_not_called_verified() -> None:
    assert all(model.sources for model in load_models())
    assert all(layer.evidence for layer in load_timeouts())
    assert [m.id for m in load_machines() if m.bandwidth_verified and not m.sources] == []


@pytest.mark.parametrize("model", load_models(), ids=lambda model: model.id)
def test_a_model_is_consistent(model: Any) -> None:
    assert (model.attention is None) != (model.latent_attention is None)
    counted = [
        each for each in (model.attention, model.latent_attention, model.window_attention, model.recurrent) if each
    ]
    assert sum(each.layers for each in counted) <= model.layers
    assert 0 < model.active_parameters <= model.total_parameters
    for file in model.weights:
        if file.size_bytes is not None:
            assert file.listed_gb <= file.size_bytes / 1e9 + 0.5 and file.size_bytes / 1e9 < file.listed_gb + 1
    assert kv_bytes(geometry_of(model), CacheSettings.for_ollama(model.native_window_tokens)).total_bytes > 0


def test_models_say_what_they_were_made_from(knowledge: Any) -> None:
    source = {row["id"]: row for row in knowledge("models.yaml")["models"]}
    assert [model.id for model in load_models()] == list(source)
    for model in load_models():
        row = source[model.id]
        assert kv_bytes_per_token(geometry_of(model)) == row["kv_bytes_per_token_f16"], model.id
        assert model.native_window_tokens == row["native_context"]
        assert [(w.quant, w.listed_gb, w.verified) for w in model.weights] == [
            (w["quant"], w["listed_gb"], w["verified"]) for w in row["weights"]
        ]
        assert row["status"].startswith(model.geometry)
        printed = row.get("recurrent_state", {}).get("mib_per_sequence")
        if printed:
            state = kv_bytes(geometry_of(model), CacheSettings(4096)).recurrent_bytes / 2**20
            assert state == pytest.approx(printed, abs=0.01), model.id


def test_timeouts_say_what_they_were_made_from(knowledge: Any) -> None:
    source = {row["id"]: row for row in knowledge("timeouts.yaml")}
    assert [layer.id for layer in load_timeouts()] == list(source)
    for layer in load_timeouts():
        row = source[layer.id]
        assert (layer.component, layer.kind, layer.seconds) == (row["component"], row["kind"], row["seconds"])
        assert (list(layer.error_texts), layer.verified) == (row["error_texts"], row["verified"])
        assert layer.kind in get_args(TimeoutKind)


def test_machines_say_what_they_were_made_from(knowledge: Any) -> None:
    source = {row["id"]: row for row in knowledge("hardware.yaml")["machines"]}
    assert [machine.id for machine in load_machines()] == list(source)
    for machine in load_machines():
        row = source[machine.id]
        assert machine.bandwidth_gb_s == row["bandwidth_gb_s"]
        sizes = [size * machine.cards for size in machine.memory_gib]
        assert sizes == (row["memory_gb"] if isinstance(row["memory_gb"], list) else [])
        assert (machine.price is None) == (row["price_usd"] is None)


def test_machine_kinds_are_those_of_capacity() -> None:
    assert {machine.kind for machine in load_machines()} <= {kind.value for kind in MachineKind}


def test_benchmarks_belong_to_machines() -> None:
    ids = {machine.id for machine in load_machines()}
    rows = load_benchmarks()
    assert len(rows) > 150
    assert all(row.machine_id in ids and row.tps > 0 for row in rows)
    assert all((row.prompt_tokens is None) == (row.kind == "decode") for row in rows)


def test_context_defaults_cover_agents_and_servers() -> None:
    defaults = load_context_defaults()
    assert len(defaults.agents) == 24
    assert {server.server for server in defaults.servers} == {"Ollama", "llama-server", "vLLM", "LM Studio"}
    assert all(agent.fallback_window_tokens != 0 for agent in defaults.agents)


def test_founding_model_and_machine() -> None:
    model, machine = find_model("qwen3-coder:30b"), find_machine("Apple M2 Ultra", memory_gib=64)
    assert model is not None and machine is not None
    assert model.native_window_tokens == 262_144
    size = model.file("q4_k_m")
    assert size is not None and size.size_bytes == 18_560_000_000
    assert (machine.bandwidth_gb_s, machine.kind) == (800, "macos_unified")


def test_recurrent_layers_of_unknown_size_are_named() -> None:
    model = find_model("granite4:micro-h")
    assert model is not None and model.recurrent is not None
    assert not model.recurrent.known
    assert not geometry_of(model).recurrent_known
