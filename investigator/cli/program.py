"""The root command: finds its commands on demand, and turns every way of ending into a documented exit code."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import rich_click as click
from click.exceptions import Exit as ClickExit
from rich_click.rich_panel import RichCommandPanel

from investigator import __version__
from investigator.cli.options import debug_option, debugging, examples, paragraph
from investigator.cli.terminal import complain
from investigator.errors import InvestigatorError
from investigator.exits import Exit

#: Panel of `--help` → its commands. Each is a module of this package with a `command`.
PANELS = {
    "Investigate": ("investigate", "demo", "explain"),
    "Step by step, on a case": ("ingest", "analyze", "report", "attach", "query", "coverage"),
    "Every night": ("scan", "schedule", "reports", "config"),
    "Before you buy": ("fit", "what-if", "machines", "models"),
    "Look things up": ("rules", "schema", "formats", "completion"),
}
COMMANDS = tuple(name for names in PANELS.values() for name in names)


class Program(click.RichGroup):
    """Commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"investigator.cli.{cmd_name.replace('-', '_')}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        for stream in (sys.stdout, sys.stderr):
            # A terminal of another encoding shows what it lacks as an escape instead of ending the program.
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except (click.ClickException, ClickExit, click.Abort):
            raise
        except KeyboardInterrupt:
            complain("interrupted")
            code = Exit.INTERRUPTED
        except BrokenPipeError:
            _silence_stdout()
            code = Exit.UNDELIVERED
        except InvestigatorError as error:
            complain(str(error))
            code = error.exit_code
        except Exception as error:
            code = _unexpected(ctx, error)
        ctx.exit(code)


def _unexpected(ctx: click.Context, error: Exception) -> Exit:
    # A native query that Ctrl-C stops raises an error of its own instead of KeyboardInterrupt.
    if type(error).__name__ == "InterruptException" or str(error) == "Query interrupted":
        complain("interrupted")
        return Exit.INTERRUPTED
    if debugging(ctx):
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    first = (str(error) or "no message").splitlines()[0]
    hint = "" if debugging(ctx) else "\n  → run again with --debug for the traceback, and please report it"
    complain(f"internal error: {type(error).__name__}: {first}{hint}")
    return Exit.INTERNAL


def _silence_stdout() -> None:
    """Let the interpreter's last flush go nowhere: the reader of the pipe has left."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # no file behind stdout
        return


def _exit_codes() -> str:
    from investigator.exits import MEANING

    return paragraph("Exit codes", *(f"{int(code):<3} {MEANING[code]}" for code in Exit))


@click.group(
    cls=Program,
    panels=[RichCommandPanel(title, commands=list(names)) for title, names in PANELS.items()],
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("investigator demo", "investigator investigate ~/.ollama/logs ~/.openclaw -o report.html")
    + "\n\n\n\n"
    + _exit_codes(),
)
@click.version_option(__version__, "--version", prog_name="investigator")
@debug_option
def main() -> None:
    """Why did the model call fail?

    Reads the logs of model servers (Ollama, llama-server) and of LLM agents, rebuilds every call from both sides, does
    the arithmetic, and writes one HTML report with the cause and the smallest change that would have helped.
    """
