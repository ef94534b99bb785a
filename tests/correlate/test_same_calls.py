"""A call that several files of an agent tell counts once; what only looks alike stays."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pytest

from investigator.correlate.same_calls import once_per_call, without_echoes

END = datetime(2026, 11, 2, 9, 0)


def _call(**values: object) -> dict[str, object]:
    known: dict[str, object] = {"agent": "cline", "identity": "a", "source_id": 1, "ended_at": END, "output_tokens": 42}
    return {**known, "started_at": None, "start_basis": None, "input_tokens": 5, **values}


def _frame(*rows: dict[str, object]) -> pl.DataFrame:
    types: dict[str, pl.DataType | type[pl.DataType]] = {
        "started_at": pl.Datetime("us"),
        "start_basis": pl.String,
        "ended_at": pl.Datetime("us"),
    }
    return pl.DataFrame(list(rows), schema_overrides=types)


LOG = _call(identity="log:7", source_id=2, started_at=END - timedelta(seconds=9), start_basis="measured")


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        pytest.param([_call(), _call(source_id=3)], ["a"], id="a resumed session repeats a record"),
        pytest.param([_call(), LOG], ["log:7"], id="the log knows the start"),
        pytest.param([LOG, _call(ended_at=END + timedelta(milliseconds=1))], ["log:7"], id="a millisecond apart"),
        pytest.param([_call(), {**LOG, "agent": "pi"}], ["a", "log:7"], id="another agent"),
        pytest.param([_call(), {**LOG, "output_tokens": 43}], ["a", "log:7"], id="other tokens"),
        pytest.param([_call(), {**LOG, "source_id": 1}], ["a", "log:7"], id="the same file tells two calls"),
        pytest.param([_call(), {**LOG, "ended_at": END + timedelta(seconds=2)}], ["a", "log:7"], id="too far apart"),
        pytest.param([_call(ended_at=None), {**LOG, "ended_at": None}], ["a", "log:7"], id="no time, no judgement"),
    ],
)
def test_once_per_call(rows: list[dict[str, object]], kept: list[str]) -> None:
    assert once_per_call(_frame(*rows))["identity"].to_list() == kept


def test_the_record_with_the_measured_start_is_kept() -> None:
    best = once_per_call(_frame(_call(), _call(source_id=3, started_at=END, start_basis="measured")))
    assert best["source_id"].to_list() == [3]


def test_undated_lines_that_repeat_dated_ones_are_left_out() -> None:
    errors = pl.DataFrame(
        {
            "fact_id": [1, 2, 3, 4],
            "agent": ["openclaw"] * 3 + ["litellm"],
            "error_class": ["timeout", "timeout", "server_error", "timeout"],
            "t_s": [5.0, None, None, None],
            "source_id": [1, 2, 2, 3],
        }
    )
    calls = pl.DataFrame({"agent": ["pi"], "error_class": ["timeout"]})
    assert without_echoes(errors, calls)["fact_id"].to_list() == [1, 3, 4]


def test_of_files_without_times_the_one_that_tells_most_is_taken() -> None:
    errors = pl.DataFrame(
        {
            "fact_id": [1, 2, 3, 4],
            "agent": ["mini-swe-agent"] * 4,
            "error_class": ["server_error", "server_error", "server_error", "timeout"],
            "t_s": [None] * 4,
            "source_id": [1, 2, 2, 1],
        },
        schema_overrides={"t_s": pl.Float64},
    )
    calls = pl.DataFrame(schema={"agent": pl.String, "error_class": pl.String})
    assert without_echoes(errors, calls)["fact_id"].to_list() == [2, 3, 4]
