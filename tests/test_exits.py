from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.exits import MEANING, Exit, ranked, worst

CODES = st.lists(st.sampled_from([int(code) for code in Exit]))


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([], 0),
        ([0], 0),
        ([0, 1], 1),
        ([1, 3], 3),
        ([3, 4, 1], 4),
        ([4, 75], 75),
        ([75, 2], 2),
        ([2, 70, 1], 70),
        ([70, 130], 130),
    ],
)
def test_worst(codes: list[int], expected: int) -> None:
    assert worst(codes) == expected


def test_foreign_code_is_refused() -> None:
    with pytest.raises(ValueError, match="5"):
        worst([5])


@given(CODES)
def test_ranked_starts_with_the_worst(codes: list[int]) -> None:
    order = ranked(codes)
    assert order[:1] == ([worst(codes)] if codes else [])
    assert set(order) == (set(codes) - {0} or set(codes))


def test_every_code_has_a_meaning() -> None:
    assert set(MEANING) == set(Exit)
