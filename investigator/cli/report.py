"""`report`: a report of a case."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from investigator.cli import options, redacting
from investigator.cli.narrowing import narrowing_options

if TYPE_CHECKING:
    from investigator.correlate.narrow import Narrowing
    from investigator.rulebook.findings import Severity


@click.command(
    "report",
    epilog=options.examples(
        "investigator report week.duckdb -o week.html", "investigator report week.duckdb -o - --format md"
    ),
)
@options.case_argument
@options.output_option
@options.format_option
@options.report_json_option
@options.lang_option
@redacting.redaction_options
@options.fail_on_option
@options.rules_option
@options.tz_option
@narrowing_options
@options.quiet_option
@options.debug_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    case: Path,
    output: str | None,
    format_: str | None,
    as_json: bool,
    lang: str,
    no_redact: bool,
    redact_rules: Path | None,
    redact_key: Path | None,
    fail_on: Severity,
    rule_paths: tuple[Path, ...],
    tz: str | None,
    narrowing: Narrowing,
    quiet: bool,
) -> None:
    """Write the report of a case.

    The case is judged again, and the report is the one that `investigate` writes. Without -o it goes beside the
    case, under the case's name.
    """
    from investigator.casefile.case import Case
    from investigator.cli import steps

    kind = options.report_format(output, format_, as_json)
    target = output or (options.STDOUT if as_json else _beside(case, kind))
    steps.check_output(target)
    redaction = redacting.redaction(no_redact, redact_rules, redact_key)
    path, rules = steps.existing(case), steps.load(rule_paths)
    with Case(path) as opened:
        diagnosis = steps.judge(opened, rules, quiet, steps.Judging(fail_on, tz, narrowing))
    steps.deliver(diagnosis, target, kind, redaction, lang)
    if target != options.STDOUT and not quiet:
        steps.tell(diagnosis, target, case, redaction, lang)
    ctx.exit(diagnosis.exit_code)


def _beside(case: Path, kind: str) -> str:
    return str(case.with_name(case.name.removesuffix(".duckdb").removesuffix(".case") + f".{kind}"))
