"""`demo`: the founding incident, from bundled logs."""

from __future__ import annotations

import rich_click as click

from investigator.cli import options
from investigator.cli.investigate import Keep, Reading, run
from investigator.cli.steps import Judging


@click.command("demo", epilog=options.examples("investigator demo", "investigator demo -o - --format md | less"))
@click.option(
    "-o", "--output", metavar="FILE", default="investigator-demo.html", show_default=True,
    help="Where the report goes; - is standard output.",
)  # fmt: skip
@options.format_option
@options.quiet_option
@options.debug_option
@click.pass_context
def command(ctx: click.Context, output: str, format_: str | None, quiet: bool) -> None:
    """Investigate a bundled incident.

    An agent asks three times for the same long prompt to be read, and gives up after 300 s each time. The logs are
    format-exact and made by a generator. Ends with exit code 1, since there is something to find. No case file
    is kept.
    """
    from investigator.cli.bundled import log_paths
    from investigator.resources import fixture_dir

    inputs = tuple(map(str, log_paths(fixture_dir())))
    kind = options.report_format(output, format_, as_json=False)
    ctx.exit(run(Reading(inputs), output, kind, Keep(None, True), (Judging("medium"), ()), quiet))
