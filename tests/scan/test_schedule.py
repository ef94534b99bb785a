"""Schedules: what is written for each operating system, checked by its own tools, and put in place and taken away."""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from xml.etree import ElementTree

import pytest

from investigator.errors import UsageProblem
from investigator.scan.schedule import KINDS, Job, default_kind, install, remove, units
from investigator.scan.schedule.render import MARKER

JOB = Job(
    PurePosixPath(sys.executable),
    ("-m", "investigator", "scan", "--config", "/etc/my logs/50%.toml"),
    writable=(PurePosixPath("/var/lib/investigator"),),
)


class System:
    """Stands in for the operating system: remembers what was run and holds a crontab."""

    def __init__(self, crontab: str | None = None) -> None:
        self.ran: list[str] = []
        self.crontab = crontab

    def __call__(self, arguments: Sequence[str], text: str | None) -> tuple[int, str]:
        if arguments == ("crontab", "-l"):
            return (1, "no crontab for me") if self.crontab is None else (0, self.crontab)
        if arguments == ("crontab", "-"):
            self.crontab = text
            return 0, ""
        self.ran.append(" ".join(arguments))
        return 0, ""


@pytest.mark.parametrize("kind", ["systemd-user", "systemd-system"])
def test_systemd_accepts_the_units(kind: str, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    made = units(kind, JOB, tmp_path)  # type: ignore[arg-type]
    files = []
    for unit in made:
        files.append(tmp_path / unit.name)
        files[-1].write_text(unit.text)
    scope = ["--user"] if kind == "systemd-user" else []
    # systemd's own units of the machine are judged too: only lines that name ours count.
    command = [program, *scope, "verify", "--man=no", *map(str, files)]
    environment = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert [line for line in done.stderr.splitlines() if "investigator-scan" in line] == []
    assert done.returncode == 0, done.stderr
    assert "%%" in made[0].text and '"/etc/my logs/50%%.toml"' in made[0].text
    calendar = next(line.split("=", 1)[1] for line in made[1].text.splitlines() if line.startswith("OnCalendar"))
    assert subprocess.run([program, "calendar", calendar], check=False, capture_output=True).returncode == 0


def test_launchd_property_list() -> None:
    (unit,) = units("launchd", JOB, Path("/Users/me"))
    data = plistlib.loads(unit.text.encode())
    assert data["ProgramArguments"] == [sys.executable, *JOB.arguments]
    assert data["StartCalendarInterval"] == {"Hour": 3, "Minute": 30}
    assert unit.path == Path("/Users/me/Library/LaunchAgents/investigator.scan.plist")


def test_windows_task_keeps_quoting() -> None:
    job = Job(
        PureWindowsPath(r"C:\Tools & more\python.exe"), ("-m", "investigator", "scan", "--config", r"C:\my logs\x.toml")
    )
    (unit,) = units("windows", job, Path("/home/me"))
    root = ElementTree.fromstring(unit.text.split("\n", 1)[1])
    names = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}
    assert root.findtext(".//t:Command", namespaces=names) == r"C:\Tools & more\python.exe"
    assert root.findtext(".//t:Arguments", namespaces=names) == r'-m investigator scan --config "C:\my logs\x.toml"'


def test_cron_line_escapes_what_cron_takes_for_an_end() -> None:
    (unit,) = units("cron", JOB, Path("/home/me"))
    assert unit.text.startswith("30 3 * * * ")
    assert r"'/etc/my logs/50\%.toml'" in unit.text


def test_other_lines_of_the_crontab_stay() -> None:
    system = System("0 1 * * * backup\n")
    made = units("cron", JOB, Path("/home/me"))
    install("cron", made, system)
    install("cron", made, system)
    assert system.crontab is not None
    assert system.crontab.count(MARKER) == 1
    assert system.crontab.startswith("0 1 * * * backup\n")
    remove("cron", made, system)
    assert system.crontab == "0 1 * * * backup\n"


def test_install_and_remove_units(tmp_path: Path) -> None:
    system = System()
    made = units("systemd-user", JOB, tmp_path)
    install("systemd-user", made, system)
    assert all(unit.path is not None and unit.path.read_text() == unit.text for unit in made)
    assert system.ran == ["systemctl --user daemon-reload", "systemctl --user enable --now investigator-scan.timer"]
    remove("systemd-user", made, system)
    assert not any(unit.path is not None and unit.path.exists() for unit in made)


@pytest.mark.parametrize("action", [install, remove])
def test_a_file_of_others_is_not_touched(action: object, tmp_path: Path) -> None:
    made = units("systemd-user", JOB, tmp_path)
    path = made[1].path
    assert path is not None
    path.parent.mkdir(parents=True)
    path.write_text("[Timer]\n")
    with pytest.raises(UsageProblem, match="did not write"):
        action("systemd-user", made, System())  # type: ignore[operator]
    assert path.read_text() == "[Timer]\n"
    assert not (path.parent / made[0].name).exists()


@pytest.mark.parametrize("at", ["24:00", "3:30", "noon", "03:30\nExecStart=/bin/sh"])
def test_time_of_day_is_checked(at: str) -> None:
    with pytest.raises(UsageProblem, match="no time of day"):
        Job(PurePosixPath("/x"), (), at)


def test_every_system_has_a_kind() -> None:
    assert {default_kind(name) for name in ("linux", "darwin", "win32")} < set(KINDS)
