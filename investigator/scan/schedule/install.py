"""Put a schedule in place and take it away: only files and lines that bear our mark are touched."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence

from investigator.errors import UsageProblem
from investigator.scan.schedule.render import MARKER, Kind, Unit

#: Runs a command with a text on its standard input; returns exit code and output.
Run = Callable[[Sequence[str], str | None], tuple[int, str]]

_START: dict[Kind, tuple[tuple[str, ...], ...]] = {
    "systemd-user": (
        ("systemctl", "--user", "daemon-reload"),
        ("systemctl", "--user", "enable", "--now", "investigator-scan.timer"),
    ),
    "systemd-system": (
        ("systemctl", "daemon-reload"),
        ("systemctl", "enable", "--now", "investigator-scan.timer"),
    ),
    "launchd": (("launchctl", "load", "-w", "{path}"),),
    "windows": (("schtasks", "/Create", "/F", "/TN", r"investigator\scan", "/XML", "{path}"),),
    "cron": (),
}
_STOP: dict[Kind, tuple[tuple[str, ...], ...]] = {
    "systemd-user": (("systemctl", "--user", "disable", "--now", "investigator-scan.timer"),),
    "systemd-system": (("systemctl", "disable", "--now", "investigator-scan.timer"),),
    "launchd": (("launchctl", "unload", "-w", "{path}"),),
    "windows": (("schtasks", "/Delete", "/F", "/TN", r"investigator\scan"),),
    "cron": (),
}


def run_command(arguments: Sequence[str], text: str | None = None) -> tuple[int, str]:
    """Run without a shell. A missing program is exit code 127."""
    try:
        done = subprocess.run(arguments, input=text, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        return 127, f"{arguments[0]} is not installed"
    return done.returncode, (done.stdout + done.stderr).strip()


def install(kind: Kind, units: Sequence[Unit], run: Run = run_command) -> tuple[str, ...]:
    """Write the units and start the schedule; returns what was done, in words.

    Raises UsageProblem before anything is written when a file stands in the way that is not ours.
    """
    for unit in units:
        _refuse_foreign(unit)
    done = [_write(unit, run) for unit in units]
    return (*done, *_commands(_START[kind], units, run, must=True))


def remove(kind: Kind, units: Sequence[Unit], run: Run = run_command) -> tuple[str, ...]:
    """Stop the schedule and remove our files and lines; returns what was done, in words."""
    for unit in units:
        _refuse_foreign(unit)
    done = list(_commands(_STOP[kind], units, run, must=False))
    for unit in units:
        if unit.path is None:
            done.append(_crontab("", run))
        elif unit.path.is_file():
            unit.path.unlink()
            done.append(f"removed {unit.path}")
    return tuple(done)


def _refuse_foreign(unit: Unit) -> None:
    if unit.path is not None and unit.path.is_file():
        text = unit.path.read_text(encoding=unit.encoding, errors="replace")
        if MARKER not in text:
            raise UsageProblem(
                "a file that investigator did not write stands here", hint="move it away first", path=unit.path
            )


def _write(unit: Unit, run: Run) -> str:
    if unit.path is None:
        return _crontab(unit.text, run)
    try:
        unit.path.parent.mkdir(parents=True, exist_ok=True)
        unit.path.write_text(unit.text, encoding=unit.encoding)
    except PermissionError as error:
        raise UsageProblem(
            "may not be written", hint="run as an administrator, or use --user", path=unit.path
        ) from error
    return f"wrote {unit.path}"


def _crontab(line: str, run: Run) -> str:
    """Replace our line of the user's table; an empty `line` removes it."""
    code, table = run(("crontab", "-l"), None)
    if code == 127:
        raise UsageProblem("cron is not installed", hint="choose another kind of schedule")
    others = [each for each in table.splitlines() if MARKER not in each] if code == 0 else []
    text = "".join(f"{each}\n" for each in others) + line
    code, output = run(("crontab", "-"), text)
    if code:
        raise UsageProblem(f"crontab refused the table: {output}")
    return "wrote the crontab line" if line else "removed the crontab line"


def _commands(commands: Sequence[Sequence[str]], units: Sequence[Unit], run: Run, *, must: bool) -> tuple[str, ...]:
    done = []
    for command in commands:
        words = [word.replace("{path}", str(units[0].path)) for word in command]
        code, output = run(words, None)
        if code and must:
            raise UsageProblem(f"`{' '.join(words)}` failed: {output}", hint="the files are written; start it by hand")
        done.append(f"ran {' '.join(words)}" + (f" (failed: {output})" if code else ""))
    return tuple(done)
