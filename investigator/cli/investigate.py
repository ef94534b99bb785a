"""`investigate`: the main job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from investigator.cli import options, redacting
from investigator.cli.narrowing import narrowing_options
from investigator.cli.steps import Judging
from investigator.errors import UsageProblem

if TYPE_CHECKING:
    from investigator.correlate.narrow import Narrowing
    from investigator.formats.base import Format
    from investigator.report import Redaction
    from investigator.rulebook.findings import Severity

DEFAULT_STEM = "investigator-report"


@click.command(
    "investigate",
    epilog=options.examples(
        "investigator investigate ~/.ollama/logs ~/.openclaw",
        "investigator investigate server.log session.jsonl -o why.md",
        "investigator investigate ~/.ollama/logs --last 2h --model qwen3:32b",
        "journalctl -u ollama | investigator investigate - --json | jq .verdict",
        "investigator investigate",
    ),
)
@click.argument("inputs", nargs=-1, metavar="[PATH]…")
@click.option("--yes", "-y", is_flag=True, help="Without PATH: read what was found, without asking.")
@options.mapping_option
@options.output_option
@options.format_option
@options.report_json_option
@options.lang_option
@redacting.redaction_options
@click.option(
    "--case", "case_path", type=click.Path(path_type=Path), help="Read into this case, adding to what it holds."
)
@click.option("--no-case", is_flag=True, help="Keep no case file.")
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
    inputs: tuple[str, ...],
    yes: bool,
    mapping_paths: tuple[Path, ...],
    output: str | None,
    format_: str | None,
    as_json: bool,
    lang: str,
    no_redact: bool,
    redact_rules: Path | None,
    redact_key: Path | None,
    case_path: Path | None,
    no_case: bool,
    fail_on: Severity,
    rule_paths: tuple[Path, ...],
    tz: str | None,
    narrowing: Narrowing,
    quiet: bool,
) -> None:
    """Read logs, find the cause, write the report.

    PATH is a file, a folder (read with all that is in it), a pattern, or - for standard input. Files are recognised by
    their content, not by their name; compression, archives and what journald, docker or kubectl add is seen through.

    Without PATH it looks where Ollama and the agents it knows keep their logs on this system, says what it found, and
    asks before it reads any of it.

    The report goes to investigator-report.html unless -o says otherwise, and the facts to a case file beside it, made
    anew each time unless --case names one.
    """
    if case_path is not None and no_case:
        raise UsageProblem("--case and --no-case exclude each other")
    kind = options.report_format(output, format_, as_json)
    target = output or (options.STDOUT if as_json else f"{DEFAULT_STEM}.{kind}")
    redaction = redacting.redaction(no_redact, redact_rules, redact_key)
    reading = _reading(inputs, yes, mapping_paths)
    judging = Judging(fail_on, tz, narrowing)
    ctx.exit(run(reading, target, kind, Keep(case_path, no_case), (judging, rule_paths), quiet, (redaction, lang)))


def _reading(inputs: tuple[str, ...], yes: bool, mapping_paths: tuple[Path, ...]) -> Reading:
    """What to read: the inputs, or else what lies in the known places and the user agrees to."""
    from investigator.cli.mappings import user_formats

    formats = user_formats(mapping_paths)
    if inputs:
        return Reading(inputs, formats)
    from investigator.cli.places import found_inputs

    return Reading(found_inputs(yes), formats, named=False)


@dataclass(frozen=True)
class Reading:
    """What to read, with which formats of the user's own. named: the user named the inputs one by one."""

    inputs: tuple[str, ...]
    formats: tuple[Format, ...] = ()
    named: bool = True


class Keep:
    """Which case file to keep: an explicit one is added to, the one beside the report is made anew."""

    def __init__(self, case_path: Path | None, no_case: bool) -> None:
        self._case_path, self._no_case = case_path, no_case

    def path(self, target: str) -> Path | None:
        """Where the case goes, with the way cleared; None for a temporary one."""
        if self._case_path is not None or self._no_case or target == options.STDOUT:
            return self._case_path
        beside = Path(target).with_suffix(".case.duckdb")
        if beside.exists():
            from investigator.casefile.case import Case

            # Opening it first refuses a file that is no case of ours or is in use.
            Case(beside).close()
            beside.unlink()
        return beside


def run(
    reading: Reading,
    target: str,
    kind: str,
    keep: Keep,
    judging: tuple[Judging, tuple[Path, ...]],
    quiet: bool,
    shown: tuple[Redaction | None, str] = (None, "en"),
) -> int:
    """Ingest, judge, deliver, tell; returns the exit code. `shown`: how the report is masked, and its language."""
    from investigator.casefile.case import Case
    from investigator.cli import steps

    steps.check_output(target)
    how, rule_paths = judging
    rules = steps.load(rule_paths)
    case_path = keep.path(target)
    with Case(case_path) as case:
        steps.read(reading.inputs, case, quiet, reading.formats, named=reading.named)
        diagnosis = steps.judge(case, rules, quiet, how)
    steps.deliver(diagnosis, target, kind, *shown)
    if target != options.STDOUT and not quiet:
        steps.tell(diagnosis, target, case_path, *shown)
    return diagnosis.exit_code
