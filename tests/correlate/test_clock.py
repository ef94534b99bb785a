"""Stamps in every shape become UTC, or say that they cannot."""

from __future__ import annotations

import polars as pl
import pytest
from build import Case, utc

from investigator.correlate.clock import place_in_time
from investigator.correlate.schema import with_all_tables
from investigator.correlate.stretches import cut_into_stretches


def placed(case: Case) -> dict[str, pl.DataFrame]:
    return place_in_time(with_all_tables(case.facts()), case.sources())


def requests(case: Case) -> list[tuple[object, str]]:
    return placed(case)["http_request"].sort("line_no").select("at", "at_basis").rows()


def test_a_local_stamp_takes_the_zone_of_its_neighbours() -> None:
    case = Case()
    log = case.source("server.log", "ollama-server")
    case.add("http_request", log, 1, "2026-02-18 11:15:02")
    case.add("server_start", log, 2, "2026-02-18 11:15:03+01:00")
    case.add("http_request", log, 3, "2026-02-18 11:15:04")
    assert requests(case) == [
        (utc("2026-02-18 10:15:02"), "zone_of_neighbours"), (utc("2026-02-18 10:15:04"), "zone_of_neighbours"),
    ]  # fmt: skip


def test_daylight_saving_switches_inside_a_file() -> None:
    case = Case()
    log = case.source("server.log", "ollama-server")
    case.add("notice", log, 1, "2026-03-29 01:59:00+01:00").add("http_request", log, 2, "2026-03-29 01:59:30")
    case.add("notice", log, 3, "2026-03-29 03:00:10+02:00").add("http_request", log, 4, "2026-03-29 03:00:20")
    assert [at for at, _ in requests(case)] == [utc("2026-03-29 00:59:30"), utc("2026-03-29 01:00:20")]


def test_a_zone_of_another_server_log_of_the_case_serves_when_there_is_one_only() -> None:
    case = Case()
    out, err = case.source("stdout.log", "ollama-server"), case.source("stderr.log", "ollama-server")
    case.add("http_request", out, 1, "2026-02-18 11:15:02").add("notice", err, 1, "2026-02-18 11:15:03+01:00")
    assert requests(case) == [(utc("2026-02-18 10:15:02"), "zone_of_neighbours")]


def test_an_unknown_zone_stays_unknown() -> None:
    case = Case()
    log = case.source("server.log", "ollama-server")
    case.add("http_request", log, 1, "2026-02-18 11:15:02")
    assert requests(case) == [(utc("2026-02-18 11:15:02"), "unknown")]


@pytest.mark.parametrize(
    ("stamp", "basis"), [("2026-02-18 10:00:00+00:00", "nearest_earlier"), (12.5, "relative"), (None, "unknown")]
)
def test_a_line_without_stamp_is_not_before_the_line_above(stamp: str | float | None, basis: str) -> None:
    case = Case()
    log = case.source("server.log", "llama-server")
    case.add("notice", log, 1, stamp).add("task_event", log, 2, None, event="release", task=1)
    row = placed(case)["task_event"].row(0, named=True)
    assert row["at_basis"] == basis
    assert (row["rel_s"] == 12.5) if basis == "relative" else row["rel_s"] is None


def stretches(case: Case, table: str) -> list[str | None]:
    return cut_into_stretches(placed(case))[table].sort("line_no")["stretch"].to_list()


def test_a_start_with_its_config_line_is_one_start() -> None:
    case = Case()
    log = case.source("server.log", "ollama-server")
    case.add("http_request", log, 1, "2026-02-18 10:00:00+00:00")
    for key in "ABCDEF":
        case.add("server_config", log, 10, "2026-02-18 10:00:01+00:00", key=f"OLLAMA_{key}", value="0")
    case.add("http_request", log, 11, "2026-02-18 10:00:01+00:00")
    case.add("server_start", log, 12, "2026-02-18 10:00:02+00:00", engine="ollama")
    case.add("http_request", log, 13, "2026-02-18 10:00:03+00:00")
    case.add("server_start", log, 400, "2026-02-18 10:09:00+00:00", engine="ollama")
    case.add("http_request", log, 401, "2026-02-18 10:09:03+00:00")
    assert stretches(case, "http_request") == ["server.log#0", "server.log#1", "server.log#1", "server.log#2"]


def test_a_relative_clock_that_runs_back_is_a_new_process() -> None:
    case = Case()
    log = case.source("l.log", "llama-server")
    for line, seconds in enumerate([1.0, 500.0, 499.8, 0.4, 3.0], start=1):
        case.add("task_event", log, line, seconds, event="launch", task=line)
    assert stretches(case, "task_event") == ["l.log#1", "l.log#1", "l.log#1", "l.log#2", "l.log#2"]
