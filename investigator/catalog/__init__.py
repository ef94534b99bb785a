"""Models, machines, timeouts and context defaults as data files with sources; what a case's own logs say beats them."""

from .loader import load_benchmarks, load_context_defaults, load_machines, load_models, load_timeouts
from .lookup import (
    find_agent_windows,
    find_machine,
    find_machines,
    find_model,
    find_models,
    ollama_default_slots,
    ollama_default_window_tokens,
)
from .records import (
    AgentWindow,
    Attention,
    Benchmark,
    ContextDefaults,
    LatentAttention,
    Machine,
    ModelSpec,
    Price,
    Recurrent,
    ServerWindow,
    TimeoutLayer,
    WeightsFile,
)
from .timeouts import TimeoutMatch, find_timeout, match_timeouts

__all__ = [
    "AgentWindow",
    "Attention",
    "Benchmark",
    "ContextDefaults",
    "LatentAttention",
    "Machine",
    "ModelSpec",
    "Price",
    "Recurrent",
    "ServerWindow",
    "TimeoutLayer",
    "TimeoutMatch",
    "WeightsFile",
    "find_agent_windows",
    "find_machine",
    "find_machines",
    "find_model",
    "find_models",
    "find_timeout",
    "load_benchmarks",
    "load_context_defaults",
    "load_machines",
    "load_models",
    "load_timeouts",
    "match_timeouts",
    "ollama_default_slots",
    "ollama_default_window_tokens",
]
