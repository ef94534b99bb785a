"""The functions that rules may call, with the units of what goes in and comes out.

`call` takes float64 arrays (object arrays for text) of one length, or scalars, and returns a float64 array. NaN means
unknown; nothing raises on values. For a database `expression` is the same sum as SQL, written by the function itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import cleandoc
from types import MappingProxyType
from typing import cast

from . import kv, prefill, reuse, units
from .sql import Sql
from .units import Floats


@dataclass(frozen=True, slots=True)
class Parameter:
    """`unit` is a unit, or `text` for a name such as a cache type."""

    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class CapacityFunction:
    """One function: positional `parameters`, all required, and the unit of the result."""

    name: str
    call: Callable[..., Floats]
    parameters: tuple[Parameter, ...]
    unit: str
    doc: str

    @property
    def expression(self) -> str:
        """SQL over columns called like the parameters: numbers as DOUBLE, NULL for what is not known."""
        columns = (Sql(p.name if p.unit == "text" else f"({p.name})::DOUBLE") for p in self.parameters)
        return cast(Sql, self.call(*columns)).text


_DECLARED: tuple[tuple[Callable[..., Floats], str, str], ...] = (
    (prefill.prefill_s, "to_read_tokens:tokens cached_tokens:tokens r0_tps:tokens/s c_s_per_token2:s/token²", "s"),
    (
        prefill.mean_prefill_tps,
        "to_read_tokens:tokens cached_tokens:tokens r0_tps:tokens/s c_s_per_token2:s/token²",
        "tokens/s",
    ),
    (prefill.prefill_tps_at, "depth_tokens:tokens r0_tps:tokens/s c_s_per_token2:s/token²", "tokens/s"),
    (
        prefill.largest_prompt_tokens,
        "timeout_s:s r0_tps:tokens/s c_s_per_token2:s/token² cached_tokens:tokens",
        "tokens",
    ),
    (prefill.safety_factor, "depth_tokens:tokens deepest_fitted_tokens:tokens", "ratio"),
    (kv.kv_bytes_at, "window_tokens:tokens slots:count bytes_per_token_f16:bytes/token kv_type:text", "bytes"),
    (kv.kv_type_factor, "kv_type:text", "ratio"),
    (
        reuse.reused_after_cut,
        "keep_tokens:tokens window_tokens:tokens prompt_tokens:tokens first_difference_token:tokens",
        "tokens",
    ),
    (units.gib, "bytes_:bytes", "GiB"),
)


def _declare(call: Callable[..., Floats], parameters: str, unit: str) -> CapacityFunction:
    pairs = (each.split(":") for each in parameters.split())
    declared = tuple(Parameter(name.rstrip("_"), kind) for name, kind in pairs)
    return CapacityFunction(call.__name__, call, declared, unit, cleandoc(call.__doc__ or ""))


#: Name -> function, in the order of a reader's interest.
FUNCTIONS: Mapping[str, CapacityFunction] = MappingProxyType(
    {call.__name__: _declare(call, parameters, unit) for call, parameters, unit in _DECLARED}
)
