"""The macros say what the Python functions say; the allow-list names things that exist."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import duckdb
import numpy as np
import polars as pl
import pytest

from investigator.capacity.registry import FUNCTIONS
from investigator.casefile.frames import insert_frame
from investigator.rulebook.emptyviews import empty_views
from investigator.rulebook.functions import allowed_functions, capacity_functions, register_functions

TOKENS: Sequence[object] = (None, 0, 4, 500, 4300, 20000, 131072, 146760)
RATES: Sequence[object] = (None, 0.0, 80.0, 2891.0)
SLOWING: Sequence[object] = (None, 0.0, 2.889e-8)
VALUES: dict[str, Sequence[object]] = {
    "tokens": TOKENS,
    "tokens/s": RATES,
    "s/token²": SLOWING,
    "s": (None, -1.0, 0.0, 300.0, 7200.0),
    "count": (None, 1, 4),
    "bytes/token": (None, 98304.0),
    "bytes": (None, 0, 1, 25769803776),
    "text": (None, "f16", "Q8_0", "q4_0", "f32", "none", "turbo"),
}


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    con = empty_views()
    yield con
    con.close()


def test_every_capacity_function_has_its_macro() -> None:
    assert set(capacity_functions()) == set(FUNCTIONS)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_macro_equals_function(con: duckdb.DuckDBPyConnection, name: str) -> None:
    function = FUNCTIONS[name]
    combinations = list(itertools.product(*(VALUES[parameter.unit] for parameter in function.parameters)))
    kinds = [pl.String() if parameter.unit == "text" else pl.Float64() for parameter in function.parameters]
    names = [f"p{number}" for number in range(len(kinds))]
    frame = pl.DataFrame(combinations, schema=dict(zip(names, kinds, strict=True)), orient="row", strict=False)
    expected = np.broadcast_to(function.call(*(frame[each].to_numpy() for each in names)), len(combinations))
    con.execute(f"CREATE OR REPLACE TABLE given AS SELECT * FROM ({_empty(names, kinds)})")
    insert_frame(con, "given", frame)
    got = con.execute(f"SELECT {name}({', '.join(names)}) FROM given").fetchall()
    for values, (found,), wanted in zip(combinations, got, expected, strict=True):
        known = not (np.isnan(wanted) or None in values)
        assert (found is not None) is known, f"{name}{values}: {found}, expected {wanted}"
        if known:
            assert found == pytest.approx(wanted, rel=1e-12, abs=1e-12), f"{name}{values}"


def _empty(names: Sequence[str], kinds: Sequence[pl.DataType]) -> str:
    types = ["VARCHAR" if kind == pl.String() else "DOUBLE" for kind in kinds]
    columns = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in zip(names, types, strict=True))
    return f"SELECT {columns} LIMIT 0"


def test_macros_can_be_registered_again(con: duckdb.DuckDBPyConnection) -> None:
    register_functions(con)
    row = con.execute("SELECT prefill_s(30000, 0, 80, 0)").fetchone()
    assert row == (375.0,)


def test_allowed_functions_exist(con: duckdb.DuckDBPyConnection) -> None:
    known = {row[0] for row in con.execute("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()}
    syntax = {"coalesce", "if", "nullif", "extract", "position", "**", "count_if", "ifnull", "//", "!~~", "!~~*"}
    windows = {"row_number", "rank", "dense_rank", "lag", "lead", "first_value", "last_value", "nth_value"}
    assert not {name for name in allowed_functions() if name not in known} - syntax - windows
