"""The functions as SQL: what a database computes with the expression is what the function computes."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.capacity import FUNCTIONS
from investigator.capacity.sql import Sql, looked_up

NUMBERS = st.one_of(st.none(), st.just(0), st.integers(1, 10**6), st.floats(1e-9, 1e9))
KNOWN = [name for name, each in FUNCTIONS.items() if all(p.unit != "text" for p in each.parameters)]


@pytest.mark.parametrize("name", KNOWN)
@given(data=st.data())
def test_both_ways_give_the_same(name: str, data: st.DataObject) -> None:
    function = FUNCTIONS[name]
    values = [data.draw(NUMBERS) for _ in function.parameters]
    expected = float(function.call(*(np.nan if value is None else value for value in values)))
    columns = ", ".join(f"$p{n}::DOUBLE AS {p.name}" for n, p in enumerate(function.parameters))
    sql = f"SELECT {function.expression} FROM (SELECT {columns})"
    (found,) = duckdb.execute(sql, {f"p{n}": value for n, value in enumerate(values)}).fetchone() or (None,)
    assert found == (None if np.isnan(expected) else pytest.approx(expected, rel=1e-12))


def test_an_operation_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(TypeError):
        np.arctan2(Sql("x"), 1.0)
    with pytest.raises(TypeError):
        np.sort(Sql("x"))


def test_names_are_looked_up_whatever_their_case() -> None:
    assert looked_up(["A", "b", None, "c"], {"a": 1.0, "b": 2.0}).tolist()[:2] == [1.0, 2.0]
    factor = FUNCTIONS["kv_type_factor"].expression
    rows = duckdb.execute(f"SELECT {factor} FROM (VALUES ('Q8_0'), ('turbo'), (NULL)) AS t(kv_type)").fetchall()
    assert rows == [(0.53125,), (None,), (None,)]


def test_a_million_rows_need_no_call_into_python() -> None:
    rows = "SELECT range AS to_read_tokens, 0 AS cached_tokens, 2891.0 AS r0_tps, 2.889e-8 AS c_s_per_token2 FROM range(1000000)"
    (total,) = duckdb.execute(f"SELECT sum({FUNCTIONS['prefill_s'].expression}) FROM ({rows})").fetchone() or (None,)
    n = np.arange(1_000_000, dtype=np.float64)
    assert total == pytest.approx(float(np.sum(n / 2891.0 + 2.889e-8 * n**2)), rel=1e-9)
