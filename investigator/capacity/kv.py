"""Bytes of the KV cache and of recurrent state.

    KV = streams x cells x sum over layers (kv_heads x head_dim_k x b_K + kv_heads x head_dim_v x b_V)

Tested on 115 sizes printed by engines: median error 0.000 %, worst 1.44 % (a printed value rounded to 0.1 GiB).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from .sql import looked_up
from .units import Floats, as_floats

#: Bytes per cache element, block scales included (q8_0: 34 bytes for 32 elements). `none`: this half is not stored.
KV_TYPE_BYTES: Mapping[str, float] = MappingProxyType(
    {
        "f32": 4.0,
        "f16": 2.0,
        "bf16": 2.0,
        "q8_0": 34 / 32,
        "q5_1": 24 / 32,
        "q5_0": 22 / 32,
        "q4_1": 20 / 32,
        "q4_0": 18 / 32,
        "iq4_nl": 18 / 32,
        "none": 0.0,
    }
)

#: llama.cpp rounds the cells of each stream up to this many.
CELL_PADDING_TOKENS = 256

_RECURRENT_BYTES = 4  # recurrent state is f32 whatever the cache type


@dataclass(frozen=True, slots=True)
class AttentionLayers:
    """Layers of one shape. `window_tokens` None: they see, and store, the whole context."""

    layers: int
    kv_heads: int
    head_dim_k: int
    head_dim_v: int
    window_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class RecurrentLayers:
    """Layers with a state of constant size (Mamba2, gated delta net)."""

    layers: int
    d_conv: int
    d_inner: int
    d_state: int
    n_group: int


@dataclass(frozen=True, slots=True)
class KvGeometry:
    """All that stores state between tokens: attention layers of one or several shapes, and recurrent layers.

    `recurrent_known` False: there are recurrent layers of unknown size, so every size computed is a lower bound.
    """

    attention: tuple[AttentionLayers, ...]
    recurrent: RecurrentLayers | None = None
    recurrent_known: bool = True


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """How the engine lays the cache out.

    `n_ctx_tokens` is the total over slots, as llama.cpp counts it; Ollama asks for num_ctx x parallel (`for_ollama`).
    `window_type_*`: type of the sliding-window part when it differs (llama.cpp keeps it f16 since April 2026).
    `full_window`: an engine or mode without windowed caches. `padding_tokens` 1 reproduces Ollama's older estimator.
    """

    n_ctx_tokens: int
    slots: int = 1
    unified: bool = False
    ubatch_tokens: int = 512
    type_k: str = "f16"
    type_v: str = "f16"
    window_type_k: str | None = None
    window_type_v: str | None = None
    full_window: bool = False
    padding_tokens: int = CELL_PADDING_TOKENS

    @classmethod
    def for_ollama(cls, num_ctx_tokens: int, parallel: int = 1, kv_type: str = "f16") -> CacheSettings:
        """Settings of a request's `num_ctx` under `OLLAMA_NUM_PARALLEL`: the engine is asked for the product."""
        return cls(n_ctx_tokens=num_ctx_tokens * parallel, slots=parallel, type_k=kv_type, type_v=kv_type)


@dataclass(frozen=True, slots=True)
class KvBytes:
    """Bytes by how they grow: with the context, up to the window, only with the number of sequences."""

    growing_bytes: float
    window_bytes: float
    recurrent_bytes: float

    @property
    def total_bytes(self) -> float:
        return self.growing_bytes + self.window_bytes + self.recurrent_bytes


def mla_layers(layers: int, kv_lora_rank: int, rope_dim: int, transposed_copy: bool = False) -> AttentionLayers:
    """Latent attention (DeepSeek, Kimi, GLM-4.7-Flash): one compressed row per token and layer.

    `transposed_copy`: engines without flash attention store the compressed part a second time.
    """
    return AttentionLayers(layers, 1, kv_lora_rank + rope_dim, kv_lora_rank if transposed_copy else 0)


def pad_tokens(tokens: int, padding_tokens: int = CELL_PADDING_TOKENS) -> int:
    """`tokens` rounded up to a multiple of `padding_tokens`."""
    return -(-tokens // padding_tokens) * padding_tokens


def cell_count(settings: CacheSettings, window_tokens: int | None = None) -> int:
    """Cells over all streams for layers that see everything, or `window_tokens` back.

    Separate streams: `slots` times pad(ceil(n_ctx / slots)). Unified: one stream of pad(n_ctx). A window layer stores
    at most pad(window x (slots if unified else 1) + ubatch) cells per stream.
    """
    streams = 1 if settings.unified else settings.slots
    cells = pad_tokens(-(-settings.n_ctx_tokens // streams), settings.padding_tokens)
    if window_tokens is not None and not settings.full_window:
        shared_by = settings.slots if settings.unified else 1
        windowed = pad_tokens(window_tokens * shared_by + settings.ubatch_tokens, settings.padding_tokens)
        cells = min(cells, windowed)
    return streams * cells


def kv_bytes(geometry: KvGeometry, settings: CacheSettings) -> KvBytes:
    """Bytes of cache and state for `geometry` under `settings`; KeyError for a cache type not in KV_TYPE_BYTES."""
    growing = window = 0.0
    for group in geometry.attention:
        type_k, type_v = _types(group, settings)
        size = cell_count(settings, group.window_tokens) * _cell_bytes(group, type_k, type_v)
        if group.window_tokens is None:
            growing += size
        else:
            window += size
    return KvBytes(growing, window, recurrent_bytes(geometry.recurrent, settings.slots))


def kv_bytes_per_token(geometry: KvGeometry, type_k: str = "f16", type_v: str = "f16") -> float:
    """Bytes that each further token of context adds, one sequence: the layers without a window."""
    return sum(_cell_bytes(group, type_k, type_v) for group in geometry.attention if group.window_tokens is None)


def recurrent_bytes(recurrent: RecurrentLayers | None, sequences: int) -> float:
    """Bytes of convolution and state, f32 and constant in context.

    4 x sequences x layers x ((d_conv - 1)(d_inner + 2 n_group d_state) + d_inner d_state)
    """
    if recurrent is None:
        return 0.0
    convolution = (recurrent.d_conv - 1) * (recurrent.d_inner + 2 * recurrent.n_group * recurrent.d_state)
    state = recurrent.d_inner * recurrent.d_state
    return float(sequences * recurrent.layers * (convolution + state) * _RECURRENT_BYTES)


def kv_type_factor(kv_type: ArrayLike) -> Floats:
    """Size of a cache type relative to f16 (q8_0: 0.53125); NaN for a type that is not known."""
    return as_floats(looked_up(kv_type, KV_TYPE_BYTES) / KV_TYPE_BYTES["f16"])


def kv_bytes_at(
    window_tokens: ArrayLike, slots: ArrayLike, bytes_per_token_f16: ArrayLike, kv_type: ArrayLike
) -> Floats:
    """Bytes of the growing layers for a window per slot (Ollama multiplies it by the slots), cells padded to 256."""
    cells = np.ceil(as_floats(window_tokens) / CELL_PADDING_TOKENS) * CELL_PADDING_TOKENS
    return as_floats(as_floats(slots) * cells * as_floats(bytes_per_token_f16) * kv_type_factor(kv_type))


def _types(group: AttentionLayers, settings: CacheSettings) -> tuple[str, str]:
    if group.window_tokens is None:
        return settings.type_k, settings.type_v
    return settings.window_type_k or settings.type_k, settings.window_type_v or settings.type_v


def _cell_bytes(group: AttentionLayers, type_k: str, type_v: str) -> float:
    key = group.kv_heads * group.head_dim_k * KV_TYPE_BYTES[type_k]
    value = group.kv_heads * group.head_dim_v * KV_TYPE_BYTES[type_v]
    return group.layers * (key + value)
