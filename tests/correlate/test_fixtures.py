"""Our own incidents through ingest and correlate: the numbers that their expected.yaml and the contract name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from investigator.casefile.case import Case
from investigator.casefile.ingest import ingest
from investigator.correlate import correlate
from investigator.yamltext import load as load_yaml


@cache
def tables(folder: Path) -> Mapping[str, pl.DataFrame]:
    with Case(None) as case:
        ingest([folder], case)
        return correlate(case.facts(), case.sources())


@cache
def expected(folder: Path) -> Any:
    return load_yaml((folder / "expected.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def founding(fixtures_dir: Path) -> Path:
    return fixtures_dir / "founding-incident"


def failed(folder: Path) -> pl.DataFrame:
    return tables(folder)["attempts"].filter("failed").sort("arrived_at")


def test_founding_attempts(founding: Path) -> None:
    rows, wanted = failed(founding), expected(founding)
    assert rows.height == 3
    for column in ("asked_tokens", "window_tokens", "native_window_tokens", "believed_window_tokens"):
        assert rows[column].to_list() == [wanted["windows"][column]] * 3, column
    assert rows["read_tokens"].to_list() == [131_072] * 3
    assert rows["cut_tokens"].to_list() == [wanted["windows"]["thrown_away_tokens"]] * 3
    for row, want in zip(rows.to_dicts(), wanted["attempts"], strict=True):
        assert (row["outcome"], row["status"], row["seen_by"]) == (want["outcome"], want["status"], want["seen_by"])
        lines = [want[name] for name in ("access_line", "truncation_line", "run_limit_line", "agent_error_line")]
        assert set(lines) <= set(row["evidence"])


def test_founding_tries_and_reuse(founding: Path) -> None:
    rows, want = failed(founding), expected(founding)["reuse"]["reused_tokens"]
    assert rows["try_no"].to_list() == [1, 2, 3]
    assert rows["tries"].to_list() == [3, 3, 3]
    assert rows["work_id"].n_unique() == 1
    assert rows["call_id"].n_unique() == 3
    assert rows["cached_tokens"][0] in range(5)
    for cached in rows["cached_tokens"][1:]:
        assert abs(cached - want["value"]) <= want["tolerance"]


def test_founding_limit(founding: Path) -> None:
    rows, want = failed(founding), expected(founding)["timeout"]
    assert rows["timeout_s"].to_list() == [want["timeout_s"]] * 3
    assert rows["timeout_key"].to_list() == [want["key"]] * 3
    assert {layer.lower() for layer in rows["timeout_layer"]} == {want["layer"]}


def test_founding_law_of_the_machine(founding: Path) -> None:
    row, want = failed(founding).row(0, named=True), expected(founding)["fit"]
    assert abs(row["prefill_r0"] - want["r0_tps"]["value"]) <= want["r0_tps"]["tolerance"]
    assert abs(row["prefill_c"] - want["c_s_per_token2"]["value"]) <= want["c_s_per_token2"]["tolerance"]
    assert row["prefill_points"] == sum(point["usable_for_fit"] for point in want["points"])
    assert (round(row["deepest_tps"], 1), row["deepest_tokens"]) == (400.0, 74_560)


def test_founding_reading_times(founding: Path) -> None:
    attempts = tables(founding)["attempts"]
    timed = attempts.filter(pl.col("prefill_s").is_not_null())
    usable = [point for point in expected(founding)["fit"]["points"] if point["usable_for_fit"]]
    assert sorted(timed["read_tokens"].to_list()) == sorted(point["asked_tokens"] for point in usable)
    for row, point in zip(
        timed.sort("read_tokens").to_dicts(), sorted(usable, key=lambda p: p["asked_tokens"]), strict=True
    ):
        assert abs(row["prefill_s"] - point["prefill_s"]) < 1.0
    operands = tables(founding)["operands"].filter(pl.col("column_name") == "prefill_s")
    assert sorted(operands["label"].to_list()) == ["derived"] * (len(usable) - 1) + ["measured"]
    # A request whose prompt size nobody told has no read tokens: not the window's.
    unknown = attempts.filter(pl.col("asked_tokens").is_null())
    assert unknown.height > 0
    assert unknown["read_tokens"].is_null().all()


def test_founding_clock(founding: Path) -> None:
    offset = tables(founding)["agent_calls"]["clock_offset_s"].unique().to_list()
    want = expected(founding)["clock_offset_s"]
    assert len(offset) == 1
    assert abs(offset[0] - want["value"]) <= want["tolerance"]


def test_founding_memory(founding: Path) -> None:
    row, want = failed(founding).row(0, named=True), expected(founding)["memory"]
    assert abs(row["weights_bytes"] / 2**30 - want["weights_gib"]["value"]) <= want["weights_gib"]["tolerance"]
    assert row["kv_bytes_per_token"] == 98_304
    assert row["kv_bytes"] / 2**30 == want["kv_gib_at_window"]
    assert row["memory_limit_bytes"] / 2**30 == want["limit_gib"]
    assert f"{row['layers_gpu']}/{row['layers_total']}" == want["layers_on_gpu"]
    assert row["window_source"] == "modelfile"


def test_founding_counts_calls_once(founding: Path) -> None:
    calls, want = tables(founding)["agent_calls"], expected(founding)
    assert calls.height == want["failed_calls"] + want["healthy_agent_calls"]
    assert tables(founding)["runs"]["failed_calls"].sum() == want["failed_calls"]
    assert tables(founding)["attempts"].filter(pl.col("seen_by") == "agent").is_empty()


def test_founding_operands_point_at_their_lines(founding: Path) -> None:
    operands, want = tables(founding)["operands"], expected(founding)["evidence"]
    subject = failed(founding)["attempt_id"][0]
    mine = {row["column_name"]: row for row in operands.filter(pl.col("subject") == subject).to_dicts()}
    assert mine["window_tokens"]["evidence"] == want["window"]
    assert mine["native_window_tokens"]["evidence"] == want["native_window"]
    assert mine["believed_window_tokens"]["evidence"] == want["believed_window"]
    assert mine["weights_bytes"]["evidence"] == want["weights"]
    assert mine["kv_bytes"]["evidence"] == want["kv_cache"]
    assert mine["memory_limit_bytes"]["evidence"] == want["machine_memory"]
    assert mine["asked_tokens"]["label"] == "measured"
    assert mine["prefill_r0"]["label"] == "derived"
    assert mine["reusable_tokens"]["label"] == "estimated"


def test_window_belief(fixtures_dir: Path) -> None:
    folder = fixtures_dir / "window-belief"
    rows, want = failed(folder), expected(folder)
    assert rows.height == want["failed_attempts"]
    assert set(rows["window_tokens"]) == {want["windows"]["window_tokens"]}
    assert set(rows["believed_window_tokens"]) == {want["windows"]["believed_window_tokens"]}
    assert set(rows["overflow_action"]) == {"refuse"}
    assert rows["timeout_s"].is_null().all()
    for row, attempt in zip(rows.to_dicts(), want["attempts"], strict=True):
        assert (row["outcome"], row["asked_tokens"], row["seen_by"]) == (
            attempt["outcome"],
            attempt["asked_tokens"],
            "both",
        )
        assert {attempt["server_line"], attempt["agent_line"]} <= set(row["evidence"])
    attempts = tables(folder)["attempts"]
    assert (attempts["seen_by"] == "server").sum() == want["requests_without_agent_call"]
    assert attempts["call_id"].str.contains("/compaction/").sum() == want["requests_of_compactions"]


def test_nothing_depends_on_the_order_of_facts(founding: Path) -> None:
    with Case(None) as case:
        ingest([founding], case)
        facts, sources = case.facts(), case.sources()
    reversed_facts = {name: frame.reverse() for name, frame in reversed(list(facts.items()))}
    again = correlate(reversed_facts, sources.reverse())
    for name, frame in tables(founding).items():
        assert again[name].equals(frame), name
