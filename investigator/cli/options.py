"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click

from investigator.rulebook.findings import SEVERITIES

Command = TypeVar("Command", bound=Callable[..., Any])

#: Endings that choose a format when --format is not given.
ENDINGS = {
    ".html": "html", ".htm": "html", ".md": "md", ".markdown": "md", ".json": "json", ".sarif": "sarif",
    ".xml": "junit", ".pdf": "pdf",
}  # fmt: skip
FORMATS = ("html", "md", "json", "sarif", "junit", "pdf")
LANGUAGES = ("en", "de")
STDOUT = "-"


def examples(*lines: str) -> str:
    """An epilog with examples."""
    return paragraph("Examples", *(f"$ {line}" for line in lines))


def paragraph(head: str, *lines: str) -> str:
    """Lines that the help shows one below the other: rich-click keeps only empty lines as breaks."""
    return "\n\n".join((f"{head}:", *lines))


def debugging(ctx: click.Context) -> bool:
    """Was --debug given, before or after the command's name?"""
    return bool(ctx.find_root().meta.get("investigator.debug"))


def _remember(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        ctx.find_root().meta["investigator.debug"] = True


debug_option = click.option(
    "--debug", is_flag=True, expose_value=False, is_eager=True, callback=_remember,
    help="Show the traceback of an internal error.",
)  # fmt: skip
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress and no verdict; problems only.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
report_json_option = click.option("--json", "as_json", is_flag=True, help="Same as --format json -o -.")
fail_on_option = click.option(
    "--fail-on", type=click.Choice(SEVERITIES), default="medium", show_default=True,
    help="Exit with 1 from this severity on.",
)  # fmt: skip
rules_option = click.option(
    "--rules", "rule_paths", multiple=True, type=click.Path(path_type=Path), metavar="PATH",
    help="Rule file or folder, besides the built-in ones. May be repeated.",
)  # fmt: skip
tz_option = click.option(
    "--tz", metavar="ZONE", help="Zone of local times where the logs do not tell it, such as Europe/Berlin."
)
output_option = click.option("-o", "--output", metavar="FILE", help="Where the report goes; - is standard output.")
format_option = click.option(
    "--format", "format_", type=click.Choice(FORMATS), help="Default: by the ending of FILE, else html."
)
lang_option = click.option(
    "--lang", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Language of the report."
)
case_argument = click.argument("case", type=click.Path(path_type=Path), metavar="CASE")
inputs_argument = click.argument("inputs", nargs=-1, required=True, metavar="PATH…")
mapping_option = click.option(
    "--mapping", "mapping_paths", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
    help="Mapping file that makes an agent's JSON readable, besides those in the settings folder. May be repeated.",
)  # fmt: skip


def report_format(output: str | None, format_: str | None, as_json: bool) -> str:
    """The report's format: --json, then --format, then the file's ending, then html."""
    if as_json:
        return "json"
    return format_ or ENDINGS.get(Path(output or "").suffix.lower(), "html")
