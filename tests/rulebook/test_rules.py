"""The tests inside rule files, and what every built-in rule must have. Those on logs: tests/cli/test_founding.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from investigator.rulebook.load import load_rules
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.testing import RowViews, run_rule_tests
from investigator.yamltext import load as load_yaml

ROOT = Path(__file__).resolve().parents[2]
OWN = Path(__file__).parent / "rules"
BUILT_IN = sorted(path.stem for path in (ROOT / "rules").glob("*.yaml") if path.name != "pack.yaml")
ALL = sorted({*BUILT_IN, *(path.stem for path in OWN.glob("*.yaml") if path.name != "pack.yaml")})


@pytest.fixture(scope="module")
def loaded(built_in: RuleSet) -> RuleSet:
    """The built-in rules and those of the tests."""
    own = load_rules([OWN])
    return RuleSet((*built_in.rules, *own.rules), (*built_in.problems, *own.problems))


@pytest.fixture(scope="module")
def views() -> Iterator[RowViews]:
    found = RowViews()
    yield found
    found.close()


def test_all_rules_load(loaded: RuleSet) -> None:
    assert not loaded.problems, "\n".join(map(str, loaded.problems))
    assert sorted(rule.id for rule in loaded.rules) == ALL


@pytest.mark.parametrize("rule_id", ALL)
def test_inline(loaded: RuleSet, views: RowViews, rule_id: str) -> None:
    results = run_rule_tests(loaded.only([rule_id]), views=views)
    assert results
    assert not [f"{each.test}: {failure}" for each in results for failure in each.failures]


@pytest.mark.parametrize("rule_id", BUILT_IN)
def test_built_in_rules_are_complete(built_in: RuleSet, rule_id: str) -> None:
    rule = built_in[rule_id].rule
    expected = {test.expect.outcome for test in rule.tests if test.log is None}
    assert "fired" in expected and expected & {"quiet", "no_candidates"}, "needs a fired test and a near miss"
    if rule.status == "stable":
        # A near miss is quiet, or no candidate where the match alone judges.
        assert "not_evaluated" in expected, "a stable rule needs a not-evaluated test"
        assert [test for test in rule.tests if test.log is not None], "needs a test through the whole pipeline"
    assert rule.references
    assert rule.explain.long
    assert rule.kind in {"ruled-out"} or rule.remedies


@pytest.mark.parametrize("rule_id", BUILT_IN)
def test_causes_are_of_the_vocabulary(built_in: RuleSet, rule_id: str, shared: Path) -> None:
    text = (shared / "corpus" / "causes.yaml").read_text(encoding="utf-8")
    slugs = {entry["cause"] for entry in load_yaml(text)}
    assert built_in[rule_id].rule.cause in slugs


@pytest.mark.parametrize("rule_id", BUILT_IN)
def test_causal_edges_name_rules_that_exist(built_in: RuleSet, rule_id: str) -> None:
    assert {edge.rule for edge in built_in[rule_id].rule.causes} <= set(BUILT_IN)


def test_log_tests_name_fixtures_that_exist(built_in: RuleSet, fixtures_dir: Path) -> None:
    logs = {test.log for rule in built_in.rules for test in rule.rule.tests if test.log is not None}
    assert logs
    assert not {log for log in logs if not (fixtures_dir / log).is_dir()}
