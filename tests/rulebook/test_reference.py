"""docs/rules.md: its reference is generated, its example is a rule that passes its own tests."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from investigator.rulebook.pack import RuleSet
from investigator.rulebook.reference import reference
from investigator.rulebook.testing import run_rule_tests

DOCS = Path(__file__).resolve().parents[2] / "docs" / "rules.md"


def test_the_reference_is_fresh() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert text.endswith(reference()), (
        "write reference() of investigator/rulebook/reference.py below '## Reference' again"
    )


def test_every_key_is_documented() -> None:
    for key in ("match", "steps", "at_best", "what_if", "downto", "paste", "within", "needs", "non_null"):
        assert f"`{key}`" in reference()


def test_the_example_is_a_rule(rule_from: Callable[..., RuleSet]) -> None:
    match = re.search(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert match is not None
    rules = rule_from(match[1], "prompt-almost-full")
    assert not rules.problems, "\n".join(map(str, rules.problems))
    results = run_rule_tests(rules)
    assert [result.failures for result in results] == [(), (), ()]
