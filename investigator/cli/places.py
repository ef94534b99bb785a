"""`investigate` without a path: what lies in the known places, and the question whether to read it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from click.exceptions import Exit as ClickExit

from investigator.cli.terminal import shown, stderr, table
from investigator.errors import InputProblem, UsageProblem
from investigator.exits import Exit

if TYPE_CHECKING:
    from investigator.sources.places import Found

_NAME_PATHS = "name files or folders: investigator investigate PATH…"
_UNIT = "ollama"
#: The journal's own stamps with zone and microseconds; the readers of journald lines know this form.
_JOURNAL = ("journalctl", "--unit", _UNIT, "--output", "short-iso-precise", "--no-pager", "--quiet")


def found_inputs(yes: bool) -> tuple[str, ...]:
    """Paths to read. Shows what was found on standard error and asks, unless `yes`.

    Raises UsageProblem when nothing was found or nobody can be asked; ends with INTERRUPTED when the answer is no.
    """
    from investigator.sources.places import Around, find, known_places

    around = Around.of_this_process(sys.platform)
    places = known_places(around)
    found, journal = find(places), _newest_in_journal()
    if not found and journal is None:
        names = ", ".join(dict.fromkeys(place.what for place in places))
        raise UsageProblem(f"no PATH given, and nothing lies where these keep logs: {names}", hint=_NAME_PATHS)
    _show(found, journal, around.home)
    if not yes and not _agreed():
        raise ClickExit(Exit.INTERRUPTED)
    paths = tuple(str(path) for each in found for path in each.paths)
    return paths if journal is None else (*paths, str(_spooled_journal()))


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise UsageProblem(
            "no PATH given, and nobody to ask: standard input is no terminal",
            hint=f"--yes reads all of the above; or {_NAME_PATHS}",
        )
    return click.confirm("Read these? Nothing leaves this machine", default=True, err=True)


def _show(found: Sequence[Found], journal: datetime | None, home: Path) -> None:
    from investigator.report.text import size

    rows = table("what", "kind", "where", "files", "size", "newest", numeric=("files", "size"), whole=("newest",))
    for each in found:
        where = "\n".join(_short(path, home) for path in each.paths[:3])
        more = len(each.paths) - 3
        where += f"\n… and {more:,} more" if more > 0 else ""
        newest = datetime.fromtimestamp(each.newest_s, UTC)
        rows.add_row(
            shown(each.what),
            each.kind,
            shown(where),
            f"{each.files:,}",
            size(each.size_bytes),
            f"{newest:%Y-%m-%d %H:%M}Z",
        )
    if journal is not None:
        where = f"journalctl --unit {_UNIT}"
        rows.add_row("Ollama", "server log", where, "", "", f"{journal.astimezone(UTC):%Y-%m-%d %H:%M}Z")
    stderr().print(rows)


def _short(path: Path, home: Path) -> str:
    return f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else str(path)


def _newest_in_journal() -> datetime | None:
    """Time of the unit's last entry; None without journald, without the unit, or without the right to read it."""
    if shutil.which(_JOURNAL[0]) is None:
        return None
    try:
        last = subprocess.run([*_JOURNAL, "--lines", "1"], capture_output=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    stamp = last.decode("utf-8", "replace").strip().split("\n")[-1].split(" ", 1)[0]
    try:
        return datetime.fromisoformat(stamp)
    except ValueError:
        return None


def _spooled_journal() -> Path:
    """The unit's entries in a file that lives as long as the system keeps temporary ones: evidence is fetched from it.

    Raises InputProblem when the journal cannot be read after all.
    """
    folder = Path(tempfile.mkdtemp(prefix="investigator-journal-"))
    path = folder / f"{_UNIT}.journal.log"
    with path.open("wb") as file:
        done = subprocess.run(_JOURNAL, stdout=file, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().split("\n")[0]
        raise InputProblem(f"the journal of unit {_UNIT} cannot be read: {said}", hint=_NAME_PATHS)
    return path
