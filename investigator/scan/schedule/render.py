"""The files and lines that make an operating system start the scan. Nothing is written here."""

from __future__ import annotations

import plistlib
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePath
from typing import Literal

import jinja2

from investigator.errors import UsageProblem

Kind = Literal["systemd-user", "systemd-system", "cron", "launchd", "windows"]
KINDS: tuple[Kind, ...] = ("systemd-user", "systemd-system", "cron", "launchd", "windows")

#: Only what bears this is replaced or removed by us.
MARKER = "made by: investigator schedule install"
LABEL = "investigator.scan"
_NAME = "investigator-scan"
_AT = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$")


@dataclass(frozen=True, slots=True)
class Job:
    """What is to run: an absolute program with its arguments, every day at `at` (HH:MM, local).

    writable: folders that the scan must be able to write. log: where launchd puts what is printed.
    """

    program: PurePath
    arguments: tuple[str, ...]
    at: str = "03:30"
    writable: tuple[PurePath, ...] = ()
    log: PurePath | None = None

    def __post_init__(self) -> None:
        if not _AT.match(self.at):
            raise UsageProblem(f"{self.at!r} is no time of day", hint="write it as 03:30")

    @property
    def clock(self) -> tuple[int, int]:
        """(hour, minute)"""
        hour, minute = self.at.split(":")
        return int(hour), int(minute)


@dataclass(frozen=True, slots=True)
class Unit:
    """A file of the schedule, or for cron a line of the user's table. path: where it belongs, None for cron."""

    name: str
    text: str
    path: Path | None
    encoding: str = "utf-8"


def default_kind(platform: str = sys.platform) -> Kind:
    """What this operating system has."""
    kinds: Mapping[str, Kind] = {"darwin": "launchd", "win32": "windows"}
    return kinds.get(platform, "systemd-user")


def units(kind: Kind, job: Job, home: Path) -> tuple[Unit, ...]:
    """Everything that must be put in place for `kind`."""
    return _MAKERS[kind](job, home)


def _systemd(job: Job, folder: Path, *, system: bool) -> tuple[Unit, ...]:
    words = {
        "marker": MARKER,
        "command": " ".join(_systemd_word(word) for word in (str(job.program), *job.arguments)),
        "system": system,
        "writable": " ".join(_systemd_word("-" + str(path)) for path in job.writable),
        "calendar": f"*-*-* {job.at}:00",
    }
    return (
        Unit(f"{_NAME}.service", _template("service.j2").render(words), folder / f"{_NAME}.service"),
        Unit(f"{_NAME}.timer", _template("timer.j2").render(words), folder / f"{_NAME}.timer"),
    )


def _systemd_word(text: str) -> str:
    """A word of ExecStart: no variable, no specifier, quoted where it has to be."""
    escaped = text.replace("\\", "\\\\").replace("%", "%%").replace("$", "$$").replace('"', '\\"')
    return f'"{escaped}"' if re.search(r"[\s'\"\\;]", text) else escaped


def _cron(job: Job, home: Path) -> tuple[Unit, ...]:
    hour, minute = job.clock
    # cron takes % for the end of the command.
    command = shlex.join((str(job.program), *job.arguments)).replace("%", r"\%")
    return (Unit("crontab", f"{minute} {hour} * * * {command}  # {MARKER}\n", None),)


def _launchd(job: Job, home: Path) -> tuple[Unit, ...]:
    hour, minute = job.clock
    data = {
        "Label": LABEL,
        "ProgramArguments": [str(job.program), *job.arguments],
        "StartCalendarInterval": {"Hour": hour, "Minute": minute},
        "ProcessType": "Background",
        "LowPriorityIO": True,
        "Nice": 19,
        "Umask": 0o077,
    }
    if job.log is not None:
        data |= {"StandardOutPath": str(job.log), "StandardErrorPath": str(job.log)}
    text = plistlib.dumps(data, sort_keys=True).decode().replace("<plist", f"<!-- {MARKER} -->\n<plist", 1)
    return (Unit(f"{LABEL}.plist", text, home / "Library" / "LaunchAgents" / f"{LABEL}.plist"),)


def _windows(job: Job, home: Path) -> tuple[Unit, ...]:
    arguments = subprocess.list2cmdline(job.arguments)
    text = _template("task.xml.j2").render(
        marker=MARKER, program=str(job.program), arguments=arguments, at=job.at
    )  # fmt: skip
    path = home / "AppData" / "Local" / "investigator" / f"{_NAME}.xml"
    return (Unit(f"{_NAME}.xml", text, path, "utf-16"),)


_MAKERS: Mapping[Kind, Callable[[Job, Path], tuple[Unit, ...]]] = {
    "systemd-user": lambda job, home: _systemd(job, home / ".config" / "systemd" / "user", system=False),
    "systemd-system": lambda job, _: _systemd(job, Path("/etc/systemd/system"), system=True),
    "cron": _cron,
    "launchd": _launchd,
    "windows": _windows,
}


@cache
def _template(name: str) -> jinja2.Template:
    loader = jinja2.PackageLoader("investigator.scan.schedule", "")
    environment = jinja2.Environment(
        loader=loader,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)
