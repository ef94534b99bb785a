"""What fits: working memory of the engine, limits by kind of machine, and the verdict with its margin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from .interval import Interval, as_interval
from .units import GIB

FitVerdict: TypeAlias = Literal["fits", "might", "does_not_fit"]

_F32_BYTES = 4
_MAC_SMALL_BYTES = 36 * GIB


class MachineKind(StrEnum):
    """How a machine's memory becomes the GPU's."""

    MACOS_UNIFIED = "macos_unified"
    DGX_SPARK = "dgx_spark"
    STRIX_HALO_LINUX = "strix_halo_linux"
    STRIX_HALO_WINDOWS = "strix_halo_windows"
    UNIFIED = "unified"
    DISCRETE = "discrete"
    CPU = "cpu"


#: Share of memory that the GPU may use (low, usual, high). Spark: 119.5 of 128 GiB visible; Strix Halo on Linux:
#: 108-120 of 128 with a raised GTT limit, on Windows 96. Other shared-memory boards: a guess, the OS takes its part.
_UNIFIED_SHARES: dict[MachineKind, tuple[float, float, float]] = {
    MachineKind.DGX_SPARK: (119.5 / 128, 119.5 / 128, 119.5 / 128),
    MachineKind.STRIX_HALO_LINUX: (108 / 128, 114 / 128, 120 / 128),
    MachineKind.STRIX_HALO_WINDOWS: (0.75, 0.75, 0.75),
    MachineKind.UNIFIED: (0.70, 0.80, 0.90),
    MachineKind.CPU: (0.75, 0.85, 0.92),
}


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a need stays within a limit; `margin_bytes` is limit - need, negative when it is exceeded."""

    verdict: FitVerdict
    need_bytes: Interval
    limit_bytes: Interval
    margin_bytes: Interval


def gpu_limit_bytes(kind: MachineKind, memory_bytes: float, wired_limit_bytes: float | None = None) -> Interval:
    """Bytes that weights, cache and buffers may take together.

    macOS: the GPU working set is 2/3 of memory up to 36 GiB machines, 3/4 above, unless `iogpu.wired_limit_mb` was
    raised (`wired_limit_bytes`). Discrete cards lose 0.3-0.6 GiB to the driver (a desktop takes 0.5-1.5 GiB more). For
    several cards ask per card (`fits_on_cards`).
    """
    if kind is MachineKind.MACOS_UNIFIED:
        share = 2 / 3 if memory_bytes <= _MAC_SMALL_BYTES else 3 / 4
        return Interval.exact(wired_limit_bytes or memory_bytes * share, "derived")
    if kind is MachineKind.DISCRETE:
        return memory_bytes - Interval(0.3 * GIB, 0.45 * GIB, 0.6 * GIB, "estimated")
    low, mid, high = (memory_bytes * share for share in _UNIFIED_SHARES[kind])
    return Interval(low, mid, high, "estimated")


def compute_buffer_bytes(
    n_vocab: int, ubatch_tokens: int, n_ctx_tokens: int, flash_attention: bool, n_head: int = 0
) -> Interval:
    """Bytes of graph buffers on one device, dominated by f32 logits of a whole micro-batch.

    With flash attention: from 1.03 x 4 n_vocab ubatch up to that plus 4 n_ctx ubatch plus 0.1 GiB (23 of 44 printed
    buffers lie within 7 % of the first term; partly offloaded mixtures scatter from 0.3 to 3.4 times). Without:
    max(4 n_vocab ubatch, 4 n_head n_ctx ubatch + 0.05 to 0.13 GiB). Each extra device repeats it.
    """
    logits = _F32_BYTES * n_vocab * ubatch_tokens
    if flash_attention:
        first = 1.03 * logits
        mask = _F32_BYTES * n_ctx_tokens * ubatch_tokens
        return Interval(0.93 * first, first + mask / 2, first + mask + 0.1 * GIB, "estimated")
    scores = _F32_BYTES * n_head * n_ctx_tokens * ubatch_tokens
    low, mid, high = (max(logits, scores + extra * GIB) for extra in (0.05, 0.09, 0.13))
    return Interval(low, mid, high, "estimated")


def fits(
    weights_bytes: Interval | float,
    kv_bytes: Interval | float,
    compute_bytes: Interval | float,
    limit_bytes: Interval | float,
) -> Fit:
    """Whether weights + cache (with recurrent state) + buffers stay within the limit of one memory."""
    need = as_interval(weights_bytes) + as_interval(kv_bytes) + as_interval(compute_bytes)
    limit = as_interval(limit_bytes)
    margin = limit - need
    if margin.low >= 0:
        return Fit("fits", need, limit, margin)
    return Fit("might" if margin.high >= 0 else "does_not_fit", need, limit, margin)


def fits_on_cards(
    weights_bytes: float,
    kv_bytes: float,
    compute_bytes: Interval | float,
    limits_bytes: Sequence[Interval | float],
    layers: int,
) -> Fit:
    """The same over several cards, which are not one pool: a layer and its cache lie on one card, buffers on each.

    The limit returned is what whole layers can use of the cards; need counts weights and cache only.
    """
    per_layer = (weights_bytes + kv_bytes) / layers
    buffers = as_interval(compute_bytes)

    def usable(limit: float, buffer: float) -> float:
        return max(math.floor((limit - buffer) / per_layer), 0) * per_layer

    limits = [as_interval(limit) for limit in limits_bytes]
    room = Interval(
        sum(usable(each.low, buffers.high) for each in limits),
        sum(usable(each.mid, buffers.mid) for each in limits),
        sum(usable(each.high, buffers.low) for each in limits),
        "estimated",
    )
    # a layer's share is a division, so the sum may miss the exact need by rounding
    return fits(weights_bytes + kv_bytes, 0.0, 0.0, room + 1.0)
