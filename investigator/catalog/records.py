"""What the catalogue says: one frozen record per model, machine, timeout and context default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

GeometrySource: TypeAlias = Literal["log", "config", "unverified"]
TimeoutKind: TypeAlias = Literal[
    "connect", "headers", "body-idle", "total", "load", "keepalive", "proxy", "cron", "failover", "other"
]


@dataclass(frozen=True, slots=True)
class Attention:
    """Layers with a KV cache of one shape; `window_tokens` None: they store the whole context."""

    layers: int
    kv_heads: int
    head_dim_k: int
    head_dim_v: int
    window_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class LatentAttention:
    """MLA layers: `kv_lora_rank + rope_dim` elements per token and layer."""

    layers: int
    kv_lora_rank: int
    rope_dim: int


@dataclass(frozen=True, slots=True)
class Recurrent:
    """Layers with a constant state; the sizes are None where no published figure was found."""

    kind: str
    layers: int
    d_conv: int | None = None
    d_inner: int | None = None
    d_state: int | None = None
    n_group: int | None = None

    @property
    def known(self) -> bool:
        """Whether the state's size can be computed."""
        return None not in (self.d_conv, self.d_inner, self.d_state, self.n_group)


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A file in the library. `listed_gb`: decimal, cut to an integer from 10 up; `size_bytes`: where known better."""

    quant: str
    listed_gb: float
    verified: bool
    size_bytes: int | None = None
    source: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Geometry and files of one model. Exactly one of `attention` and `latent_attention` is set."""

    id: str
    tags: tuple[str, ...]
    architectures: tuple[str, ...]
    hf: str
    total_parameters: float
    active_parameters: float
    native_window_tokens: int
    layers: int
    attention: Attention | None
    latent_attention: LatentAttention | None
    window_attention: Attention | None
    recurrent: Recurrent | None
    weights: tuple[WeightsFile, ...]
    geometry: GeometrySource
    sources: tuple[str, ...]
    rope: str | None = None
    note: str | None = None

    @property
    def is_mixture(self) -> bool:
        """Whether only a part of the parameters is read for a token (mixture of experts)."""
        return self.active_parameters < self.total_parameters

    def file(self, quant: str) -> WeightsFile | None:
        """The file with this quantisation, upper or lower case."""
        return next((each for each in self.weights if each.quant.lower() == quant.lower()), None)


@dataclass(frozen=True, slots=True)
class Price:
    """A list price in US dollars, for a configuration at a date; `memory_gib`: which of several sizes it buys."""

    amount: float
    date: str
    verified: bool
    status: str | None = None
    memory_gib: float | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """Memory and bandwidth. `memory_gib`: sizes sold (of each card where `cards` > 1), empty when as fitted.

    `kind` is a name of `capacity.MachineKind`; `compute`: vendor peak figures, no measure of prefill; `card`: the entry
    of one card where `cards` > 1.
    """

    id: str
    name: str
    aliases: tuple[str, ...]
    kind: str
    memory_gib: tuple[float, ...]
    bandwidth_gb_s: float
    bandwidth_verified: bool
    sources: tuple[str, ...]
    cards: int = 1
    card: str | None = None
    compute: tuple[tuple[str, float], ...] = ()
    price: Price | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A published speed: `prefill` of `prompt_tokens` behind `depth_tokens`, or `decode` at a depth."""

    machine_id: str
    kind: Literal["prefill", "decode"]
    model: str
    quant: str
    engine: str
    prompt_tokens: int | None
    depth_tokens: int
    tps: float
    source: str


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """US dollars per million tokens."""

    input: float
    output: float


@dataclass(frozen=True, slots=True)
class CloudModel:
    """A model behind an API. `price` None: listed without one; `long_price`: of prompts above `long_above_tokens`."""

    id: str
    name: str
    vendor: str
    window_tokens: int
    window_verified: bool
    price: TokenPrice | None
    price_verified: bool
    date: str
    sources: tuple[str, ...]
    long_above_tokens: int | None = None
    long_price: TokenPrice | None = None
    note: str | None = None

    def cost_usd(self, input_tokens: float, output_tokens: float) -> float | None:
        """List price of one call; None where no price is known. Nothing is taken off for cached input."""
        price = self.price
        if self.long_price and self.long_above_tokens is not None and input_tokens > self.long_above_tokens:
            price = self.long_price
        return None if price is None else (input_tokens * price.input + output_tokens * price.output) / 1e6


@dataclass(frozen=True, slots=True)
class TimeoutLayer:
    """One limit between agent and model. `seconds` None: no limit by default; `keys` empty: nothing can be set.

    `fired_by`: id of the limit that ends the call here, where an agent only leaves another part's default in force.
    """

    id: str
    component: str
    kind: TimeoutKind
    seconds: float | None
    keys: tuple[str, ...]
    error_texts: tuple[str, ...]
    verified: bool
    evidence: tuple[str, ...]
    agent: str | None = None
    effective_s: tuple[float, float] | None = None
    versions: str | None = None
    applies_to: tuple[str, ...] = ()
    retries: str | None = None
    notes: str | None = None
    fired_by: str | None = None


@dataclass(frozen=True, slots=True)
class AgentWindow:
    """What an agent believes its window to be. `fallback_window_tokens` None: without a setting it knows none."""

    id: str
    agent: str
    versions: str
    believed_window: str
    window_source: str
    fallback_window_tokens: int | None
    sends_num_ctx: str
    compacts_when: str
    counts_tokens_by: str
    max_output_default: str | None
    config_keys: tuple[str, ...]
    where_logged: str
    mismatch_with_server: str
    evidence: tuple[str, ...]
    verified: bool


@dataclass(frozen=True, slots=True)
class ServerWindow:
    """What a server does with a prompt that is too long, and how its window is set."""

    id: str
    server: str
    default_window: str
    config_keys: tuple[str, ...]
    on_overflow: str
    evidence: tuple[str, ...]
    verified: bool
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class WindowRule:
    """Default `num_ctx` of Ollama from a release on: `(from this much VRAM in GiB, tokens)`, largest first."""

    since: tuple[int, int, int]
    by_vram_gib: tuple[tuple[float, int], ...]


@dataclass(frozen=True, slots=True)
class ParallelRule:
    """Default `OLLAMA_NUM_PARALLEL` from a release on: the first number of slots that fits."""

    since: tuple[int, int, int]
    slots: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ContextDefaults:
    agents: tuple[AgentWindow, ...]
    servers: tuple[ServerWindow, ...]
    ollama_windows: tuple[WindowRule, ...]
    ollama_parallel: tuple[ParallelRule, ...]
