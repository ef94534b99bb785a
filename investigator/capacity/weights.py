"""Size of model weights: the file when there is one, else parameters times bits."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .interval import Interval

#: Bits per weight by quantisation, as (low, usual, high); K-quants vary with the share of tensors kept larger.
BITS_PER_WEIGHT: Mapping[str, tuple[float, float, float]] = MappingProxyType(
    {
        "Q4_0": (4.5, 4.5, 4.7),
        "Q4_K_M": (4.8, 4.87, 5.1),
        "Q5_K_M": (5.6, 5.7, 5.8),
        "Q6_K": (6.5, 6.6, 6.7),
        "Q8_0": (8.5, 8.5, 8.6),
        "F16": (16.0, 16.0, 16.1),
        "BF16": (16.0, 16.0, 16.1),
        "MXFP4": (4.3, 4.45, 4.6),
    }
)


def weights_bytes(total_parameters: float, quant: str) -> Interval | None:
    """Bytes of all weights (a mixture of experts is resident in full); None for an unknown quantisation.

    An estimate from bits per weight: prefer the file size wherever it is known.
    """
    bits = BITS_PER_WEIGHT.get(quant.upper())
    if bits is None:
        return None
    low, mid, high = (total_parameters * each / 8 for each in bits)
    return Interval(low, mid, high, "estimated")


def active_weight_bytes(file_bytes: float, total_parameters: float, active_parameters: float) -> float:
    """Bytes read for one token: the file times the active share (rough: shared tensors often have other types)."""
    return file_bytes * active_parameters / total_parameters
