"""Packs that mean harm: each is refused or stopped with a message that says why, and the other rules still run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from investigator.rulebook import sandbox
from investigator.rulebook.load import load_rules
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.sandbox import Limits, evaluate_foreign, evaluate_safely
from investigator.yamltext import load

Rows = dict[str, list[dict[str, Any]]]
Case = Callable[[Rows], duckdb.DuckDBPyConnection]
PACKS: list[dict[str, Any]] = load(Path(__file__).with_name("hostile_packs.yaml").read_text(encoding="utf-8"))
ROWS = [{"attempt_id": f"a{n}", "run_id": "r", "arrived_at": "t0", "read_tokens": 30000, "cached_tokens": 0, "prefill_r0": 80, "prefill_c": 0,
         "timeout_s": 300, "timeout_key": "k", "outcome": "client_closed_mid_stream"} for n in range(100)]  # fmt: skip
PLAIN = "SELECT {} AS subject FROM attempts"


def growing(kind: str) -> dict[str, Any]:
    """Short texts that stand for very long ones."""
    doubled = ", ".join(f"t{n} AS (SELECT a.* FROM t{n - 1} a, t{n - 1} b)" for n in range(1, 40))
    aliases = ", ".join(f"a{n - 1} + a{n - 1} AS a{n}" for n in range(1, 40))
    macro = "1"
    for _ in range(12):
        macro = f"largest_prompt_tokens({macro}, {macro[:1]}, 1, 1)"
    return {
        "with": {
            "match": f"WITH t0 AS (SELECT attempt_id FROM attempts), {doubled} SELECT attempt_id AS subject FROM t39"
        },
        "alias": {"match": f"SELECT attempt_id AS subject, 1 AS a0, {aliases} FROM attempts"},
        "macro": {"replace": ["expr: read_tokens - cached_tokens", f'expr: "{macro}"']},
        "brackets": {"replace": ["verdict: read_time", f"verdict: {'(' * 5000}1{')' * 5000} > 0 AND read_time"]},
        "template": {"replace": ['{short: "', '{short: "' + "{% if count %}" * 2000 + "x" + "{% endif %}" * 2000]},
        "yaml": {"append": f"x: {'[' * 100_000}\n"},
        "size": {"append": "# " + "x" * 2_000_000},
    }[kind]


def changed(text: str, pack: Mapping[str, Any]) -> str:
    pack = {**pack, **growing(pack["grow"])} if "grow" in pack else pack
    if "replace" in pack:
        assert pack["replace"][0] in text
        text = text.replace(*pack["replace"], 1)
    if "match" in pack:
        start, end = text.index("match: |"), text.index("steps:")
        text = f"{text[:start]}match: {pack['match']!r}\n{text[end:]}" if "'" not in pack["match"] else (
            f'{text[:start]}match: "{pack["match"]}"\n{text[end:]}'
        )  # fmt: skip
    if pack.get("judged"):
        head = text[: text.index("steps:")].replace("non_null: [prefill_r0, prefill_c, timeout_s]", "non_null: []")
        head = head[: head.index("params:")] + head[head.index("match:") :]
        text = head + 'verdict: "true"\nexplain: {short: x}\n'
    return text + pack.get("append", "")


def rules_with(folder: Path, good: str, pack: Mapping[str, Any]) -> RuleSet:
    good = good[: good.index("tests:")]
    (folder / "prefill-example.yaml").write_text(good, encoding="utf-8")
    bad = changed(good.replace("id: prefill-example", "id: bad"), pack)
    (folder / "bad.yaml").write_text(bad, encoding="utf-8")
    return load_rules([folder])


@pytest.mark.parametrize("pack", [p for p in PACKS if "refused" in p], ids=lambda pack: pack["name"])
def test_refused_before_anything_runs(tmp_path: Path, example_text: str, pack: Mapping[str, Any]) -> None:
    rules = rules_with(tmp_path, example_text, pack)
    told = "\n".join(str(problem) for problem in rules.problems)
    assert told and pack["refused"] in told, told
    assert "bad.yaml" in told and "\x1b" not in told
    assert [rule.id for rule in rules.rules] == ["prefill-example"]


@pytest.mark.parametrize("pack", [p for p in PACKS if "stopped" in p], ids=lambda pack: pack["name"])
def test_stopped_while_it_runs(case: Case, tmp_path: Path, example_text: str, pack: Mapping[str, Any]) -> None:
    rules = rules_with(tmp_path, example_text, pack)
    assert not rules.problems, "\n".join(map(str, rules.problems))
    found = evaluate_foreign(case({"attempts": ROWS}), rules, Limits(rule_s=1, memory_bytes=3 * 2**30))
    bad, good = found.results
    assert (bad.outcome, good.outcome) == ("error", "fired"), (bad.reasons, good.reasons)
    assert pack["stopped"] in bad.reasons[0] or "memory" in bad.reasons[0].lower()


def test_a_child_that_dies_costs_its_rule_only(
    case: Case, tmp_path: Path, example_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = next(p for p in PACKS if p["name"] == "a join without end")
    rules = rules_with(tmp_path, example_text, pack)
    found = evaluate_foreign(case({"attempts": ROWS}), rules, Limits(rule_s=100, cpu_s=5))
    assert [result.outcome for result in found.results] == ["error", "fired"]
    assert found.results[0].reasons == ("stopped: it took too much memory or time",)


def test_there_is_the_same_as_here(
    case: Case, founding_rows: Rows, built_in: RuleSet, rules_dir: Path, tmp_path: Path
) -> None:
    few = built_in.only(["prefill-outlasts-timeout", "prompt-cut-to-window", "window-capped-below-native"])
    here, same = evaluate_safely(case(founding_rows), few, rules_dir)
    there, good = evaluate_safely(case(founding_rows), few, tmp_path)
    assert (there, good.rules) == (here, same.rules)


@pytest.mark.parametrize("name", ["system", "Popen", "eval"])
def test_a_child_is_not_trusted(name: str) -> None:
    import io
    import pickle

    data = {"system": b"cos\nsystem\n(S'true'\ntR.", "Popen": b"csubprocess\nPopen\n(S'true'\ntR.",
            "eval": b"cbuiltins\neval\n(S'1'\ntR."}[name]  # fmt: skip
    with pytest.raises(pickle.UnpicklingError):
        sandbox._Reader(io.BytesIO(data)).load()
