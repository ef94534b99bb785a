"""`ingest`: read logs into a case."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from investigator.cli import options


@click.command("ingest", epilog=options.examples("investigator ingest ~/.ollama/logs ~/.openclaw --case week.duckdb"))
@options.inputs_argument
@click.option(
    "--case", "case_path", type=click.Path(path_type=Path), required=True, help="The case file; made when missing."
)
@options.mapping_option
@options.json_option
@options.quiet_option
@options.debug_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    inputs: tuple[str, ...],
    case_path: Path,
    mapping_paths: tuple[Path, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Read logs into a case, adding to what it holds.

    What the case knows already is not read again; files that have grown are read on from where they ended. It may be
    stopped or killed at any moment: run it again, and nothing is lost or doubled. Ends with 3 when an input could not
    be used.
    """
    from investigator.casefile.case import Case
    from investigator.cli import steps
    from investigator.cli.coverage import print_account
    from investigator.cli.mappings import user_formats
    from investigator.coverage import coverage
    from investigator.exits import Exit

    formats = user_formats(mapping_paths)
    with Case(case_path) as case:
        report = steps.read(inputs, case, quiet, formats)
        if as_json or not quiet:
            print_account(coverage(case), as_json, brief=True)
    ctx.exit(Exit.INCOMPLETE if any(not problem.harmless for problem in report.problems) else Exit.OK)
