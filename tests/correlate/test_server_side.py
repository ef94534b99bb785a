"""A server's log alone: loads of all eras, requests of all kinds, and what their outcomes mean."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from build import Case

from investigator.correlate import correlate

DAY = "2026-03-01 10:"
TABLE = dict[str, pl.DataFrame]


def ollama(version: str = "0.15.6") -> Case:
    case = Case()
    case.source("server.log", "ollama-server")
    return case.add("server_start", "server.log", 1, f"{DAY}00:00+00:00", engine="ollama", version=version)


def access(case: Case, line: int, clock: str, status: int, latency_s: float, path: str = "/api/chat") -> Case:
    return case.add("http_request", "server.log", line, f"{DAY}{clock}", status=status, latency_s=latency_s,
                    latency_step_s=1.0 if latency_s > 60 else 0.0, client="127.0.0.1", method="POST", path=path)  # fmt: skip


def made(case: Case) -> TABLE:
    return correlate(case.facts(), case.sources())


def only(frame: pl.DataFrame) -> dict[str, Any]:
    assert frame.height == 1
    return frame.row(0, named=True)


@pytest.mark.parametrize(
    ("status", "latency_s", "outcome"),
    [
        (200, 4.1, "ok"),
        (499, 88.0, "client_closed_in_load"),
        (503, 0.00007, "refused_other"),
        (404, 0.001, "refused_other"),
        (500, 299.0, "client_closed_before_first_byte"),
        (500, 300.0, "client_closed_before_first_byte"),
        (500, 20.000781, "client_closed_before_first_byte"),
        (500, 0.0004, "server_error"),
        (500, 7.3, "client_closed_before_first_byte"),
        (500, 2.1, "server_error"),
    ],
)
def test_a_status_without_any_other_line(status: int, latency_s: float, outcome: str) -> None:
    row = only(made(access(ollama(), 5, "20:00", status, latency_s))["attempts"])
    assert (row["outcome"], row["seen_by"], row["failed"]) == (outcome, "server", outcome != "ok")
    assert (row["asked_tokens"], row["cached_tokens"], row["try_no"]) == (None, None, 1)


@pytest.mark.parametrize(
    ("table", "columns", "outcome"),
    [
        ("runner_exit", {"error": "signal: killed", "exit_kind": "killed"}, "server_error"),
        (
            "load_end",
            {"ok": False, "error": "timed out waiting for llama runner to start", "error_class": "timeout"},
            "load_failed",
        ),
        ("load_end", {"ok": False, "error": "context canceled", "error_class": "client_left"}, "client_closed_in_load"),
        ("request_cancel", {"stage": "slot_wait"}, "client_closed_in_queue"),
        (
            "server_error",
            {"error_class": "post_predict", "message": 'Post "…/completion": context canceled'},
            "client_closed_before_first_byte",
        ),
        ("server_error", {"error_class": "post_predict", "message": 'Post "…/completion": EOF'}, "server_error"),
        ("prompt_refusal", {"message": "the input length exceeds the context length"}, "refused_window"),
    ],
)
def test_what_stands_inside_a_request_decides(table: str, columns: dict[str, object], outcome: str) -> None:
    case = ollama().add(table, "server.log", 4, f"{DAY}14:59+00:00", **columns)
    assert only(made(access(case, 5, "15:00", 500, 120.0))["attempts"])["outcome"] == outcome


def test_noise_paths_are_requests_but_no_attempts() -> None:
    case = ollama()
    case.add(
        "http_request", "server.log", 5, f"{DAY}20:00", status=200, latency_s=0.001, method="GET", path="/api/tags"
    )
    tables = made(case)
    assert tables["attempts"].is_empty()
    assert only(tables["requests"])["inference"] is False


def test_arrival_is_end_less_latency_with_its_uncertainty() -> None:
    row = only(made(access(ollama(), 5, "20:00", 200, 185.0))["requests"])
    assert str(row["arrived_at"]) == "2026-03-01 10:16:55"
    assert row["duration_uncertainty_s"] == 1.0
    assert only(made(access(ollama(), 5, "20:00", 200, 60.0))["requests"])["duration_uncertainty_s"] == 1.0
    assert only(made(access(ollama(), 5, "20:00", 200, 4.25))["requests"])["duration_uncertainty_s"] == 0.0


def test_each_cut_goes_to_its_own_request_when_they_overlap() -> None:
    case = ollama()
    for line, clock, prompt in ((4, "10:01", 9000), (5, "10:20", 7000)):
        case.add("prompt_truncation", "server.log", line, f"{DAY}{clock}.2+00:00", level="token", prompt_tokens=prompt,
                 limit_tokens=4096, keep_tokens=4, new_tokens=4096)  # fmt: skip
    access(case, 8, "10:50", 200, 50.0)  # began 10:00
    access(case, 9, "10:59", 200, 40.0)  # began 10:19
    attempts = made(case)["attempts"].sort("arrived_at")
    assert attempts["asked_tokens"].to_list() == [9000, 7000]
    assert attempts["overflow_action"].to_list() == ["cut", "cut"]
    assert attempts["window_tokens"].to_list() == [4096, 4096]


def test_a_cut_without_access_line_is_still_a_request() -> None:
    case = ollama().add("prompt_truncation", "server.log", 4, f"{DAY}10:01+00:00", level="token", prompt_tokens=9000,
                        limit_tokens=4096, keep_tokens=4, new_tokens=4096)  # fmt: skip
    row = only(made(case)["attempts"])
    assert (row["asked_tokens"], row["read_tokens"], row["cut_tokens"], row["outcome"]) == (9000, 4096, 4904, "unknown")
    assert row["failed"] is None


@pytest.mark.parametrize(
    ("facts", "window", "slots"),
    [
        ([("runner_start", {"total_ctx_tokens": 8192, "slots": 4})], 2048, 4),
        ([("runner_start", {}), ("load_request", {"operation": "commit", "total_ctx_tokens": 131072, "slots": 1})], 131072, 1),
        ([("runner_start", {}), ("load_request", {"operation": "fit", "total_ctx_tokens": 65536, "slots": 2}),
          ("load_request", {"operation": "commit", "total_ctx_tokens": 32768, "slots": 2})], 16384, 2),
        ([("runner_start", {}), ("model_meta", {"key": "n_ctx_per_seq", "value_num": 4096.0})], 4096, None),
        ([("runner_start", {"total_ctx_tokens": 32768, "slots": 2}), ("slot_init", {"slots": 2, "slot_ctx_tokens": 16384})], 16384, 2),
        ([("slot_init", {"slots": 1, "slot_ctx_tokens": 4096})], 4096, 1),
    ],
)  # fmt: skip
def test_window_of_one_request_in_every_era(
    facts: list[tuple[str, dict[str, object]]], window: int, slots: int | None
) -> None:
    case = ollama()
    for line, (table, columns) in enumerate(facts, start=3):
        case.add(table, "server.log", line, f"{DAY}01:00+00:00", **columns)
    load = only(made(case)["model_loads"])
    assert (load["window_tokens"], load["slots"]) == (window, slots)


def test_a_reload_with_another_window_ends_the_stay() -> None:
    case = ollama()
    for line, total in ((3, 131072), (12, 262144)):
        case.add(
            "runner_start",
            "server.log",
            line,
            f"{DAY}{line:02d}:00+00:00",
            model_digest="sha256-a",
            slots=1,
            total_ctx_tokens=total,
        )
    access(case, 10, "10:00", 200, 5.0)
    access(case, 30, "30:00", 200, 5.0)
    tables = made(case)
    assert tables["model_loads"]["end_reason"].to_list() == ["reload", "end_of_log"]
    assert tables["attempts"].sort("arrived_at")["window_tokens"].to_list() == [131072, 262144]


def test_kv_bytes_per_token_is_at_f16_for_one_sequence() -> None:
    case = ollama().add(
        "runner_start", "server.log", 3, f"{DAY}01:00+00:00", kv_type_k="q8_0", slots=2, total_ctx_tokens=8192
    )
    case.add(
        "memory_part", "server.log", 4, f"{DAY}01:01+00:00", part="kv_cache", device="CUDA0", size_bytes=8192 * 17408
    )
    load = only(made(case)["model_loads"])
    assert (load["kv_type"], load["kv_bytes_per_token"]) == ("q8_0", 17408 / 0.53125)


def test_equal_durations_are_a_limit_even_when_nobody_knows_whose() -> None:
    case = ollama()
    for line, clock in ((5, "11:17"), (6, "22:34"), (7, "33:51")):
        access(case, line, clock, 500, 77.0)
    attempts = made(case)["attempts"]
    assert attempts["timeout_s"].to_list() == [77.0] * 3
    assert set(attempts["timeout_layer"]) == {"fixed limit of 77 s, owner unknown"}


def llama(*facts: tuple[str, float, dict[str, object]]) -> Case:
    case = Case()
    case.source("l.log", "llama-server")
    for line, (table, seconds, columns) in enumerate(facts, start=1):
        case.add(table, "l.log", line, seconds, **columns)
    return case


LAUNCH = ("task_event", 5.0, {"event": "launch", "slot": 0, "task": 7})
CANCEL = ("request_cancel", 9.0, {"stage": "task", "task": 7})
RELEASE = ("task_event", 9.1, {"event": "release", "slot": 0, "task": 7, "n_tokens": 120, "truncated": False})
REFUSAL = ("prompt_refusal", 5.1, {"task": 7, "prompt_tokens": 6368, "window_tokens": 4096})
READ = ("prompt_timing", 7.0, {"phase": "prefill", "slot": 0, "task": 7, "tokens": 100, "duration_s": 2.0})
WRITTEN = ("prompt_timing", 9.0, {"phase": "decode", "slot": 0, "task": 7, "tokens": 21, "duration_s": 2.0})
TOTAL = ("prompt_timing", 9.0, {"phase": "total", "slot": 0, "task": 7, "tokens": 121, "duration_s": 4.0})
FULL = ("task_event", 9.1, {"event": "release", "slot": 0, "task": 7, "n_tokens": 120, "truncated": True})


@pytest.mark.parametrize(
    ("facts", "outcome", "asked"),
    [
        ((LAUNCH, REFUSAL, RELEASE, CANCEL), "refused_window", 6368),
        ((LAUNCH, READ, WRITTEN, TOTAL, RELEASE), "ok", 100),
        ((LAUNCH, READ, WRITTEN, TOTAL, RELEASE, CANCEL), "ok", 100),
        ((LAUNCH, READ, WRITTEN, TOTAL, FULL), "cut_by_length", None),
        ((LAUNCH, CANCEL, RELEASE), "client_closed_before_first_byte", None),
        ((LAUNCH, READ, CANCEL, RELEASE), "client_closed_mid_stream", None),
        ((CANCEL,), "client_closed_in_queue", None),
        ((LAUNCH,), "open_at_end", None),
    ],
)
def test_life_of_a_task_without_access_line(facts: tuple[Any, ...], outcome: str, asked: int | None) -> None:
    row = only(made(llama(*facts))["attempts"])
    assert (row["outcome"], row["asked_tokens"]) == (outcome, asked)
    assert row["arrived_at"] is None  # a relative clock that nothing anchors


def test_timings_of_a_task_are_measured() -> None:
    tables = made(llama(LAUNCH, READ, WRITTEN, TOTAL, RELEASE))
    row = only(tables["attempts"])
    assert (row["prefill_s"], row["prefill_tps"], row["decode_tps"], row["output_tokens"]) == (2.0, 50.0, 10.5, 21)
    labels = {r["column_name"]: r["label"] for r in tables["operands"].to_dicts()}
    assert (labels["prefill_s"], labels["asked_tokens"]) == ("measured", "derived")


def test_how_far_a_given_up_prefill_had_come() -> None:
    progress = (
        "prompt_progress",
        8.0,
        {"phase": "prefill", "slot": 0, "task": 7, "tokens": 1536, "progress": 0.1, "elapsed_s": 3.4},
    )
    row = only(made(llama(LAUNCH, progress, CANCEL, RELEASE))["attempts"])
    assert (row["progress_tokens"], row["prefill_s"]) == (1536, None)


def test_tasks_of_an_ollama_with_llama_server_go_to_their_access_lines() -> None:
    case = ollama("0.32.0")
    case.add("runner_start", "server.log", 3, f"{DAY}01:00+00:00", slots=2, total_ctx_tokens=65536)
    for line, task in ((5, 1), (6, 2)):
        case.add("task_event", "server.log", line, None, event="launch", slot=task, task=task)
    for line, task, tokens in ((8, 2, 500), (9, 1, 900)):
        case.add(
            "prompt_timing",
            "server.log",
            line,
            None,
            phase="prefill",
            slot=task,
            task=task,
            tokens=tokens,
            duration_s=1.0,
        )
    for line, task in ((10, 2), (11, 1)):
        case.add(
            "task_event", "server.log", line, None, event="release", slot=task, task=task, n_tokens=9, truncated=False
        )
    access(case, 12, "01:20", 200, 10.0)
    access(case, 13, "01:21", 200, 12.0)
    requests = made(case)["requests"].sort("ended_at")
    assert requests["task"].to_list() == [2, 1]
    assert requests["prefill_new_tokens"].to_list() == [500, 900]
    assert requests.height == 2


def test_a_given_up_task_may_be_cancelled_behind_its_access_line() -> None:
    case = ollama("0.32.0")
    case.add("task_event", "server.log", 5, None, event="launch", slot=0, task=4)
    case.add("task_event", "server.log", 5, None, event="new_prompt", slot=0, task=4, prompt_tokens=3566)
    access(case, 7, "07:49", 500, 120.0)
    case.add("request_cancel", "server.log", 8, None, stage="task", task=4)
    case.add("task_event", "server.log", 9, None, event="release", slot=0, task=4, n_tokens=3072, truncated=False)
    row = only(made(case)["attempts"])
    assert (row["status"], row["asked_tokens"], row["progress_tokens"]) == (500, 3566, 3072)
    assert row["outcome"] == "client_closed_before_first_byte"


def test_a_look_at_the_next_model_is_neither_a_stay_nor_the_last_ones() -> None:
    case = ollama().add("model_meta", "server.log", 8, None, key="n_ctx_train", value_num=131072.0)
    case.add(
        "runner_start", "server.log", 10, f"{DAY}01:00+00:00", model_digest="sha256-a", slots=1, total_ctx_tokens=4096
    )
    case.add("model_meta", "server.log", 108, None, key="n_ctx_train", value_num=32768.0)
    case.add(
        "runner_start", "server.log", 110, f"{DAY}09:00+00:00", model_digest="sha256-b", slots=1, total_ctx_tokens=4096
    )
    loads = made(case)["model_loads"]
    assert loads["native_window_tokens"].to_list() == [131072, 32768]


def loads_at(*starts: tuple[int, str, str, int], keep_alive: str | None = None, models: str = "0") -> Case:
    """An Ollama that loads models: (line, clock, digest, context), each used for a second right after."""
    case = ollama()
    if keep_alive is not None:
        for key, value in (("OLLAMA_KEEP_ALIVE", keep_alive), ("OLLAMA_MAX_LOADED_MODELS", models)):
            case.add("server_config", "server.log", 2, f"{DAY}00:00+00:00", key=key, value=value)
    for line, clock, digest, context in starts:
        case.add("runner_start", "server.log", line, f"{DAY}{clock}+00:00", model_digest=digest, slots=1,
                 total_ctx_tokens=context)  # fmt: skip
        access(case, line + 1, clock[:-2] + "09", 200, 1.0)
    return case


@pytest.mark.parametrize(
    ("starts", "options", "reasons"),
    [
        ([(10, "01:00", "a", 4096), (20, "01:20", "a", 8192)], {}, ["reload", "end_of_log"]),
        ([(10, "01:00", "a", 4096), (20, "09:00", "a", 4096)], {}, ["keep_alive", "end_of_log"]),
        ([(10, "01:00", "a", 4096), (20, "09:00", "a", 4096)], {"keep_alive": "8h0m0s"}, ["reload", "end_of_log"]),
        ([(10, "01:00", "a", 4096), (20, "01:20", "b", 4096), (30, "01:40", "a", 4096)], {},
         ["swap", "unknown", "end_of_log"]),
        ([(10, "01:00", "a", 4096), (20, "01:20", "b", 4096)], {"keep_alive": "5m0s", "models": "1"},
         ["swap", "end_of_log"]),
        ([(10, "01:00", "a", 4096), (20, "01:20", "b", 4096)], {}, ["unknown", "end_of_log"]),
    ],
)  # fmt: skip
def test_how_a_stay_ends(starts: list[tuple[int, str, str, int]], options: dict[str, str], reasons: list[str]) -> None:
    assert made(loads_at(*starts, **options))["model_loads"]["end_reason"].to_list() == reasons  # type: ignore[arg-type]


def test_idle_time_before_a_load() -> None:
    loads = made(loads_at((10, "01:00", "a", 4096), (20, "09:00", "a", 4096), keep_alive="5m0s"))["model_loads"]
    assert loads["idle_before_s"].to_list() == [None, 471.0]
    assert loads["keep_alive_s"].to_list() == [300.0, 300.0]


@pytest.mark.parametrize(
    ("facts", "error_class"),
    [
        ([("load_end", {"ok": True})], None),
        ([("load_end", {"ok": False, "error": "context canceled"})], "client_left"),
        ([("load_end", {"ok": False, "error": "unknown model architecture: 'x'"}),
          ("load_end", {"ok": False, "error": "failed to load model"})], "unsupported"),
        ([("load_end", {"ok": False, "error": "terminated", "error_class": "crashed"}),
          ("memory_error", {"scope": "gpu"})], "out_of_memory"),
        ([("runner_exit", {"exit_kind": "killed"})], "killed"),
        ([("load_end", {"ok": True}), ("runner_exit", {"exit_kind": "killed"})], None),
        ([("task_event", {"event": "launch", "task": 1}), ("memory_error", {"scope": "gpu"})], None),
        ([("load_end", {"ok": False, "error": "some new words"})], "other"),
    ],
)  # fmt: skip
def test_why_a_load_failed(facts: list[tuple[str, dict[str, object]]], error_class: str | None) -> None:
    case = ollama().add("runner_start", "server.log", 3, f"{DAY}01:00+00:00", model_digest="a", total_ctx_tokens=4096)
    for line, (table, columns) in enumerate(facts, start=5):
        case.add(table, "server.log", line, f"{DAY}01:{line:02d}+00:00", **columns)
    load = only(made(case)["model_loads"])
    assert load["error_class"] == error_class
    assert (load["end_reason"] == "failed") == (error_class is not None)


def test_a_line_for_all_devices_is_not_added_to_the_devices() -> None:
    case = ollama().add("runner_start", "server.log", 3, f"{DAY}01:00+00:00", slots=1, total_ctx_tokens=8192)
    for line, (part, device) in enumerate(
        [("kv_cache", "CPU"), ("kv_cache", "all"), ("weights", "CPU"), ("total", "all")], 4
    ):
        case.add("memory_part", "server.log", line, f"{DAY}01:01+00:00", part=part, device=device, size_bytes=1000)
    case.add("context_clamp", "server.log", 9, f"{DAY}01:01+00:00", requested_tokens=262144, granted_tokens=8192)
    load = only(made(case)["model_loads"])
    assert (load["kv_bytes"], load["weights_bytes"], load["cpu_only"]) == (1000, 1000, True)
    assert load["requested_window_tokens"] == 262144


@pytest.mark.parametrize(
    ("devices", "cpu_only"), [(["CPU"], True), (["CUDA0", "CUDA_Host"], None), (["CPU", "Metal"], None), ([], None)]
)
def test_a_log_with_the_working_memory_alone_tells_a_cpu(devices: list[str], cpu_only: bool | None) -> None:
    case = ollama().add("runner_start", "server.log", 3, f"{DAY}01:00+00:00", slots=1, total_ctx_tokens=8192)
    for line, device in enumerate(devices, 4):
        part = {"part": "compute_graph", "device": device, "size_bytes": 1000}
        case.add("memory_part", "server.log", line, f"{DAY}01:01+00:00", **part)
    assert only(made(case)["model_loads"])["cpu_only"] is cpu_only
