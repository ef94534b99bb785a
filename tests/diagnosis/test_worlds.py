"""What would have helped: single changes, pairs, the number that is enough, and retries that never happen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from investigator.casefile.derived import derived_tables
from investigator.casefile.frames import insert_frame, read_frame
from investigator.diagnosis.model import World
from investigator.diagnosis.worlds import Replay
from investigator.rulebook.emptyviews import empty_views
from investigator.rulebook.functions import register_functions
from investigator.rulebook.load import load_rules
from investigator.rulebook.pack import RuleSet
from tests.diagnosis.make import attempt

#: A machine that reads 100 tokens a second at any depth; the client waits 300 s.
SLOW: dict[str, Any] = {
    "model_key": "m",
    "work_id": "w",
    "try_no": 1,
    "asked_tokens": 40_000,
    "read_tokens": 40_000,
    "cached_tokens": 0,
    "window_tokens": 65_536,
    "native_window_tokens": 65_536,
    "overflow_action": "cut",
    "prefill_r0": 100.0,
    "prefill_c": 0.0,
    "prefill_spread": 0.1,
    "deepest_tps": 100.0,
    "deepest_tokens": 20_000,
    "timeout_s": 300.0,
    "duration_s": 300.0,
    "outcome": "client_closed_before_first_byte",
    "slots": 1,
}


@pytest.fixture(scope="module")
def rules(rules_dir: Path) -> RuleSet:
    names = [
        "prefill-outlasts-timeout",
        "window-capped-below-native",
        "prompt-cut-to-window",
        "prompt-refused-by-window",
    ]
    return load_rules([rules_dir]).only([*names, "slot-held-past-timeout"])


def helped(rules: RuleSet, *rows: dict[str, Any]) -> dict[tuple[tuple[str, Any], ...], World]:
    con: duckdb.DuckDBPyConnection = empty_views()
    insert_frame(con, "attempts", pl.DataFrame(list(rows), schema=derived_tables()["attempts"].polars_schema()))
    register_functions(con)
    found = Replay(con, rules, read_frame(con, "FROM attempts ORDER BY attempt_id").to_dicts()).what_would_help()
    con.close()
    return {tuple((change.lever, change.after) for change in world.changes): world for world in found}


def test_a_longer_limit_is_enough_with_safety_and_rounded_up(rules: RuleSet) -> None:
    # 400 s of reading × 1.3 = 520 s, rounded up to 540 s.
    found = helped(rules, attempt("a", **SLOW))
    world = found[("timeout_s", 540.0),]
    assert (world.saves, world.saved_calls, world.minimal) == ("yes", 1, True)
    assert "40,000 tokens are read in about 400 s (364 to 440 s), the limit is 540 s" in world.why


def test_a_limit_inside_the_interval_only_might_help(rules: RuleSet) -> None:
    found = helped(rules, attempt("a", **SLOW))
    assert found[("timeout_s", 420.0),].saves == "might"


def test_two_faults_need_two_changes_and_neither_alone_is_called_minimal(rules: RuleSet) -> None:
    capped = {**SLOW, "asked_tokens": 80_000, "read_tokens": 65_536, "native_window_tokens": 131_072}
    found = helped(rules, attempt("a", **capped))
    assert found[("window_tokens", 131_072),].saves == "no"
    both = next(world for levers, world in found.items() if dict(levers).get("window_tokens") and world.minimal)
    assert [change.lever for change in both.changes] == ["window_tokens", "timeout_s"]
    assert both.changes[1].after == 1080  # 800 s × 1.3 = 1,040 s
    assert not any(world.minimal and len(world.changes) == 1 for world in found.values())


def test_a_first_try_that_passes_removes_its_retries(rules: RuleSet) -> None:
    again = {**SLOW, "try_no": 2, "asked_tokens": 200_000, "read_tokens": 65_536, "native_window_tokens": 65_536}
    found = helped(rules, attempt("a", **SLOW), attempt("b", minute=6, **again))
    # The second try alone would never pass: it is longer than any window.
    assert found[("timeout_s", 540.0),].saves == "yes"


def test_what_was_seen_of_the_slot_outweighs_a_law_that_gives_less(rules: RuleSet) -> None:
    seen = {**SLOW, "window_tokens": 30_000, "read_tokens": 30_000, "prefill_spread": 3.0, "slot_held_s": 700.0}
    found = helped(rules, attempt("a", **seen))
    raised = found[("window_tokens", 65_536),]
    assert raised.saves == "no" and "40,000 tokens were not read in 700 s, the limit is 300 s" in raised.why
    # A limit above the 700 s may be enough or not: nothing says so, and nothing promises it.
    assert all(world.saves != "yes" for world in found.values())


def test_a_popular_change_is_told_only_where_a_cause_depends_on_it(rules: RuleSet) -> None:
    full = {"weights_bytes": 9e9, "kv_bytes": 1e9, "memory_limit_bytes": 10e9, "kv_type": "f16"}
    assert not [levers for levers in helped(rules, attempt("a", **SLOW, **full)) if "kv_type" in dict(levers)]


def test_nothing_is_promised_where_nothing_is_known(rules: RuleSet) -> None:
    unknown = {**SLOW, "prefill_r0": None, "prefill_c": None, "deepest_tps": None}
    assert not [world for world in helped(rules, attempt("a", **unknown)).values() if world.saves == "yes"]
