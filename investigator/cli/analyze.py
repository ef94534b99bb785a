"""`analyze`: the verdict on a case."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from investigator.cli import options
from investigator.cli.narrowing import narrowing_options

if TYPE_CHECKING:
    from investigator.correlate.narrow import Narrowing
    from investigator.rulebook.findings import Severity


@click.command(
    "analyze",
    epilog=options.examples("investigator analyze week.duckdb", "investigator analyze week.duckdb --last 2h --json"),
)
@options.case_argument
@options.fail_on_option
@options.rules_option
@options.tz_option
@narrowing_options
@click.option("--profile", is_flag=True, help="List the slowest rules on standard error.")
@options.json_option
@options.quiet_option
@options.debug_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    case: Path,
    fail_on: Severity,
    rule_paths: tuple[Path, ...],
    tz: str | None,
    narrowing: Narrowing,
    profile: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Print the verdict on a case.

    Rebuilds the calls from the facts and checks all rules; writes no report.
    """
    from investigator.casefile.case import Case
    from investigator.cli import steps

    path, rules = steps.existing(case), steps.load(rule_paths)
    with Case(path) as opened:
        diagnosis = steps.judge(opened, rules, quiet, steps.Judging(fail_on, tz, narrowing, profile))
    if profile:
        steps.tell_slowest(diagnosis)
    if as_json:
        steps.deliver(diagnosis, options.STDOUT, "json")
    elif not quiet:
        steps.tell(diagnosis, case=case)
    ctx.exit(diagnosis.exit_code)
