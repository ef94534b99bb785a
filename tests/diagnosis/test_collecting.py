"""What is missing comes with a command that gets it, for every column that a built-in rule can miss."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from investigator.diagnosis.collecting import Engine, command
from investigator.rulebook.compile import Compiled
from investigator.rulebook.load import load_rules
from investigator.rulebook.pack import RuleSet
from investigator.yamltext import load as load_yaml

ENGINES: tuple[Engine, ...] = ("ollama", "llama-server")
PROGRAMS = {
    *(
        "ollama",
        "llama-server",
        "investigator",
        "journalctl",
        "cp",
        "nvidia-smi",
        "free",
        "system_profiler",
        "systemctl",
        "pkill",
    ),
    "OLLAMA_DEBUG=1",
}


@pytest.fixture(scope="module")
def rules(rules_dir: Path, shared_cache: Path) -> RuleSet:
    return load_rules([rules_dir], with_tests=False, cache_folder=shared_cache / "investigator")


def rule(rules: RuleSet, id_: str) -> Compiled:
    return next(each for each in rules.rules if each.id == id_)


def read_table() -> Any:
    return load_yaml(files("investigator.diagnosis").joinpath("collect.yaml").read_text(encoding="utf-8"))


def test_whatever_a_built_in_rule_can_miss_has_a_command(rules: RuleSet) -> None:
    without = sorted(
        f"{each.id}: {name} ({engine})"
        for each in rules.rules
        for name in {
            *each.rule.needs.non_null,
            *each.behind(each.verdict.columns),
            *each.steps_behind(each.verdict.columns),
        }
        for engine in ENGINES
        if command(each, [name], engine) is None
    )
    assert without == []


def shell_lines() -> list[str]:
    commands = read_table()["commands"].values()
    return [line for told in commands for line in ([told] if isinstance(told, str) else filter(None, told.values()))]


@pytest.mark.parametrize("line", shell_lines())
def test_commands_can_be_pasted(line: str) -> None:
    assert subprocess.run(["bash", "-n", "-c", line], check=False).returncode == 0
    assert {part.split()[0] for part in line.split("; ")} <= PROGRAMS
    assert "|" not in line, "a table in Markdown cannot hold it"
    placeholders = set(re.findall(r"\b[A-Z]{3,}\b", line)) - {"OLLAMA_DEBUG"}
    assert placeholders <= {"MODEL", "SHORT", "LONG"}


def test_the_table_names_each_column_once_and_uses_every_command() -> None:
    table = read_table()
    columns = Counter(column for need in table["needs"] for column in need["columns"])
    assert [column for column, count in columns.items() if count > 1] == []
    assert {name for need in table["needs"] for name in need["collect"]} == set(table["commands"])


@pytest.mark.parametrize(
    ("id_", "reasons", "engine", "expected"),
    [
        ("prefill-outlasts-timeout", ["timeout_s"], "ollama", "investigator investigate --yes"),
        ("window-capped-below-native", ["asked_tokens"], "llama-server", "llama-server -m MODEL.gguf --verbose --log-timestamps > llama.log 2>&1; investigator investigate --yes"),
        ("memory-ruled-out", ["memory_limit_bytes"], "ollama", "nvidia-smi > machine.txt; free -h >> machine.txt; system_profiler SPHardwareDataType >> machine.txt"),
        ("retried-in-vain", ["a_column_of_nobody"], "ollama", None),
        ("retried-in-vain", [], "ollama", None),
    ],
)  # fmt: skip
def test_what_is_told(rules: RuleSet, id_: str, reasons: list[str], engine: Engine, expected: str | None) -> None:
    assert command(rule(rules, id_), reasons, engine) == expected


def test_every_missing_column_counts_and_each_command_comes_once(rules: RuleSet) -> None:
    told = command(rule(rules, "memory-ruled-out"), ["weights_bytes, memory_limit_bytes", "layers_gpu"], "ollama")
    assert told is not None
    parts = told.split("; ")
    assert len(parts) == len(set(parts))
    assert [part.split()[:2] for part in parts][:4] == [
        ["ollama", "stop"], ["ollama", "run"], ["ollama", "ps"], ["nvidia-smi", ">"],
    ]  # fmt: skip


def test_a_step_is_told_by_what_it_is_made_of(rules: RuleSet) -> None:
    spare = rule(rules, "memory-ruled-out")
    assert command(spare, ["spare"], "ollama") == command(spare, spare.behind(["spare"]), "ollama")
