"""`attach`: an incident becomes a ticket, or joins the one that exists."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from investigator.cli import options, redacting
from investigator.cli.config import config_option, configured
from investigator.cli.terminal import complain, print_json, print_line, shown
from investigator.errors import InputProblem, UsageProblem
from investigator.exits import Exit

if TYPE_CHECKING:
    from investigator.config import Config, Tickets
    from investigator.diagnosis.model import Diagnosis
    from investigator.report import Redaction
    from investigator.report.redact_rules import UserRule
    from investigator.tickets.ladder import Order, Outcome

TRACKERS = ("redmine", "roundup", "rt", "jira", "github", "gitlab", "gitea")
#: Where DuckDB writes its name into a file.
_MAGIC = (b"DUCK", 8)


@click.command(
    "attach",
    epilog=options.examples(
        "investigator attach report.html --to redmine --url https://redmine.example.org --project ops",
        "investigator attach week.duckdb --to jira --url https://example.atlassian.net --project OPS --dry-run",
        "investigator attach report.html --to github --project acme/agents --issue 12",
    ),
)
@click.argument("source", type=click.Path(path_type=Path), metavar="REPORT|CASE")
@click.option("--to", type=click.Choice(TRACKERS), help="Kind of tracker. Default: that of the configuration.")
@click.option("--url", metavar="URL", help="Address of the tracker, without /api.")
@click.option("--project", metavar="NAME", help="Project, queue, or owner/repository.")
@click.option("--issue", metavar="KEY", help="Attach to this ticket, such as 12 or OPS-7.")
@click.option("--new", is_flag=True, help="File a new ticket even if there is one of this incident.")
@click.option("--incident", metavar="ID", help="Of a case: the incident, by id or number. Default: the first.")
@click.option("--dry-run", is_flag=True, help="Print the requests that would be sent; only what reads is sent.")
@config_option
@redacting.masking_options
@options.rules_option
@options.tz_option
@options.json_option
@options.quiet_option
@options.debug_option
@click.pass_context
def command(
    ctx: click.Context, *, source: Path, to: str | None, url: str | None, project: str | None, issue: str | None,
    new: bool, incident: str | None, dry_run: bool, config_path: Path | None, redact_rules: Path | None,
    redact_key: Path | None, rule_paths: tuple[Path, ...], tz: str | None, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """File a report as a ticket, or add it to the one that exists.

    The ticket gets a summary that can be read in place, the timeline as a picture where the tracker shows one, and the
    HTML report. An incident's ticket is found again: a second run says what changed and files nothing twice. The token
    comes from INVESTIGATOR_<TRACKER>_TOKEN, $CREDENTIALS_DIRECTORY/<tracker>-token or the keyring.
    """
    if issue and new:
        raise UsageProblem("--issue excludes --new")
    config = configured(config_path)
    settings = _settings(config, to, url, project)
    redaction = redacting.redaction(False, redact_rules, redact_key)
    is_case = _is_case(source)
    html = _rendered(source, incident, redaction, rule_paths, tz, quiet) if is_case else _read(source, incident)
    order = _order(html, source, issue, new, settings, redaction.extra)
    outcome = _deliver(order, settings, source if is_case and not dry_run else None, redaction, dry_run)
    _print(outcome, dry_run=dry_run, as_json=as_json, quiet=quiet)
    ctx.exit(Exit.OK if outcome.delivered else Exit.UNDELIVERED)


def _settings(config: Config, to: str | None, url: str | None, project: str | None) -> Tickets:
    """The configuration's table with what the command line says; of another tracker's table nothing holds."""
    from investigator.config import Tickets

    given = config.settings.tickets
    if to is not None and to != given.to:
        given = Tickets.model_validate({"to": to})
    if given.to is None:
        raise UsageProblem("which tracker?", hint=f"give --to with one of {', '.join(TRACKERS)}")
    named = {name: value for name, value in (("url", url), ("project", project)) if value is not None}
    return given.model_copy(update=named)


def _is_case(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(16)[_MAGIC[1] :].startswith(_MAGIC[0])
    except OSError as error:
        hint = "give a report.html or a case"
        raise InputProblem(f"cannot be read: {error.strerror}", hint=hint, path=path) from error


def _read(path: Path, incident: str | None) -> str:
    if incident is not None:
        raise UsageProblem("--incident is for a case", hint="a report is attached as it is")
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputProblem("not an HTML report", hint="give the report.html or the case", path=path) from error


def _rendered(
    case: Path, incident: str | None, redaction: Redaction, rule_paths: tuple[Path, ...], tz: str | None, quiet: bool
) -> str:
    """The report of one incident of a case, or of a case without any."""
    from dataclasses import replace

    from investigator.casefile.case import Case
    from investigator.cli import steps
    from investigator.report import render

    with Case(steps.existing(case)) as opened:
        diagnosis = steps.judge(opened, steps.load(rule_paths), quiet, steps.Judging("medium", tz))
    chosen = _chosen(diagnosis, incident)
    if chosen is not None:
        others = len(diagnosis.incidents) - 1
        if others and incident is None and not quiet:
            ids = ", ".join(each.incident_id for each in diagnosis.incidents[1:])
            complain(f"the first of {others + 1} incidents; the others with --incident: {ids}")
        diagnosis = replace(diagnosis, incidents=(diagnosis.incidents[chosen],))
    return render(diagnosis, "html", redaction).decode("utf-8")


def _chosen(diagnosis: Diagnosis, incident: str | None) -> int | None:
    ids = [each.incident_id for each in diagnosis.incidents]
    if incident is None:
        return 0 if ids else None
    found = [n for n, id_ in enumerate(ids) if incident in (id_, str(n + 1))]
    if not found:
        raise UsageProblem(f"no incident is called {incident!r}", hint=f"incidents: {', '.join(ids) or 'none'}")
    return found[0]


def _order(
    html: str, source: Path, issue: str | None, new: bool, settings: Tickets, extra: tuple[UserRule, ...]
) -> Order:
    from investigator.tickets.ladder import Order
    from investigator.tickets.reading import fingerprint, read_report

    reading = read_report(html, str(source))
    if not reading.incidents and issue is None and not new:
        raise UsageProblem(
            "the report tells of no incident", hint="attach it anyway with --issue KEY or --new", path=source
        )
    return Order(fingerprint(reading, source.name), reading, html, issue, new, settings.closed, extra)


def _deliver(order: Order, settings: Tickets, case: Path | None, redaction: Redaction, dry_run: bool) -> Outcome:
    from investigator.tickets.book import Book, Place
    from investigator.tickets.ladder import deliver
    from investigator.tickets.model import Target
    from investigator.tickets.nightly import deliver_noted
    from investigator.tickets.registry import address, connect

    assert settings.to is not None
    target = Target(settings.project, settings.issue_type, settings.labels, settings.markup)
    tracker = connect(settings.to, settings.url, target, show=_show if dry_run else None, extra=redaction.extra)
    if case is None:
        return deliver(order, tracker)
    place = Place(settings.to, address(settings.to, settings.url), settings.project or "")
    return deliver_noted(order, tracker, Book(case, place, datetime.now(UTC)))


def _show(text: str) -> None:
    for line in text.splitlines():
        print_line(shown(line))
    print_line(shown(""))


def _print(outcome: Outcome, *, dry_run: bool, as_json: bool, quiet: bool) -> None:
    from dataclasses import asdict

    if as_json:
        told: dict[str, Any] = {"delivered": outcome.delivered, "dry_run": dry_run, **asdict(outcome)}
        print_json(told)
        return
    for step in outcome.steps:
        if not step.done:
            complain(f"{step.rung}: {step.result}: {step.detail}")
        elif not quiet:
            complain(f"{step.rung}: {step.result}" + (f" ({step.detail})" if step.detail else ""))
    if dry_run:
        complain("nothing was sent that changes anything")
    else:
        print_line(shown(outcome.ticket.url or outcome.ticket.key))
