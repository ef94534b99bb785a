"""The root command: help, laziness, exit codes, completion."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import rich_click as click

from investigator.cli import main
from investigator.cli.program import COMMANDS, PANELS, Program
from investigator.errors import BusyProblem, ConfigProblem, DeliveryProblem, InputProblem, UsageProblem
from investigator.exits import MEANING, Exit

from .conftest import ROOT, Run

HEAVY = ("polars", "duckdb", "jinja2", "numpy", "pydantic", "msgspec", "re2", "ruamel.yaml")


def context(name: str) -> click.Context:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    return click.Context(command, info_name=name)


def all_commands() -> list[tuple[str, click.Command]]:
    """Every command with its full name, those of groups too."""
    found = []
    for name in COMMANDS:
        command = context(name).command
        found.append((name, command))
        if isinstance(command, click.Group):
            found += [(f"{name} {sub}", inner) for sub, inner in command.commands.items()]
    return found


def test_every_command_file_is_listed_in_one_panel() -> None:
    files = {path.stem for path in (ROOT / "investigator" / "cli").glob("*.py")}
    assert {name.replace("-", "_") for name in COMMANDS} <= files
    assert len(COMMANDS) == len(set(COMMANDS)) == sum(map(len, PANELS.values()))


@pytest.mark.parametrize(("name", "command"), all_commands())
def test_command_has_help_and_examples(name: str, command: click.Command) -> None:
    assert command.help and command.help.splitlines()[0].endswith(".")
    assert len(command.help.splitlines()[0]) <= 60
    assert command.epilog and f"$ investigator {name}" in command.epilog
    undocumented = [
        p.name for p in command.params if isinstance(p, click.Option) and not p.help and p.name != "format_"
    ]
    assert not undocumented


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from investigator.cli import main\n"
        "try: main(['--help'])\n"
        f"finally: print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stderr.strip() == "[]"
    assert all(name in done.stdout for name in COMMANDS)


def test_help_names_every_exit_code(run: Run) -> None:
    text = run("--help").stdout
    assert all(str(int(code)) in text and MEANING[code][:40] in text for code in Exit)


def test_version(run: Run) -> None:
    from investigator import __version__

    result = run("--version")
    assert (result.exit_code, __version__ in result.stdout) == (0, True)


FAILURES = [
    (UsageProblem("no such thing", hint="do that"), 2, "no such thing\n  → do that"),
    (ConfigProblem("wrong", path="a.toml", line=3), 2, "a.toml:3: wrong"),
    (InputProblem("gone", path="x.log"), 3, "x.log: gone"),
    (DeliveryProblem("held back"), 4, "held back"),
    (BusyProblem("locked"), 75, "locked"),
    (BrokenPipeError(), 4, ""),
    (KeyboardInterrupt(), 130, "interrupted"),
    (duckdb.InterruptException("stopped"), 130, "interrupted"),
    (RuntimeError("Query interrupted"), 130, "interrupted"),
    (ValueError("first\nsecond"), 70, "internal error: ValueError: first\n"),
    (ValueError("\x1b[31mred"), 70, "⟨ESC⟩[31mred"),
    (ValueError(), 70, "internal error: ValueError: no message\n"),
]


@pytest.mark.parametrize(("error", "code", "message"), FAILURES, ids=lambda value: repr(value)[:40])
def test_errors_become_exit_codes(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, message: str
) -> None:
    @click.command("formats")
    def broken() -> None:
        raise error

    monkeypatch.setattr(Program, "get_command", lambda self, ctx, name: broken)
    result = run("formats")
    assert result.exit_code == code
    assert message in result.stderr
    assert "Traceback" not in result.stderr and result.stdout == ""


@pytest.mark.parametrize("args", [("--debug", "query", "x", "y"), ("query", "--debug", "x", "y")])
def test_debug_shows_the_traceback(run: Run, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("odd")

    monkeypatch.setattr("investigator.casefile.case.Case.__init__", broken)
    result = run(*args)
    assert result.exit_code == 70
    assert "Traceback" in result.stderr and "internal error: ValueError: odd" in result.stderr


@pytest.mark.parametrize(
    "args", [("nonsense",), ("investigate",), ("investigate", "x", "--fail-on", "odd"), ("query",)]
)
def test_wrong_usage_is_two(run: Run, args: tuple[str, ...]) -> None:
    assert run(*args).exit_code == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_calls_the_program(run: Run, shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert f"_INVESTIGATOR_COMPLETE={shell}_complete" in result.stdout


def test_completion_completes(tmp_path: Path) -> None:
    env = {"_INVESTIGATOR_COMPLETE": "bash_complete", "COMP_WORDS": "investigator inv", "COMP_CWORD": "1"}
    script = tmp_path / "investigator"
    script.write_text("from investigator.cli import main; main(prog_name='investigator')", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script], env=env | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split(",")[-1].strip() == "investigate"
