"""Timed reads: what a fit of the prefill law may use of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .interval import Label

#: Below this the batch is not filled: the law underestimates such reads by about 40 % (median).
MIN_NEW_TOKENS = 1024

_CHUNK_TOKENS = 512  # perplexity and imatrix runs read in whole chunks of this size


@dataclass(frozen=True, slots=True)
class PrefillPoint:
    """One timed read: `new_tokens` evaluated behind `cached_tokens` in `seconds`.

    `label`: `measured` if the engine printed the time, `derived` if it comes from a latency. `window_tokens`: the
    context of the server, when known; it tells perplexity runs from long prompts.
    """

    new_tokens: int
    cached_tokens: int
    seconds: float
    label: Label = "measured"
    window_tokens: int | None = None

    @property
    def depth_tokens(self) -> int:
        """Tokens in the cache when the read has ended."""
        return self.new_tokens + self.cached_tokens


def usable_points(points: Sequence[PrefillPoint]) -> list[PrefillPoint]:
    """The points a fit may use, ordered by depth.

    Dropped: nothing read or no time; runs of whole 512-token chunks larger than the window (perplexity, imatrix: no
    depth); and reads below MIN_NEW_TOKENS, unless there are no others.
    """
    timed = [p for p in points if p.new_tokens > 0 and p.seconds > 0 and math.isfinite(p.seconds)]
    prompts = [p for p in timed if not _is_chunked_run(p)]
    filled = [p for p in prompts if p.new_tokens >= MIN_NEW_TOKENS]
    return sorted(filled or prompts, key=lambda p: (p.depth_tokens, p.new_tokens, p.seconds))


def _is_chunked_run(point: PrefillPoint) -> bool:
    window = point.window_tokens
    return window is not None and point.depth_tokens > window and point.new_tokens % _CHUNK_TOKENS == 0
