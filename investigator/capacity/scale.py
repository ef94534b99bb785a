"""Moving a measurement to another machine, with the spread that such a move has shown."""

from __future__ import annotations

from dataclasses import dataclass

from .interval import Interval, as_interval
from .prefill import prefill_interval_s

#: The same file and build from M2 Ultra to DGX Spark changed r0 by 1.16, 1.42 and 1.95 times.
R0_SPREAD = 1.6
#: ... and c fell 4.2, 2.9 and 1.3 times: attention does not follow the matrix rate. A spread of 3 misses the first.
C_SPREAD = 4.0
#: Decode follows bandwidth within 20 % (dense) or 40 % (mixtures of experts).
DECODE_SPREAD_DENSE = 1.2
DECODE_SPREAD_MOE = 1.4


@dataclass(frozen=True, slots=True)
class ScaledPrefill:
    """Prefill constants expected on another machine."""

    r0_tps: Interval
    c: Interval

    def predict(self, new_tokens: float, cached_tokens: float = 0.0) -> Interval:
        """Seconds to read `new_tokens` behind `cached_tokens` there."""
        return prefill_interval_s(new_tokens, cached_tokens, self.r0_tps, self.c)


def scale_prefill(
    r0_tps: Interval | float,
    c: Interval | float,
    throughput_ratio: float,
    target_c: Interval | float | None = None,
) -> ScaledPrefill:
    """Constants on a machine whose *reached* matrix throughput is `throughput_ratio` times the measured one's.

    `target_c`: the attention constant measured there for the same kind of attention; without it c is taken to fall
    with the throughput, times or divided by C_SPREAD. Vendor peak figures are no throughput ratio.
    """
    slope = as_interval(target_c) if target_c is not None else spread(as_interval(c) / throughput_ratio, C_SPREAD)
    return ScaledPrefill(spread(as_interval(r0_tps) * throughput_ratio, R0_SPREAD), slope)


def scale_decode(decode_tps: Interval | float, bandwidth_ratio: float, moe: bool) -> Interval:
    """Tokens/s on a machine with `bandwidth_ratio` times the bandwidth and the same kind of backend."""
    return spread(as_interval(decode_tps) * bandwidth_ratio, DECODE_SPREAD_MOE if moe else DECODE_SPREAD_DENSE)


def spread(value: Interval, factor: float) -> Interval:
    """`value` widened by times and divided by `factor`; what comes out is an estimate."""
    return Interval(value.low / factor, value.mid, value.high * factor, "estimated")
