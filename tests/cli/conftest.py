"""The program as a user meets it: in an empty folder, in this process or in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from investigator import pipeline
from investigator.cli import main
from investigator.resources import rules_dir
from investigator.rulebook.pack import RuleSet

ROOT = Path(__file__).resolve().parents[2]
FOUNDING = tuple(str(ROOT / "fixtures" / "founding-incident" / name) for name in ("host", "ollama", "openclaw"))

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run("investigate", path, …)` in an empty folder, in this process."""
    monkeypatch.chdir(tmp_path)

    def invoke(*args: str | Path, stdin: str | bytes | None = None) -> Result:
        return CliRunner().invoke(main, [str(arg) for arg in args], input=stdin, prog_name="investigator")

    return invoke


def spawn(
    *args: str | Path, cwd: Path, env: dict[str, str] | None = None, before: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[bytes]:
    """The program in a process of its own."""
    return subprocess.run(
        [*before, sys.executable, "-m", "investigator", *map(str, args)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        capture_output=True,
        check=False,
    )


#: What the founding incident, a crash and a refused connection need.
FEW = ("client-timeout", "connection-refused", "crash-ruled-out", "memory-ruled-out", "prefill-outlasts-timeout",
       "prompt-cut-to-window", "runner-crash", "window-capped-below-native")  # fmt: skip


@pytest.fixture
def few_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of the built-in rules, for tests whose subject they are not: judging by all of them takes a second."""
    whole = pipeline.builtin_rules

    def few(extra: Sequence[Path] = ()) -> RuleSet:
        found = whole(extra)
        kept = (rule for rule in found.rules if rule.id in FEW or Path(rule.path).parent != rules_dir())
        return replace(found, rules=tuple(kept))

    monkeypatch.setattr(pipeline, "builtin_rules", few)
    monkeypatch.setattr("investigator.scan.judge.builtin_rules", few)


@pytest.fixture(scope="session")
def founding(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The founding incident, investigated once: the folder with report and case, and what the program said."""
    folder = tmp_path_factory.mktemp("founding")
    report = folder / "why.html"
    result = CliRunner().invoke(main, ["investigate", *FOUNDING, "-o", str(report)], prog_name="investigator")
    return folder, result


@pytest.fixture(scope="session")
def healthy_log() -> Path:
    """A small log in which nothing went wrong."""
    return ROOT / "fixtures" / "logs" / "healthy-day" / "server.log"
