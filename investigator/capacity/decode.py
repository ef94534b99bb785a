"""Tokens per second while answering, bounded by how fast memory delivers the active weights and the cache.

    tok/s = efficiency x bandwidth / (active weight bytes + cache bytes at this depth)

Efficiencies are those implied by 95 public measurements of a single stream; batching and speculative decoding print
larger sums. Latent attention (MLA) at depth is bound by compute and falls below the byte model.
"""

from __future__ import annotations

from enum import StrEnum

from .interval import Interval
from .units import GB


class Backend(StrEnum):
    """What runs the model: mixtures of experts reach a different share of the bandwidth on each."""

    METAL = "metal"
    CUDA = "cuda"
    STRIX_HALO = "strix_halo"
    RADEON = "radeon"
    CPU = "cpu"
    UNKNOWN = "unknown"


_DENSE = (0.44, 0.72, 0.90)
_DENSE_CPU = (0.40, 0.56, 0.72)
_MIXTURE: dict[Backend, tuple[float, float, float]] = {
    Backend.METAL: (0.25, 0.37, 0.52),
    Backend.CUDA: (0.52, 0.70, 0.84),
    Backend.STRIX_HALO: (0.44, 0.61, 0.76),
    Backend.RADEON: (0.28, 0.36, 0.48),
    Backend.CPU: (0.28, 0.48, 0.72),
    Backend.UNKNOWN: (0.26, 0.48, 0.78),
}
_LATENT_LOW = 0.12  # GLM-4.7-Flash on M2 Ultra reached 0.14 at 32k
_LAUNCH_S = 0.0015  # per token, at worst: an 8B model on A100 and H100 reaches half of what larger ones do


def decode_efficiency(moe: bool, backend: Backend = Backend.UNKNOWN, latent_attention: bool = False) -> Interval:
    """Share of the memory bandwidth that decoding reaches."""
    dense = _DENSE_CPU if backend is Backend.CPU else _DENSE
    low, mid, high = _MIXTURE[backend] if moe else dense
    return Interval(min(low, _LATENT_LOW) if latent_attention else low, mid, high, "estimated")


def decode_ceiling_tps(bandwidth_gb_s: float, active_weight_bytes: float, kv_bytes_at_depth: float = 0.0) -> float:
    """Tokens/s that no single stream can exceed. Bandwidth is decimal: 800 GB/s = 8e11 bytes/s."""
    return bandwidth_gb_s * GB / (active_weight_bytes + kv_bytes_at_depth)


def decode_tps_interval(
    bandwidth_gb_s: float,
    active_weight_bytes: float,
    kv_bytes_at_depth: float = 0.0,
    moe: bool = False,
    backend: Backend = Backend.UNKNOWN,
    latent_attention: bool = False,
) -> Interval:
    """Tokens/s of one stream. With cards that share layers, the bandwidth of one card (it does not add up)."""
    ceiling = decode_ceiling_tps(bandwidth_gb_s, active_weight_bytes, kv_bytes_at_depth)
    rate = decode_efficiency(moe, backend, latent_attention) * ceiling
    return Interval(1 / (1 / rate.low + _LAUNCH_S), rate.mid, rate.high, "estimated")
