"""`scan`: read what is new, judge it, write pages, tell what changed. For timers."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from investigator.cli import options
from investigator.cli.config import config_option, configured
from investigator.cli.terminal import complain, print_line, shown
from investigator.exits import Exit, worst

if TYPE_CHECKING:
    from investigator.config import Config
    from investigator.scan.run import Outcome


@click.command("scan", epilog=options.examples("investigator scan", 'investigator scan --since "2 days ago"'))
@config_option
@click.option("--since", metavar="WHEN", help='Judge from then on, such as "2 days ago" or 2026-02-18.')
@click.option("--memory", metavar="SIZE", help="Limit of the database's memory, such as 512MB.")
@click.option("--nice", type=click.IntRange(0, 19), help="Step back for other programs: 0 (not) to 19.")
@click.option("--dry-run", is_flag=True, help="Say what would be read; change nothing.")
@options.json_option
@options.quiet_option
@options.debug_option
@click.pass_context
def command(
    ctx: click.Context, *, config_path: Path | None, since: str | None, memory: str | None, nice: int | None,
    dry_run: bool, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Look for new incidents in the configured logs.

    Only what is new since the last scan is read. Incidents are compared with those of earlier nights; pages are
    written, and people are told of what is new or worse.
    """
    config = _with(configured(config_path), memory)
    now = datetime.now(UTC)
    lookback_s = _lookback_s(since, now)
    if dry_run:
        _dry_run(config)
        return
    os.nice(config.settings.scan.nice if nice is None else nice)
    ctx.exit(_scan(config, now, lookback_s, as_json=as_json, quiet=quiet))


def _with(config: Config, memory: str | None) -> Config:
    from dataclasses import replace

    from investigator.config.quantities import size_bytes
    from investigator.errors import UsageProblem

    if not config.settings.scan.sources and not config.settings.scan.journal:
        raise UsageProblem(
            "nothing to scan: the configuration names no sources",
            hint='write [scan] sources = ["/path/to/logs"] into investigator.toml',
            path=config.path,
        )
    if memory is None:
        return config
    try:
        scan = config.settings.scan.model_copy(update={"memory": size_bytes(memory)})
    except ValueError as error:
        raise UsageProblem(f"--memory: {error}") from error
    return replace(config, settings=config.settings.model_copy(update={"scan": scan}))


def _lookback_s(since: str | None, now: datetime) -> float | None:
    from investigator.moments import moment

    return None if since is None else (now - moment(since, now)).total_seconds()


def _scan(config: Config, now: datetime, lookback_s: float | None, *, as_json: bool, quiet: bool) -> Exit:
    from investigator.cli.progress import reading
    from investigator.scan.lock import scan_lock
    from investigator.scan.notify import ping
    from investigator.scan.run import scan

    case_path = config.resolved(config.settings.scan.case)
    check = config.settings.notify.healthcheck
    with scan_lock(case_path.with_name(case_path.name + ".lock"), now):
        if check and (trouble := ping(check, "start")):
            complain(trouble)
        with reading(quiet or as_json) as progress:
            outcome = scan(config, now, lookback_s=lookback_s, progress=progress)
        codes = [outcome.exit_code, _tell(config, outcome), _file(config, outcome, now), _prune(config, now)]
    _print(outcome, worst(codes), as_json=as_json, quiet=quiet)
    if check and (trouble := ping(check, _pinged(worst(codes)), _summary(outcome))):
        complain(trouble)
    return worst(codes)


def _pinged(code: Exit) -> str:
    # That incidents were found is no failure of the scan.
    return "0" if code in (Exit.OK, Exit.FINDINGS) else str(int(code))


def _tell(config: Config, outcome: Outcome) -> Exit:
    from investigator.casefile.case import Case
    from investigator.errors import InvestigatorError
    from investigator.scan.tell import tell

    if not config.settings.notify.urls:
        return Exit.OK
    try:
        with Case(config.resolved(config.settings.scan.case)) as case:
            trouble = tell(case, outcome, config.settings.notify)
    except InvestigatorError as error:
        trouble = (str(error),)
    for each in trouble:
        complain(each)
    return Exit.UNDELIVERED if trouble else Exit.OK


def _file(config: Config, outcome: Outcome, now: datetime) -> Exit:
    """Tickets of tonight's incidents, where the configuration names a tracker."""
    if config.settings.tickets.to is None:
        return Exit.OK
    from investigator.errors import InvestigatorError

    try:
        from investigator.tickets.nightly import attach_nightly

        trouble = attach_nightly(config, outcome, now)
    except InvestigatorError as error:
        trouble = (str(error),)
    for each in trouble:
        complain(each)
    return Exit.UNDELIVERED if trouble else Exit.OK


def _prune(config: Config, now: datetime) -> Exit:
    from investigator.cli.reports import prune_reports

    prune_reports(config, now)
    return Exit.OK


def _dry_run(config: Config) -> None:
    from investigator.casefile.case import Case
    from investigator.casefile.places import Places
    from investigator.sources.discover import discover

    path = config.resolved(config.settings.scan.case)
    inputs = [str(config.resolved(Path(source))) for source in config.settings.scan.sources]
    if path.is_file():
        with Case(path, read_only=True) as case:
            places = Places(case)
        found = discover(inputs, named=False, skip=places.unchanged)
    else:
        found = discover(inputs, named=False)
    for candidate in found.candidates:
        print_line(shown(str(candidate.location)))
    for problem in found.problems:
        complain(f"{problem.path}: {problem.message}")
    complain(f"{len(found.candidates):,} files are new or changed; nothing was read")


def _summary(outcome: Outcome) -> str:
    from investigator.scan.tell import message

    title, body = message(outcome)
    return f"{title}\n{body}"


def _print(outcome: Outcome, code: Exit, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        from investigator.scan.result import as_json as rendered

        click.echo(rendered(outcome, code))
        return
    for problem in (*outcome.problems, *outcome.gaps):
        complain(problem)
    if quiet:
        return
    from investigator.report.text import size

    print_line(shown(f"night {outcome.night}: {outcome.files:,} files, {size(outcome.read_bytes)} new"))
    if outcome.reason:
        print_line(shown(outcome.reason))
    for line in _summary(outcome).splitlines()[1 if outcome.told or outcome.warnings or outcome.drops else 0 :]:
        print_line(shown(line))
