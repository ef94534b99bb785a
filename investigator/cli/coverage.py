"""`coverage`: what became of every line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import rich_click as click

from investigator.cli import options
from investigator.cli.terminal import print_json, print_line, print_table, shown, stdout, table

if TYPE_CHECKING:
    from investigator.coverage import Coverage

#: Where a DuckDB file says what it is.
_MAGIC = slice(8, 12)


@click.command(
    "coverage",
    epilog=options.examples("investigator coverage week.duckdb", "investigator coverage server.log --json"),
)
@options.inputs_argument
@options.mapping_option
@options.json_option
@options.debug_option
@click.pass_context
def command(ctx: click.Context, inputs: tuple[str, ...], mapping_paths: tuple[Path, ...], as_json: bool) -> None:
    """Account for every line of a case, or of logs.

    Each line is one of: a fact, noise of a known kind, another program's, or unrecognised. Of those not recognised the
    ten commonest shapes are shown for every source.
    """
    from investigator.casefile.case import Case
    from investigator.cli import steps
    from investigator.cli.mappings import user_formats
    from investigator.coverage import coverage
    from investigator.exits import Exit

    if len(inputs) == 1 and is_case(Path(inputs[0])):
        with Case(Path(inputs[0]), read_only=True) as case:
            print_account(coverage(case), as_json)
        return
    formats = user_formats(mapping_paths)
    with Case(None) as case:
        report = steps.read(inputs, case, as_json, formats)
        print_account(coverage(case), as_json)
    ctx.exit(Exit.INCOMPLETE if any(not problem.harmless for problem in report.problems) else Exit.OK)


def is_case(path: Path) -> bool:
    """Is this a database file, by content?"""
    try:
        with path.open("rb") as file:
            return file.read(_MAGIC.stop)[_MAGIC] == b"DUCK"
    except OSError:
        return False


def print_account(account: Sequence[Coverage], as_json: bool, brief: bool = False) -> None:
    """The account as a table with totals, or as JSON. `brief`: a line for each format instead of each source."""
    if as_json:
        print_json([asdict(source) for source in account])
        return
    numbers = ("lines", "facts", "noise", "foreign", "unrecognised")
    rows = table("format", *numbers, "source", numeric=numbers, whole=numbers)
    for format_, told, counts in _by_format(account) if brief else _by_source(account):
        rows.add_row(format_, *(f"{count:,}" for count in counts), shown(told))
    rows.add_section()
    rows.add_row("all", *(f"{count:,}" for count in _sum(account)), _sources(account), style="bold")
    print_table(rows)
    for source in () if brief else account:
        _print_details(source)


Row: TypeAlias = tuple[str, str, Sequence[int]]


def _by_source(account: Sequence[Coverage]) -> Iterator[Row]:
    return ((source.format, source.path, _counts(source)) for source in account)


def _by_format(account: Sequence[Coverage]) -> Iterator[Row]:
    for format_ in sorted({source.format for source in account}):
        own = [source for source in account if source.format == format_]
        yield format_, own[0].path if len(own) == 1 else _sources(own), _sum(own)


def _sources(account: Sequence[Coverage]) -> str:
    return f"{len(account):,} source{'' if len(account) == 1 else 's'}"


def _sum(account: Sequence[Coverage]) -> Sequence[int]:
    return [sum(column) for column in zip(*map(_counts, account), strict=True)] or [0] * 5


def _counts(source: Coverage) -> tuple[int, ...]:
    noise = sum(lines for _, lines in source.noise)
    return source.lines, source.facts, noise, source.foreign, source.unrecognised


def _print_details(source: Coverage) -> None:
    if not source.noise and not source.shapes:
        return
    print_line(shown(""))
    print_line(shown(source.path, "bold"))
    if source.noise:
        stdout().print(shown("  noise: " + ", ".join(f"{lines:,} {kind}" for kind, lines in source.noise)))
    for shape in source.shapes:
        print_line(shown(f"  {shape.lines:>8,} × line {shape.first_line}: {shape.sample or shape.shape}"))
