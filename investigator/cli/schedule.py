"""`schedule show`, `install`, `remove`: let the operating system start the scan."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from investigator.cli import options
from investigator.cli.config import config_option, configured

if TYPE_CHECKING:
    from investigator.scan.schedule import Kind, Unit

_KINDS = ("systemd-user", "systemd-system", "cron", "launchd", "windows")


def _schedule_options(function: Callable[..., Any]) -> Callable[..., Any]:
    at = click.option("--at", default="03:30", show_default=True, metavar="HH:MM", help="When, in local time.")
    kind = click.option("--kind", type=click.Choice(_KINDS), help="Default: what this operating system has.")
    return config_option(kind(at(options.debug_option(function))))


@click.group("schedule", epilog=options.examples("investigator schedule show", "investigator schedule install"))
def command() -> None:
    """Start `scan` every night.

    With systemd, cron, launchd or the Windows Task Scheduler.
    """


@command.command("show", epilog=options.examples("investigator schedule show --kind systemd-system --at 02:00"))
@_schedule_options
def show(config_path: Path | None, kind: Kind | None, at: str) -> None:
    """Print what `install` would write. Changes nothing."""
    for unit in _units(config_path, kind, at)[1]:
        click.echo(f"# {unit.path or 'crontab'}")
        click.echo(unit.text)


@command.command("install", epilog=options.examples("investigator schedule install --at 02:00"))
@_schedule_options
def install(config_path: Path | None, kind: Kind | None, at: str) -> None:
    """Write the schedule and start it.

    Files and lines that investigator did not write are not touched.
    """
    from investigator.scan.schedule import install as put

    for done in put(*_units(config_path, kind, at)):
        click.echo(done)


@command.command("remove", epilog=options.examples("investigator schedule remove"))
@_schedule_options
def remove(config_path: Path | None, kind: Kind | None, at: str) -> None:
    """Stop the schedule and remove what `install` wrote."""
    from investigator.scan.schedule import remove as take

    for done in take(*_units(config_path, kind, at)):
        click.echo(done)


def _units(config_path: Path | None, kind: Kind | None, at: str) -> tuple[Kind, tuple[Unit, ...]]:
    from platformdirs import user_log_path

    from investigator.scan.schedule import Job, default_kind, units

    config = configured(config_path)
    scan = config.settings.scan
    named = () if config.path is None else ("--config", str(config.path.absolute()))
    job = Job(
        program=Path(sys.executable),
        arguments=("-m", "investigator", "scan", "--quiet", *named),
        at=at,
        writable=tuple({config.resolved(scan.case).parent: None, config.resolved(scan.reports): None}),
        log=user_log_path("investigator") / "scan.log",
    )
    chosen = kind or default_kind()
    return chosen, units(chosen, job, Path.home())
