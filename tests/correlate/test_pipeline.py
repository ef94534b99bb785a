"""The whole of correlate on facts written by hand."""

from __future__ import annotations

import polars as pl
import pytest

from investigator.casefile.derived import derived_tables
from investigator.correlate import correlate
from investigator.formats.facts import fact_tables

NO_SOURCES = pl.DataFrame(schema={"source_id": pl.UInt64, "path": pl.String, "format": pl.String, "side": pl.String})
MADE = [name for name in derived_tables() if name != "coverage"]


def test_nothing_in_gives_every_table_empty() -> None:
    tables = correlate({name: table.empty() for name, table in fact_tables().items()}, NO_SOURCES)
    assert list(tables) and set(tables) == set(MADE)
    for name in MADE:
        assert tables[name].schema == pl.Schema(derived_tables()[name].polars_schema()), name
        assert tables[name].is_empty()


def test_missing_tables_count_as_empty() -> None:
    assert all(frame.is_empty() for frame in correlate({}, NO_SOURCES).values())


@pytest.mark.parametrize("name", MADE)
def test_columns_are_the_declared_ones(name: str) -> None:
    assert list(correlate({}, NO_SOURCES)[name].columns) == [column.name for column in derived_tables()[name].columns]
