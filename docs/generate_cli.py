"""Writes docs/cli.md from what `--help` says: `python docs/generate_cli.py`. A test compares."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import rich_click as click
from rich_click import RichContext

from investigator.cli import main

PAGE = Path(__file__).with_name("cli.md")
WIDTH = 100

_HEAD = """# Command line

Made from `--help` by `python docs/generate_cli.py`; do not edit. The table of commands and the exit codes are in the
[README](../README.md).
"""


def render() -> str:
    """The whole page."""
    return _HEAD + "".join(f"\n## {name}\n\n```text\n{text}```\n" for name, text in _helps("investigator", main, None))


def _helps(name: str, command: click.Command, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    context = command.make_context(name.rsplit(maxsplit=1)[-1], [], parent=parent, resilient_parsing=True)
    assert isinstance(context, RichContext)
    context.help_config.width = WIDTH
    context.help_config.max_width = WIDTH
    context.help_config.color_system = None
    context.help_config.force_terminal = False
    yield name, _text(command, context)
    if isinstance(command, click.Group):
        for sub in command.list_commands(context):
            inner = command.get_command(context, sub)
            if inner is not None:
                yield from _helps(f"{name} {sub}", inner, context)


def _text(command: click.Command, context: click.Context) -> str:
    with redirect_stdout(io.StringIO()) as printed:
        text = command.get_help(context) or printed.getvalue()
    lines = [line.rstrip() for line in text.splitlines()]
    return "\n".join(lines).strip("\n") + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
