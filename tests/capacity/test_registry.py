"""The registry that rules are given: complete, documented, and working over whole columns."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from investigator.capacity import FUNCTIONS, CapacityFunction

EVERY = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=list(FUNCTIONS))


def column(unit: str, length: int) -> np.ndarray:
    return np.full(length, "q8_0", dtype=object) if unit == "text" else np.linspace(1, 2, length)


def test_names_that_rules_rely_on() -> None:
    needed = {"prefill_s", "mean_prefill_tps", "largest_prompt_tokens", "kv_bytes_at", "kv_type_factor"}
    assert needed | {"reused_after_cut", "gib"} <= FUNCTIONS.keys()


@EVERY
def test_declared_parameters_are_those_of_the_function(function: CapacityFunction) -> None:
    names = [name.rstrip("_") for name in inspect.signature(function.call).parameters]
    declared = [parameter.name for parameter in function.parameters]
    assert names[: len(declared)] == declared
    assert all(parameter.unit for parameter in function.parameters) and function.unit and function.doc


@EVERY
def test_columns_in_column_out(function: CapacityFunction) -> None:
    result = function.call(*(column(parameter.unit, 5) for parameter in function.parameters))
    assert result.dtype == np.float64
    assert result.shape == (5,)
    assert np.isfinite(result).all()


@EVERY
def test_unknown_in_unknown_out(function: CapacityFunction) -> None:
    for place, parameter in enumerate(function.parameters):
        columns = [column(each.unit, 2) for each in function.parameters]
        columns[place] = np.array([None, None], dtype=object) if parameter.unit == "text" else np.full(2, np.nan)
        assert np.isnan(function.call(*columns)).all(), parameter.name
