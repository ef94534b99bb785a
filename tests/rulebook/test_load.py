"""Bad rule files: every problem is told at once, with its place and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from investigator.rulebook.load import load_rules, without_tests
from investigator.rulebook.pack import RuleSet
from investigator.yamltext import load as load_yaml

BAD = load_yaml((Path(__file__).parent / "bad_rules.yaml").read_text(encoding="utf-8"))


def changed(text: str, entry: dict[str, Any]) -> str:
    if "text" in entry:
        return str(entry["text"])
    if "replace" in entry:
        old, new = entry["replace"]
        assert old in text, f"the example has no {old!r}"
        text = text.replace(old, new, 1)
    return text + entry.get("append", "")


@pytest.mark.parametrize("entry", BAD, ids=[entry["name"] for entry in BAD])
def test_problems(entry: dict[str, Any], example_text: str, rule_from: Callable[..., RuleSet]) -> None:
    loaded = rule_from(changed(example_text, entry))
    assert not loaded.rules
    found = "\n".join(str(problem) for problem in loaded.problems)
    assert len(loaded.problems) == len(entry["problems"]), found
    for wanted in entry["problems"]:
        matching = [problem for problem in loaded.problems if wanted["message"] in problem.message]
        assert matching, f"no problem says {wanted['message']!r}:\n{found}"
        assert wanted.get("hint", "") in (matching[0].hint or ""), found
        assert (matching[0].hint and matching[0].source_line is not None) or "text" in entry
        if "at" in wanted:
            assert f"{matching[0].line}:{matching[0].column}" == wanted["at"], found


def test_a_problem_points(example_text: str, rule_from: Callable[..., RuleSet]) -> None:
    (problem,) = rule_from(example_text.replace("FROM attempts WHERE", "FROM attemps WHERE")).problems
    head, line, caret, hint = str(problem).splitlines()
    assert head.endswith("prefill-example.yaml:19:8: no view is called `attemps`")
    assert line[caret.index("^") :].startswith("attemps WHERE")
    assert hint.strip() == "→ did you mean `attempts`?"


def test_good_rules_load_beside_bad_ones(tmp_path: Path, example_text: str) -> None:
    (tmp_path / "prefill-example.yaml").write_text(example_text, encoding="utf-8")
    (tmp_path / "bad.yaml").write_text("schema: 2\n", encoding="utf-8")
    (tmp_path / "latin.yaml").write_bytes(b"title: caf\xe9\n")
    loaded = load_rules([tmp_path])
    assert [rule.id for rule in loaded.rules] == ["prefill-example"]
    assert {Path(str(problem.path)).name for problem in loaded.problems} == {"bad.yaml", "latin.yaml"}
    assert loaded.packs[0].rules == 3


def test_the_same_rule_twice(tmp_path: Path, example_text: str) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "prefill-example.yaml").write_text(example_text, encoding="utf-8")
    loaded = load_rules([tmp_path / "a", tmp_path / "b"])
    assert len(loaded.rules) == 1
    assert "already loaded from" in loaded.problems[0].message


@pytest.mark.parametrize("missing", ["no-such.yaml", "."])
def test_nothing_to_load_is_told(tmp_path: Path, missing: str) -> None:
    loaded = load_rules([tmp_path / missing])
    assert not loaded.rules
    assert len(loaded.problems) == 1


def test_pack_describes_itself(tmp_path: Path, example_text: str) -> None:
    (tmp_path / "prefill-example.yaml").write_text(example_text, encoding="utf-8")
    (tmp_path / "pack.yaml").write_text('name: mine\nversion: "3"\n', encoding="utf-8")
    first = load_rules([tmp_path])
    assert (first.packs[0].name, first.packs[0].version) == ("mine", "3")
    assert first.rules[0].pack == "mine"
    (tmp_path / "prefill-example.yaml").write_text(example_text + "\n", encoding="utf-8")
    assert load_rules([tmp_path]).packs[0].sha256 != first.packs[0].sha256


def test_rules_load_alike_without_their_tests(rules_dir: Path, built_in: RuleSet) -> None:
    whole, bare = built_in, load_rules([rules_dir], with_tests=False)
    assert [rule.id for rule in bare.rules] == [rule.id for rule in whole.rules]
    assert all(not rule.rule.tests for rule in bare.rules)
    for left, right in zip(whole.rules, bare.rules, strict=True):
        assert left.rule.model_copy(update={"tests": []}) == right.rule


def test_positions_stay_when_tests_are_left_out(tmp_path: Path) -> None:
    text = "id: x\ntests:\n  - {name: a}\n# remark\n  - {name: b}\ncolour: red\n"
    assert without_tests(text) == "id: x\n\n\n\n\ncolour: red\n"
