"""Pure arithmetic on memory, prefill, decode and timeouts: no I/O, no clock, nothing of ours imported."""

from .breaks import Break
from .decode import Backend, decode_ceiling_tps, decode_efficiency, decode_tps_interval
from .fit import PrefillFit, fit_prefill
from .geometry import HasGeometry, geometry_of
from .interval import Interval, Label, Verdict, as_interval, weakest
from .kv import (
    CELL_PADDING_TOKENS,
    KV_TYPE_BYTES,
    AttentionLayers,
    CacheSettings,
    KvBytes,
    KvGeometry,
    RecurrentLayers,
    cell_count,
    kv_bytes,
    kv_bytes_at,
    kv_bytes_per_token,
    kv_type_factor,
    mla_layers,
    recurrent_bytes,
)
from .memory import Fit, MachineKind, compute_buffer_bytes, fits, fits_on_cards, gpu_limit_bytes
from .points import PrefillPoint, usable_points
from .prefill import (
    largest_prompt_tokens,
    mean_prefill_tps,
    prefill_interval_s,
    prefill_s,
    prefill_tps_at,
    safety_factor,
    smallest_timeout_s,
)
from .registry import FUNCTIONS, CapacityFunction, Parameter
from .reuse import CutEra, cut_era, cut_length, reused_after_cut
from .scale import ScaledPrefill, scale_decode, scale_prefill
from .timeouts import attempt_s, timeout_verdict
from .units import GB, GIB, KIB, MB, MIB, format_bytes, format_duration, format_gb, format_gib, format_seconds, gb, gib
from .weights import BITS_PER_WEIGHT, active_weight_bytes, weights_bytes

__all__ = [
    "BITS_PER_WEIGHT",
    "CELL_PADDING_TOKENS",
    "FUNCTIONS",
    "GB",
    "GIB",
    "KIB",
    "KV_TYPE_BYTES",
    "MB",
    "MIB",
    "AttentionLayers",
    "Backend",
    "Break",
    "CacheSettings",
    "CapacityFunction",
    "CutEra",
    "Fit",
    "HasGeometry",
    "Interval",
    "KvBytes",
    "KvGeometry",
    "Label",
    "MachineKind",
    "Parameter",
    "PrefillFit",
    "PrefillPoint",
    "RecurrentLayers",
    "ScaledPrefill",
    "Verdict",
    "active_weight_bytes",
    "as_interval",
    "attempt_s",
    "cell_count",
    "compute_buffer_bytes",
    "cut_era",
    "cut_length",
    "decode_ceiling_tps",
    "decode_efficiency",
    "decode_tps_interval",
    "fit_prefill",
    "fits",
    "fits_on_cards",
    "format_bytes",
    "format_duration",
    "format_gb",
    "format_gib",
    "format_seconds",
    "gb",
    "geometry_of",
    "gib",
    "gpu_limit_bytes",
    "kv_bytes",
    "kv_bytes_at",
    "kv_bytes_per_token",
    "kv_type_factor",
    "largest_prompt_tokens",
    "mean_prefill_tps",
    "mla_layers",
    "prefill_interval_s",
    "prefill_s",
    "prefill_tps_at",
    "recurrent_bytes",
    "reused_after_cut",
    "safety_factor",
    "scale_decode",
    "scale_prefill",
    "smallest_timeout_s",
    "timeout_verdict",
    "usable_points",
    "weakest",
    "weights_bytes",
]
