"""Outcomes, labels, evidence, what-ifs and determinism on rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import duckdb
import pytest

from investigator.rulebook import evaluate as evaluate_module
from investigator.rulebook.emptyviews import empty_views
from investigator.rulebook.evaluate import LISTED_SUBJECTS, Evaluation, evaluate
from investigator.rulebook.findings import Finding
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.testing import fill_views
from investigator.rulebook.whatif import simplest_between

Rows: TypeAlias = dict[str, list[dict[str, Any]]]
Case: TypeAlias = Callable[[Rows], duckdb.DuckDBPyConnection]


@pytest.fixture(scope="module")
def founding(built_in: RuleSet, founding_text: Callable[[], Rows]) -> Evaluation:
    with empty_views() as con:
        fill_views(con, founding_text())
        return evaluate(con, built_in)


@pytest.fixture(scope="module")
def few(built_in: RuleSet) -> RuleSet:
    """Rules that have something to say of the founding incident."""
    return built_in.only(
        ["agent-believes-another-window", "crash-ruled-out", "memory-ruled-out", "prefill-outlasts-timeout",
         "prompt-cut-to-window", "prompt-refused-by-window", "retried-in-vain", "window-capped-below-native"]
    )  # fmt: skip


def of(evaluation: Evaluation, rule: str) -> Finding:
    (found,) = [finding for finding in evaluation.findings if finding.rule == rule]
    return found


def test_the_founding_incident(founding: Evaluation) -> None:
    outcomes = {result.rule: result.outcome for result in founding.results}
    expected = {
        "agent-believes-another-window": "fired",
        "crash-ruled-out": "fired",
        "memory-ruled-out": "fired",
        "prefill-outlasts-timeout": "fired",
        "prompt-cut-to-window": "fired",
        "prompt-refused-by-window": "quiet",
        "retried-in-vain": "fired",
        "window-capped-below-native": "fired",
    }
    assert {rule: outcomes[rule] for rule in expected} == expected
    assert all(finding.subjects == ("a1", "a2", "a3") for finding in founding.findings)


def test_sums_of_the_founding_incident(founding: Evaluation) -> None:
    steps = {step.name: step for step in of(founding, "prefill-outlasts-timeout").steps}
    assert steps["flat_time"].expr == "146,760 tokens ÷ 400 tokens/s"
    assert steps["flat_time"].value == pytest.approx(366.9)
    assert steps["flat_time_read"].value == pytest.approx(327.68)
    assert steps["bound_tps"].value == pytest.approx(436.9, abs=0.05)
    assert steps["read_time"].value == pytest.approx(541.7, abs=0.1)
    assert steps["read_time"].label == "estimated"
    assert steps["to_read"].label == "derived"


def test_operands_carry_label_and_evidence(founding: Evaluation) -> None:
    steps = {step.name: step for step in of(founding, "prefill-outlasts-timeout").steps}
    asked, rate = steps["flat_time"].operands
    assert (asked.name, asked.value, asked.unit, asked.label) == ("asked_tokens", 146760, "tokens", "measured")
    assert [str(ref) for ref in asked.evidence] == ["server.log:391"]
    assert (rate.name, rate.note) == ("deepest_tps", "prompt eval rate printed by the engine")


def test_every_number_points_to_a_line(founding: Evaluation) -> None:
    operands = [o for finding in founding.findings for step in finding.steps for o in step.operands]
    assert [o.name for o in operands if o.value is not None and not o.evidence] == []
    retried = of(founding, "retried-in-vain")
    counted = [o for step in retried.steps for o in step.operands]
    assert {o.label for o in counted} == {"derived"}
    assert {ref for o in counted for ref in o.evidence} <= set(retried.evidence)


def test_a_finding_is_no_surer_than_its_weakest_operand(case: Case, founding_rows: Rows, few: RuleSet) -> None:
    for operand in founding_rows["operands"]:
        if operand["column_name"] == "native_window_tokens":
            operand["label"] = "estimated"
    evaluation = evaluate(case(founding_rows), few)
    assert of(evaluation, "window-capped-below-native").label == "estimated"
    assert of(evaluation, "prompt-cut-to-window").label == "measured"


def test_causes_and_symptoms(founding: Evaluation) -> None:
    rules = {finding.finding_id: finding.rule for finding in founding.findings}
    edges = {(rules[cause], rules[effect]) for cause, effect in founding.edges}
    assert edges >= {
        ("window-capped-below-native", "prompt-cut-to-window"),
        ("window-capped-below-native", "agent-believes-another-window"),
        ("agent-believes-another-window", "prompt-cut-to-window"),
        ("prompt-cut-to-window", "retried-in-vain"),
        ("prefill-outlasts-timeout", "retried-in-vain"),
    }


def test_keys_of_all_members(founding: Evaluation) -> None:
    keys = of(founding, "prefill-outlasts-timeout").keys
    assert keys["attempt_id"] == keys["subject"] == ("a1", "a2", "a3")
    assert keys["run_id"] == ("r1", "r2", "r3")
    assert keys["work_id"] == ("w",)


def test_remedies_are_ready_to_paste(founding: Evaluation) -> None:
    (cap,) = of(founding, "window-capped-below-native").remedies
    assert (cap.setting, cap.value) == ("PARAMETER num_ctx", 262144)
    assert cap.paste is not None and cap.paste.endswith("FROM v-128k\nPARAMETER num_ctx 262144")
    limit = of(founding, "prefill-outlasts-timeout").remedies[0]
    assert (limit.setting, limit.value, limit.proves) == ("agents.defaults.timeoutSeconds", 900, "safe_wait")
    assert limit.paste is not None and '"timeoutSeconds": 900' in limit.paste


def test_twice_the_same(case: Case, founding_rows: Rows, built_in: RuleSet) -> None:
    backwards = {name: rows[::-1] for name, rows in founding_rows.items()}
    assert evaluate(case(founding_rows), built_in) == evaluate(case(backwards), built_in)


def test_counts_are_complete_and_lists_are_short(case: Case, example_rules: RuleSet) -> None:
    rows = [
        {"attempt_id": f"a{number:05}", "run_id": "r", "read_tokens": 1, "cached_tokens": 0, "prefill_r0": 1, "prefill_c": 0,
         "timeout_s": 300, "outcome": "client_closed_mid_stream"}
        for number in range(LISTED_SUBJECTS + 7)
    ]  # fmt: skip
    evaluation = evaluate(case({"attempts": rows}), example_rules)
    assert evaluation.results[0].counts == {"fired": 0, "error": 0, "not_evaluated": 0, "quiet": LISTED_SUBJECTS + 7}
    assert len(evaluation.subjects) == LISTED_SUBJECTS


@pytest.fixture
def example_rules(rule_from: Callable[..., RuleSet], example_text: str) -> RuleSet:
    return rule_from(example_text)


def test_a_missing_view_is_not_evaluated(case: Case, founding_rows: Rows, few: RuleSet) -> None:
    con = case(founding_rows)
    con.execute("DROP TABLE server_events")
    results = {result.rule: result for result in evaluate(con, few).results}
    assert results["crash-ruled-out"].outcome == "not_evaluated"
    assert results["crash-ruled-out"].reasons == ("the view server_events is missing",)
    assert results["prompt-cut-to-window"].outcome == "fired"


def test_a_view_of_another_version(case: Case, rule_from: Callable[..., RuleSet], example_text: str) -> None:
    rules = rule_from(example_text.replace("attempts: {version: 1}", "attempts: {version: 7}"))
    (result,) = evaluate(case({}), rules).results
    assert result.outcome == "not_evaluated"
    assert "written for 7" in result.reasons[0]


def test_an_error_of_one_rule_leaves_the_others(
    case: Case, rule_from: Callable[..., RuleSet], example_text: str, founding_rows: Rows, few: RuleSet
) -> None:
    failing = example_text.replace("verdict: read_time", "verdict: CAST(run_id AS BIGINT) > 0 AND read_time")
    rules = RuleSet((*rule_from(failing).rules, *few.rules))
    results = {result.rule: result for result in evaluate(case(founding_rows), rules).results}
    assert results["prefill-example"].outcome == "error"
    assert "Conversion Error" in results["prefill-example"].reasons[0]
    assert results["prompt-cut-to-window"].outcome == "fired"


def test_a_read_only_case_with_temporary_views(tmp_path: Any, founding_rows: Rows, case: Case, few: RuleSet) -> None:
    path = tmp_path / "case.duckdb"
    source = case(founding_rows)
    source.execute(f"ATTACH '{path}' AS stored")
    tables = [row[0] for row in source.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
    for table in tables:
        source.execute(f"CREATE TABLE stored.{table}_ AS FROM {table}")
    source.execute("DETACH stored")
    with duckdb.connect(str(path), read_only=True) as con:
        for table in tables:
            con.execute(f"CREATE TEMP VIEW {table} AS FROM {table}_")
        found = evaluate(con, few).findings
    assert found == evaluate(source, few).findings
    assert len(found) >= 7


def test_parameters_can_be_set(case: Case, founding_rows: Rows, few: RuleSet) -> None:
    patient = few.with_params("prefill-outlasts-timeout", {"margin": 1.9}).only(["prefill-outlasts-timeout"])
    assert not evaluate(case(founding_rows), patient).findings


@pytest.mark.parametrize(
    ("inside", "outside", "expected"),
    [
        (374.9999, 375.0000001, 375.0),
        (541.66298, 541.6629821, 541.662982),
        (2.0, 1.0, 1.0),
        (0.5, 0.5000001, 0.5000001),
    ],
)
def test_the_simplest_number(inside: float, outside: float, expected: float) -> None:
    assert simplest_between(inside, outside) == pytest.approx(expected, abs=1e-12)


def test_counted_in_the_database_is_the_same(
    case: Case, founding_rows: Rows, built_in: RuleSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = evaluate(case(founding_rows), built_in)
    monkeypatch.setattr(evaluate_module, "SMALL_VIEW_ROWS", -1)
    assert evaluate(case(founding_rows), built_in) == here
