"""Stamps in every shape become UTC, or say that they cannot."""

from __future__ import annotations

from zoneinfo import ZoneInfoNotFoundError

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
    assert requests(case) == [(utc("2026-02-18 10:15:02"), "zone_of_other_logs")]


def test_at_a_switch_the_zone_is_the_one_that_keeps_the_order_of_the_lines() -> None:
    case = Case()
    log = case.source("server.log", "ollama-server")
    case.add("notice", log, 1, "2026-03-29 01:59:00+01:00").add("http_request", log, 2, "2026-03-29 03:00:05")
    case.add("notice", log, 3, "2026-03-29 03:00:10+02:00")
    case.add("notice", log, 4, "2026-10-25 02:59:59+02:00").add("http_request", log, 5, "2026-10-25 02:00:05")
    case.add("notice", log, 6, "2026-10-25 02:00:10+01:00")
    assert [at for at, _ in requests(case)] == [utc("2026-03-29 01:00:05"), utc("2026-10-25 01:00:05")]


def test_the_zone_that_the_transport_tells_wins() -> None:
    case = Case()
    log = case.source("server.log", "ollama-server")
    case.add("notice", log, 1, "2026-02-18 11:15:00+01:00").add("http_request", log, 2, "2026-02-18 05:15:02")
    facts = with_all_tables(case.facts())
    facts["http_request"] = facts["http_request"].with_columns(offset_s=pl.lit(-18000, pl.Int32))
    row = place_in_time(facts, case.sources())["http_request"].row(0, named=True)
    assert (row["at"], row["at_basis"], row["zone_s"]) == (utc("2026-02-18 10:15:02"), "zone_of_transport", -18000)


def given_zone(*stamps: str) -> list[tuple[object, str]]:
    case = Case()
    log = case.source("server.log", "ollama-server")
    for line, stamp in enumerate(stamps, start=1):
        case.add("http_request", log, line, stamp)
    frames = place_in_time(with_all_tables(case.facts()), case.sources(), tz="Europe/Berlin")
    return frames["http_request"].sort("line_no").select("at", "at_basis").rows()


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        (["2026-02-18 11:15:02"], ["2026-02-18 10:15:02"]),
        (["2026-07-18 11:15:02"], ["2026-07-18 09:15:02"]),
        (["2026-03-29 01:59:59", "2026-03-29 03:00:00"], ["2026-03-29 00:59:59", "2026-03-29 01:00:00"]),
        # The hour from two to three comes twice: the second time is told by the lines before.
        (
            ["2026-10-25 02:10:00", "2026-10-25 02:50:00", "2026-10-25 02:10:00", "2026-10-25 03:00:00"],
            ["2026-10-25 00:10:00", "2026-10-25 00:50:00", "2026-10-25 01:10:00", "2026-10-25 02:00:00"],
        ),
    ],
)
def test_a_given_zone_with_its_switches(stamps: list[str], expected: list[str]) -> None:
    assert given_zone(*stamps) == [(utc(at), "zone_given") for at in expected]


def test_a_zone_that_the_log_prints_wins_over_a_given_one() -> None:
    case = Case()
    log = case.source("server.log", "ollama-server")
    case.add("notice", log, 1, "2026-02-18 11:15:00-05:00").add("http_request", log, 2, "2026-02-18 11:15:02")
    frames = place_in_time(with_all_tables(case.facts()), case.sources(), tz="Europe/Berlin")
    assert frames["http_request"]["at"].to_list() == [utc("2026-02-18 16:15:02")]


def test_an_hour_that_the_given_zone_leaves_out_stays_unknown() -> None:
    assert given_zone("2026-03-29 02:30:00") == [(utc("2026-03-29 02:30:00"), "unknown")]


def test_a_given_zone_must_exist() -> None:
    case = Case()
    case.source("server.log", "ollama-server")
    with pytest.raises(ZoneInfoNotFoundError):
        place_in_time(with_all_tables(case.facts()), case.sources(), tz="Europe/Atlantis")


def of_kind(case: Case, table: str, kind: str) -> dict[str, pl.DataFrame]:
    """The case's facts, the stamps of `table` being of another kind."""
    facts = with_all_tables(case.facts())
    facts[table] = facts[table].with_columns(stamp_kind=pl.lit(kind))
    return facts


@pytest.mark.parametrize(
    ("dated", "yearless", "expected"),
    [
        ("2026-02-18 11:00:00+01:00", "1972-02-18 11:15:02", "2026-02-18 10:15:02"),
        ("2025-12-31 23:59:00+01:00", "1972-01-01 00:00:10", "2025-12-31 23:00:10"),
        ("2026-01-01 00:00:30+01:00", "1972-12-31 23:59:50", "2025-12-31 22:59:50"),
        ("2024-02-28 11:00:00Z", "1972-02-29 11:00:00", "2024-02-29 11:00:00"),
    ],
)
def test_a_stamp_without_year_is_near_the_dated_lines(dated: str, yearless: str, expected: str) -> None:
    case = Case()
    log = case.source("server.log", "ollama-server")
    case.add("notice", log, 1, dated).add("task_event", log, 2, yearless, event="release", task=1)
    row = place_in_time(of_kind(case, "task_event", "yearless"), case.sources())["task_event"].row(0, named=True)
    assert (row["at"], row["at_basis"]) == (utc(expected), "year_of_neighbours")


@pytest.mark.parametrize(
    ("modified", "at", "basis"),
    [
        ("2026-02-19 08:00:00", "2026-02-18 10:15:02", "year_of_file"),
        ("2026-02-17 08:00:00", "2025-02-18 10:15:02", "year_of_file"),
        (None, None, "unknown"),
    ],
)
def test_else_the_year_is_that_of_the_file_or_unknown(modified: str | None, at: str | None, basis: str) -> None:
    case = Case()
    log = case.source("server.log", "ollama-server")
    case.add("task_event", log, 1, "1972-02-18 11:15:02", event="release", task=1)
    sources = case.sources()
    if modified is not None:
        sources = sources.with_columns(modified_at=pl.lit(utc(modified)).cast(pl.Datetime("us")))
    frames = place_in_time(of_kind(case, "task_event", "yearless"), sources, tz="Europe/Berlin")
    row = frames["task_event"].row(0, named=True)
    assert (row["at"], row["at_basis"]) == (None if at is None else utc(at), basis)


def test_stamps_since_boot_are_anchored_by_lines_with_utc() -> None:
    case = Case()
    log = case.source("server.log", "ollama-server")
    case.add("task_event", log, 1, 99.5, event="launch", task=1)
    case.add("notice", log, 2, "2026-02-18 10:00:00Z").add("task_event", log, 3, 100.25, event="release", task=1)
    case.add("notice", log, 4, "2026-02-18 10:01:00Z").add("task_event", log, 5, 160.0, event="launch", task=2)
    # The host was started anew.
    case.add("notice", log, 6, "2026-02-18 11:00:00Z").add("task_event", log, 7, 5.0, event="release", task=2)
    rows = place_in_time(of_kind(case, "task_event", "boot"), case.sources())["task_event"].sort("line_no")
    assert rows["at_basis"].unique().to_list() == ["boot_of_neighbours"]
    at = [utc(f"2026-02-18 {text}") for text in ("09:59:59.500", "10:00:00.250", "10:01:00", "11:00:00")]
    assert rows["at"].to_list() == at


def test_stamps_since_boot_without_any_line_with_utc_stay_relative() -> None:
    case = Case()
    log = case.source("server.log", "ollama-server")
    case.add("task_event", log, 1, 99.5, event="launch", task=1)
    row = place_in_time(of_kind(case, "task_event", "boot"), case.sources())["task_event"].row(0, named=True)
    assert (row["at"], row["rel_s"], row["at_basis"]) == (None, 99.5, "relative")


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
