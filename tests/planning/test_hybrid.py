"""Which calls stay, which need a larger window, which are moved, and what never moves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from investigator.planning import Hybrid, Privacy, hybrid_split, load_catalogue, read_measured
from tests.diagnosis.make import attempt
from tests.planning.make import ANSWERED, FOUNDING, case_of, founding_rows


def split(rows: list[dict[str, Any]], privacy: Privacy | None = None) -> Hybrid:
    catalogue = replace(load_catalogue(), privacy=privacy or Privacy())
    with case_of(rows, parent="qwen3-coder:30b") as case:
        return hybrid_split(case.connection, catalogue, read_measured(case.connection, catalogue))


def shares(made: Hybrid) -> dict[str, int]:
    return {share.place: share.calls for share in made.shares}


def test_the_founding_calls() -> None:
    made = split(founding_rows())
    assert shares(made) == {"here": 2, "cloud": 3}
    assert made.failed_before == 3 and made.failed_with_larger_window == 3
    assert made.threshold_tokens is not None and 90_000 < made.threshold_tokens < 96_000
    clouds = {cloud.model_id: cloud for cloud in made.clouds}
    devstral, gemini = clouds["devstral-2512"], clouds["gemini-2.5-pro"]
    assert (devstral.calls_that_fit, devstral.failed_after) == (3, 0)
    assert devstral.cost_usd == pytest.approx(3 * (146_760 * 0.40 + 40 * 2.00) / 1e6)
    assert gemini.cost_usd == pytest.approx(3 * (146_760 * 1.25 + 40 * 10.00) / 1e6)
    assert clouds["labs-devstral-small-2512"].cost_usd is None
    assert made.share("here").share == pytest.approx(0.4)  # type: ignore[union-attr]


def test_a_prompt_that_only_needs_a_larger_window() -> None:
    row = {**FOUNDING, "asked_tokens": 20_000, "window_tokens": 16_384, "read_tokens": 16_384}
    made = split([attempt("a", **row)])
    assert shares(made) == {"larger_window": 1}
    assert made.failed_with_larger_window == 0


def test_a_larger_window_that_does_not_fit_in_memory_is_none() -> None:
    row = {**FOUNDING, "asked_tokens": 20_000, "window_tokens": 16_384, "memory_limit_bytes": 20 * 2**30}
    assert shares(split([attempt("a", **row)])) == {"cloud": 1}


def test_a_small_prompt_that_failed_is_not_moved() -> None:
    row = {**ANSWERED, "failed": True, "outcome": "server_error"}
    made = split([attempt("a", **row)])
    assert shares(made) == {"other_reason": 1}
    assert all(cloud.calls_that_fit == 0 for cloud in made.clouds)


def test_what_is_not_known_is_not_moved() -> None:
    rows = [
        attempt("a", **{**FOUNDING, "asked_tokens": None}),
        attempt("b", **{**FOUNDING, "prefill_r0": None, "prefill_c": None, "model_key": "other"}),
        attempt("c", **{**FOUNDING, "timeout_s": None, "memory_limit_bytes": None, "model_key": "no memory"}),
    ]
    assert shares(split(rows)) == {"unknown": 3}


def test_a_prompt_longer_than_a_cloud_window_stays_failed() -> None:
    made = split([attempt("a", **{**FOUNDING, "asked_tokens": 400_000})])
    clouds = {cloud.model_id: cloud for cloud in made.clouds}
    assert (clouds["devstral-2512"].calls_too_long, clouds["devstral-2512"].failed_after) == (1, 1)
    assert clouds["gemini-2.5-pro"].failed_after == 0


@pytest.mark.parametrize(
    ("privacy", "columns"),
    [
        (Privacy(sessions=("s",)), {}),
        (Privacy(sessions=("run-*",)), {}),
        (Privacy(agents=("openclaw",)), {}),
        (Privacy(paths=("agents/secret/*",)), {"evidence": ["agents/secret/a.jsonl:7", "server.log:3"]}),
        (Privacy(paths=("elsewhere/*",)), {"agent": None, "session_id": None}),
    ],
    ids=["session", "run", "agent", "path", "owner-unknown"],
)
def test_what_is_private_never_moves(privacy: Privacy, columns: dict[str, Any]) -> None:
    made = split([attempt("a", **{**FOUNDING, **columns})], privacy)
    assert shares(made) == {"private": 1}
    assert all((cloud.calls_that_fit, cloud.failed_after) == (0, 1) for cloud in made.clouds)


def test_what_is_not_marked_moves() -> None:
    made = split([attempt("a", **FOUNDING)], Privacy(sessions=("other",)))
    assert shares(made) == {"cloud": 1}
