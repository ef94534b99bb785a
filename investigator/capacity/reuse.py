"""What a server cuts off a prompt that is too long, and what the next try can reuse after the cut.

Every era keeps the first `keep` tokens and the end of the prompt. How long the rest may be changed with the release
(Ollama sources; `CutEra`). Go runners reuse the common prefix of the *cut* prompts, so a difference far back in the
uncut prompt moves forward by the number of tokens dropped.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from .units import Floats, as_floats


class CutEra(StrEnum):
    """How a prompt longer than the window is treated, by Ollama release."""

    CPP_BLOCKS = "cpp_blocks"  # ..v0.1.47: whole blocks of (num_ctx - keep) / 2 are removed
    CPP_HALF = "cpp_half"  # v0.1.48..v0.3.12: keep + half of the rest, at prompt >= num_ctx
    GO_RUNNER = "go_runner"  # v0.3.13..v0.24.0: the whole window, at prompt > num_ctx
    SERVER_MINUS_ONE = "server_minus_one"  # v0.30.0..v0.30.10: num_ctx - 1
    SERVER_HALF = "server_half"  # v0.30.11..: num_ctx - max((num_ctx - keep) / 2, 1)


#: First release of each era; v0.3.13/14 ship both runners, v0.4.2 alone shifts the cache instead of cutting.
_FIRST_RELEASE: tuple[tuple[tuple[int, int, int], CutEra], ...] = (
    ((0, 30, 11), CutEra.SERVER_HALF),
    ((0, 30, 0), CutEra.SERVER_MINUS_ONE),
    ((0, 4, 0), CutEra.GO_RUNNER),
    ((0, 1, 48), CutEra.CPP_HALF),
    ((0, 0, 0), CutEra.CPP_BLOCKS),
)


def cut_era(ollama_version: str) -> CutEra | Literal["unknown"]:
    """The era of a release such as `0.15.6` or `v0.30.11-rc1`; `unknown` for a text without a version, and for v0.4.2.

    v0.3.13 and v0.3.14 contain both runners; the C++ rule is returned for them, as that runner was the default.
    """
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", ollama_version.strip())
    if match is None:
        return "unknown"
    release = (int(match[1]), int(match[2]), int(match[3]))
    if release == (0, 4, 2):
        return "unknown"
    return next(era for first, era in _FIRST_RELEASE if release >= first)


def cut_length(prompt_tokens: int, num_ctx: int, keep: int, era: CutEra) -> int:
    """Tokens that are left of a prompt after the cut; `prompt_tokens` itself when it is short enough.

    `num_ctx` is the window of one request; `keep` is the number the log prints (num_keep, +1 where a BOS is added).
    """
    half = (num_ctx - keep) // 2
    if prompt_tokens < _cut_from(num_ctx, era):
        return prompt_tokens
    match era:
        case CutEra.CPP_BLOCKS:
            block = max(half, 1)
            return prompt_tokens - (prompt_tokens - keep - block) // block * block
        case CutEra.CPP_HALF:
            return keep + half
        case CutEra.GO_RUNNER:
            return num_ctx
        case CutEra.SERVER_MINUS_ONE:
            return num_ctx - 1
        case CutEra.SERVER_HALF:
            return num_ctx - max(half, 1)


def reused_after_cut(
    keep_tokens: ArrayLike,
    window_tokens: ArrayLike,
    prompt_tokens: ArrayLike,
    first_difference_token: ArrayLike,
) -> Floats:
    """Tokens of the cached, cut prompt of one try that the next try reuses; both of `prompt_tokens` before the cut.

    `window_tokens`: length after the cut (`cut_length`). `first_difference_token`: 0-based position in the uncut prompt
    where the two tries differ; `prompt_tokens` or more means that they are the same.

    A cut drops D = prompt - window tokens behind `keep`, so position f of the uncut prompt is f - D afterwards. Then:
    f < keep: f are reused; f - D >= keep: f - D; else the difference itself was dropped, and since nothing is known of
    what follows it, only `keep` are certain. At least one token is always read again, to have logits to sample from.
    Tries of different length are shifted against each other after the cut: pass f = keep for them.
    """
    keep, difference = as_floats(keep_tokens), as_floats(first_difference_token)
    prompt = as_floats(prompt_tokens)
    after_cut = np.minimum(prompt, as_floats(window_tokens))
    dropped = prompt - after_cut
    shifted = np.where(dropped > 0, np.maximum(difference - dropped, keep), difference)
    common = np.where(difference < keep, difference, shifted)
    reused = np.clip(common, 0.0, np.maximum(after_cut - 1, 0.0))
    return np.where(np.isnan(keep + difference), np.nan, reused)


def _cut_from(num_ctx: int, era: CutEra) -> int:
    """The shortest prompt that is cut."""
    if era is CutEra.GO_RUNNER:
        return num_ctx + 1
    return num_ctx
