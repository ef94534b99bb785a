"""What is left of a prompt after a cut, by era, and what the next try can reuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.capacity import CutEra, cut_era, cut_length, reused_after_cut


@pytest.mark.parametrize(
    ("version", "era"),
    [
        ("0.1.47", CutEra.CPP_BLOCKS),
        ("v0.1.48", CutEra.CPP_HALF),
        ("0.3.14", CutEra.CPP_HALF),
        ("0.4.1", CutEra.GO_RUNNER),
        ("0.15.6", CutEra.GO_RUNNER),
        ("0.24.0", CutEra.GO_RUNNER),
        ("0.30.0", CutEra.SERVER_MINUS_ONE),
        ("0.30.10", CutEra.SERVER_MINUS_ONE),
        ("0.30.11", CutEra.SERVER_HALF),
        ("v0.33.0-rc2", CutEra.SERVER_HALF),
        ("0.4.2", "unknown"),
        ("main", "unknown"),
        ("", "unknown"),
    ],
)
def test_era_of_a_release(version: str, era: str) -> None:
    assert cut_era(version) == era


@pytest.mark.parametrize(
    ("era", "prompt", "expected"),
    [
        (CutEra.GO_RUNNER, 146_760, 131_072),
        (CutEra.GO_RUNNER, 131_073, 131_072),
        (CutEra.GO_RUNNER, 131_072, 131_072),
        (CutEra.SERVER_MINUS_ONE, 146_760, 131_071),
        (CutEra.SERVER_MINUS_ONE, 131_072, 131_071),
        (CutEra.SERVER_MINUS_ONE, 131_071, 131_071),
        (CutEra.SERVER_HALF, 146_760, 65_538),
        (CutEra.SERVER_HALF, 131_071, 131_071),
        (CutEra.CPP_HALF, 146_760, 65_538),
        (CutEra.CPP_HALF, 131_072, 65_538),
        (CutEra.CPP_BLOCKS, 146_760, 146_760 - 65_534),
        (CutEra.CPP_BLOCKS, 1000, 1000),
    ],
)
def test_length_after_the_cut(era: CutEra, prompt: int, expected: int) -> None:
    assert cut_length(prompt, 131_072, 4, era) == expected


@given(st.sampled_from(CutEra), st.integers(1, 10**6), st.integers(16, 300_000), st.integers(0, 5))
def test_a_cut_prompt_fits_the_window(era: CutEra, prompt: int, num_ctx: int, keep: int) -> None:
    new = cut_length(prompt, num_ctx, keep, era)
    assert 0 < new <= min(prompt, num_ctx)
    if era is CutEra.CPP_BLOCKS and prompt >= num_ctx:
        assert new >= keep + (num_ctx - keep) // 2


@pytest.mark.parametrize(
    ("keep", "window", "prompt", "difference", "reused"),
    [
        pytest.param(4, 131_072, 146_760, 20_000, 4_312, id="founding-stamp-survives-the-cut"),
        pytest.param(4, 131_072, 146_760, 146_760, 131_071, id="same-prompt"),
        pytest.param(4, 131_072, 146_760, 10_000, 4, id="difference-was-cut-away"),
        pytest.param(4, 131_072, 146_760, 2, 2, id="difference-in-the-kept-front"),
        pytest.param(4, 131_072, 100_000, 20_000, 20_000, id="no-cut"),
        pytest.param(4, 131_072, 100_000, 100_000, 99_999, id="no-cut-same-prompt"),
        pytest.param(4, 131_072, 131_072, 0, 0, id="differs-at-once"),
    ],
)
def test_reuse(keep: int, window: int, prompt: int, difference: int, reused: int) -> None:
    assert float(reused_after_cut(keep, window, prompt, difference)) == reused


@given(
    keep=st.integers(0, 4),
    window=st.integers(8, 60),
    texts=st.lists(st.integers(0, 2), min_size=8, max_size=90),
    difference=st.integers(0, 89),
)
def test_reuse_is_the_common_prefix_of_the_cut_prompts(
    keep: int, window: int, texts: list[int], difference: int
) -> None:
    """Two prompts that differ in one token only, cut and compared token by token: never less than promised."""
    first, second = list(texts), list(texts)
    if difference < len(texts):
        second[difference] = 9

    def cut(tokens: list[int]) -> list[int]:
        return tokens if len(tokens) <= window else tokens[:keep] + tokens[len(tokens) - window + keep :]

    pairs = list(zip(cut(first), cut(second), strict=True))
    common = next((i for i, (a, b) in enumerate(pairs) if a != b), len(pairs) - 1)
    promised = float(reused_after_cut(keep, window, len(texts), difference))
    assert promised <= common
    dropped = max(len(texts) - window, 0)
    if not keep <= difference < keep + dropped:
        assert promised == common


def test_reuse_over_arrays() -> None:
    reused = reused_after_cut(4, np.array([131_072, 131_072]), 146_760, np.array([20_000, np.nan]))
    np.testing.assert_array_equal(reused, [4_312, np.nan])
