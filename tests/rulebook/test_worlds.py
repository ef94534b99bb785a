"""Replays: which change of which levers saves an attempt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import duckdb
import pytest

from investigator.casefile.derived import derived_tables
from investigator.rulebook.emptyviews import empty_views
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.shadow import LeverWorld, follow_layers
from investigator.rulebook.testing import fill_views
from investigator.rulebook.worlds import evaluate_worlds, replayable
from investigator.rulebook.worldtable import WorldTable

Rows: TypeAlias = dict[str, list[dict[str, Any]]]
Case: TypeAlias = Callable[[Rows], duckdb.DuckDBPyConnection]

NATIVE = {"window_tokens": "native_window_tokens"}
TRIES = ["a1", "a2", "a3"]


NECESSITY: tuple[tuple[dict[str, str], str], ...] = (
    ({}, "no"),
    (NATIVE, "no"),
    ({"timeout_s": "420"}, "no"),
    ({"timeout_s": "900"}, "no"),
    (NATIVE | {"timeout_s": "420"}, "no"),
    (NATIVE | {"timeout_s": "600"}, "no"),
    (NATIVE | {"timeout_s": "700"}, "might"),
    (NATIVE | {"timeout_s": "900"}, "yes"),
    (NATIVE | {"prefill_r0": "prefill_r0 * 5", "prefill_c": "prefill_c / 5"}, "yes"),
    ({"asked_tokens": "95000"}, "might"),
    ({"asked_tokens": "70000"}, "yes"),
    ({"asked_tokens": "131072"}, "no"),
    (NATIVE | {"cached_tokens": "asked_tokens - 500"}, "yes"),
    ({"prefill_r0": "NULL"}, "no"),
    (NATIVE | {"prefill_r0": "NULL", "timeout_s": "900"}, "might"),
)


@pytest.fixture(scope="module")
def necessity(built_in: RuleSet, founding_text: Callable[[], Rows]) -> WorldTable:
    """All worlds at once; that one by one they are the same: test_many_worlds_are_the_same_as_one_by_one."""
    worlds = [LeverWorld(str(number), changes) for number, (changes, _) in enumerate(NECESSITY)]
    with empty_views() as con:
        fill_views(con, founding_text())
        return evaluate_worlds(con, built_in, worlds, TRIES)


@pytest.mark.parametrize("number", range(len(NECESSITY)), ids=lambda number: str(NECESSITY[number]))
def test_necessity(necessity: WorldTable, number: int) -> None:
    assert {necessity.saved(str(number), attempt) for attempt in TRIES} == {NECESSITY[number][1]}


def test_rules_that_are_quiet_today_count(case: Case, founding_rows: Rows, built_in: RuleSet) -> None:
    """A refused prompt is not read; with a larger window it would be read, and outlast the limit."""
    for row in founding_rows["attempts"]:
        row |= {"overflow_action": "refuse", "outcome": "refused_window", "read_tokens": 146760, "duration_s": 0.1}
    worlds = [LeverWorld("now", {}), LeverWorld("window", NATIVE), LeverWorld("both", NATIVE | {"timeout_s": "900"})]
    table = evaluate_worlds(case(founding_rows), built_in, worlds, ["a1"])
    fired = {
        world: {row.rule for row in table.of(world, "a1") if row.outcome == "fired"} for world in ("now", "window")
    }
    assert "prompt-refused-by-window" in fired["now"] and "prefill-outlasts-timeout" not in fired["now"]
    assert fired["window"] == {"prefill-outlasts-timeout"}
    assert table.saved("both", "a1") == "yes"


@pytest.mark.parametrize(("asked", "saved"), [(15000, "yes"), (60000, "might")])
def test_an_unknown_limit_is_not_doubted_for_a_short_wait(
    case: Case, founding_rows: Rows, built_in: RuleSet, asked: int, saved: str
) -> None:
    for row in founding_rows["attempts"]:
        row |= {"overflow_action": "refuse", "outcome": "refused_window", "asked_tokens": asked, "read_tokens": asked,
                "window_tokens": 8192, "timeout_s": None}  # fmt: skip
    table = evaluate_worlds(case(founding_rows), built_in, [LeverWorld("w", NATIVE)], ["a1"])
    assert table.saved("w", "a1") == saved


def test_many_worlds_are_the_same_as_one_by_one(case: Case, founding_rows: Rows, built_in: RuleSet) -> None:
    con = case(founding_rows)
    worlds = [LeverWorld(f"t{n}", {"timeout_s": str(100 * n)} | (NATIVE if n % 2 else {})) for n in (1, 4, 7, 9)]
    together = evaluate_worlds(con, built_in, worlds, TRIES)
    for world in worlds:
        assert evaluate_worlds(con, built_in, [world], TRIES).rows == tuple(
            r for r in together.rows if r.world_id == world.world_id
        )


def test_both_shapes_of_the_query_agree(case: Case, founding_rows: Rows, built_in: RuleSet) -> None:
    con = case(founding_rows)
    worlds = [LeverWorld("a", NATIVE), LeverWorld("b", {"timeout_s": "550"}), LeverWorld("c", {"slots": "4"})]
    local = built_in.only(rule.id for rule in replayable(built_in) if rule.row_local)
    assert len(local.rules) >= 5
    one_by_one = RuleSet(tuple(replace(rule, row_local=False) for rule in local.rules))
    expected = evaluate_worlds(con, local, worlds, TRIES)
    assert evaluate_worlds(con, one_by_one, worlds, TRIES).rows == expected.rows
    assert len(expected.rows) == 3 * 3 * 6


def test_a_rule_that_looks_at_several_rows_is_replayed(
    case: Case, founding_rows: Rows, rule_from: Callable[..., RuleSet], example_text: str
) -> None:
    text = example_text.replace("evidence\n  FROM", "evidence, count(*) OVER (PARTITION BY work_id) AS tries\n  FROM")
    rules = rule_from(text.replace("verdict: read_time", "verdict: tries = 3 AND read_time"))
    assert not rules.problems and not rules.rules[0].row_local
    worlds = [LeverWorld("now", {}), LeverWorld("long", {"timeout_s": "900"})]
    table = evaluate_worlds(case(founding_rows), rules, worlds, TRIES)
    assert [row.outcome for row in table.rows] == ["fired"] * 3 + ["quiet"] * 3


def test_rules_of_what_happened_have_no_place_in_a_world(case: Case, founding_rows: Rows, built_in: RuleSet) -> None:
    silent = [rule for rule in built_in.rules if rule.silent_in_worlds]
    assert {"client-cancelled", "requests-queue-up", "server-stall"} <= {rule.id for rule in silent}
    assert not {rule.id for rule in silent} & {rule.id for rule in replayable(built_in)}
    asked_all_the_same = RuleSet(tuple(replace(rule, silent_in_worlds=False) for rule in silent))
    assert evaluate_worlds(case(founding_rows), asked_all_the_same, [LeverWorld("w", NATIVE)], TRIES).rows == ()


def test_no_rule_looked_means_might(case: Case, founding_rows: Rows, built_in: RuleSet) -> None:
    table = evaluate_worlds(case(founding_rows), built_in, [LeverWorld("w", {})], ["nobody"])
    assert table.rows == ()
    assert table.saved("w", "nobody") == "might"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"outcome": "'ok'"}, "no lever"),
        ({"nonsense": "1"}, "no lever"),
        ({"timeout_s": "(SELECT 1)"}, "subquery"),
        ({"timeout_s": "no_such + 1"}, "unknown column"),
        ({"timeout_s": "random()"}, "random"),
        ({"timeout_s": "1; DROP TABLE attempts"}, "SELECT"),
    ],
)
def test_worlds_are_checked(case: Case, built_in: RuleSet, changes: Mapping[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        evaluate_worlds(case({}), built_in, [LeverWorld("w", changes)], ["a"])


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (["window_tokens"], {"read_tokens", "cut_tokens", "kv_bytes"}),
        (["asked_tokens"], {"read_tokens", "cut_tokens"}),
        (["kv_type"], {"kv_bytes"}),
        (["timeout_s"], set()),
    ],
)
def test_followers(changed: list[str], expected: set[str]) -> None:
    found = {name for layer in follow_layers(changed) for name in layer}
    follows = {column.name for column in derived_tables()["attempts"].columns if column.follows}
    assert found & follows == expected & follows
