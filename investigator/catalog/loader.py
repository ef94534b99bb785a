"""Read the catalogue's data files, each once and only when it is asked for.

The files are ours, so a mistake in one is a programming error: a missing or unknown key raises (KeyError, TypeError).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from investigator import yamltext

from .records import (
    AgentWindow,
    Attention,
    Benchmark,
    CloudModel,
    ContextDefaults,
    LatentAttention,
    Machine,
    ModelSpec,
    ParallelRule,
    Price,
    Recurrent,
    ServerWindow,
    TimeoutLayer,
    TokenPrice,
    WeightsFile,
    WindowRule,
)
from .versions import release

# Rows come from YAML or CSV: their values are checked by the records' constructors and by the tests.
Row = Mapping[str, Any]


@cache
def load_models() -> tuple[ModelSpec, ...]:
    """All models, in the order of the file."""
    return tuple(model_from(row) for row in _yaml("models.yaml"))


@cache
def load_machines() -> tuple[Machine, ...]:
    """All machines, in the order of the file."""
    return tuple(machine_from(row) for row in _yaml("machines.yaml"))


@cache
def load_benchmarks() -> tuple[Benchmark, ...]:
    """Published prefill and decode speeds by machine."""
    return tuple(_benchmark(row) for row in csv.DictReader(_text("benchmarks.csv").splitlines()))


@cache
def load_cloud_models() -> tuple[CloudModel, ...]:
    """Models behind an API with window and list price, in the order of the file."""
    return tuple(cloud_model_from(row) for row in _yaml("cloud_models.yaml"))


@cache
def load_timeouts() -> tuple[TimeoutLayer, ...]:
    """All limits, in the order of the file."""
    return tuple(TimeoutLayer(**_tuples(row)) for row in _yaml("timeouts.yaml"))


@cache
def load_context_defaults() -> ContextDefaults:
    """Windows believed by agents, used by servers, and Ollama's defaults by release."""
    data = _yaml("context_defaults.yaml")
    return ContextDefaults(
        agents=tuple(_agent(row) for row in data["agents"]),
        servers=tuple(ServerWindow(**_tuples(row)) for row in data["servers"]),
        ollama_windows=tuple(_window_rule(row) for row in data["ollama_windows"]),
        ollama_parallel=tuple(
            ParallelRule(release(row["since"]), tuple(row["slots"])) for row in data["ollama_parallel"]
        ),
    )


def _text(name: str) -> str:
    return (files("investigator.catalog") / name).read_text(encoding="utf-8")


def _yaml(name: str) -> Any:
    return yamltext.load(_text(name))


def _tuples(row: Row) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}


def model_from(row: Row) -> ModelSpec:
    """A model from the keys of models.yaml. KeyError or TypeError for a key that is missing or unknown."""
    values = _tuples(row)
    parameters = values.pop("parameters_b")
    values["weights"] = tuple(WeightsFile(**each) for each in row["weights"])
    shapes = {
        "attention": Attention,
        "latent_attention": LatentAttention,
        "window_attention": Attention,
        "recurrent": Recurrent,
    }
    for key, record in shapes.items():
        values[key] = record(**row[key]) if key in row else None
    return ModelSpec(total_parameters=parameters["total"] * 1e9, active_parameters=parameters["active"] * 1e9, **values)


def machine_from(row: Row) -> Machine:
    """A machine from the keys of machines.yaml. KeyError or TypeError for a key that is missing or unknown."""
    values = _tuples(row)
    price = values.pop("price_usd", None)
    values["compute"] = tuple(row.get("compute", {}).items())
    return Machine(price=Price(**price) if price else None, **values)


def cloud_model_from(row: Row) -> CloudModel:
    """A cloud model from the keys of cloud_models.yaml. KeyError or TypeError for a key that is missing or unknown."""
    values = _tuples(row)
    price, long_prompt = values.pop("price_usd_per_mtok", None), dict(values.pop("long_prompt", {}))
    above = long_prompt.pop("above_tokens", None)
    return CloudModel(
        price=TokenPrice(**price) if price else None,
        long_above_tokens=above,
        long_price=TokenPrice(**long_prompt) if long_prompt else None,
        **values,
    )


def _benchmark(row: Row) -> Benchmark:
    return Benchmark(
        machine_id=row["machine_id"],
        kind=row["kind"],
        model=row["model"],
        quant=row["quant"],
        engine=row["engine"],
        prompt_tokens=int(row["prompt_tokens"]) if row["prompt_tokens"] else None,
        depth_tokens=int(row["depth_tokens"]),
        tps=float(row["tps"]),
        source=row["source"],
    )


def _agent(row: Row) -> AgentWindow:
    values = _tuples(row)
    values["believed_window"] = str(row["believed_window"])
    output = row["max_output_default"]
    values["max_output_default"] = None if output is None else str(output)
    return AgentWindow(**values)


def _window_rule(row: Row) -> WindowRule:
    steps = row.get("by_vram") or [{"from_vram_gib": 0, "tokens": row["tokens"]}]
    return WindowRule(release(row["since"]), tuple((step["from_vram_gib"], step["tokens"]) for step in steps))
