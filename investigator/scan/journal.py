"""Entries of the systemd journal, spooled to a file that is then read like any other log.

The spool's last whole line holds the journal's cursor, so what was fetched and where to go on from cannot disagree,
whenever the process is killed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from investigator.errors import InputProblem

#: A spool that was read and is larger than this is begun anew; the one before it is kept as `.1`.
SPOOL_BYTES = 64 * 1024 * 1024
_TAIL_BYTES = 64 * 1024
_FETCH_TIMEOUT_S = 600


def spool_path(folder: Path, unit: str) -> Path:
    """Where entries of `unit` are collected."""
    return folder / (re.sub(r"[^\w.@-]", "_", unit) + ".journal.jsonl")


def fetch(folder: Path, unit: str, command: str = "journalctl", since: str | None = None) -> Path:
    """Append the unit's new entries to its spool and return the spool.

    `since`: for the first fetch, in journalctl's own words. Raises InputProblem when journalctl is missing or fails.
    """
    program = shutil.which(command)
    if program is None:
        raise InputProblem(f"{command} is not installed", hint="remove `journal` from the configuration", path=unit)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    spool = spool_path(folder, unit)
    _rotate(spool)
    cursor = _last_cursor(spool) or _last_cursor(spool.with_name(spool.name + ".1"))
    begin = ["--after-cursor", cursor] if cursor else ["--since", since] if since else []
    arguments = [program, "--unit", unit, "--output", "json", "--no-pager", "--quiet", *begin]
    with spool.open("ab") as file:
        os.chmod(spool, 0o600)
        done = subprocess.run(
            arguments, stdout=file, stderr=subprocess.PIPE, timeout=_FETCH_TIMEOUT_S, check=False, text=False
        )
    if done.returncode not in (0, 1):
        message = done.stderr.decode(errors="replace").strip().splitlines()
        raise InputProblem(f"{command}: {message[0] if message else done.returncode}", path=unit)
    return spool


def _rotate(spool: Path) -> None:
    """Cut off a line that a kill left unfinished; a large spool steps aside."""
    if not spool.is_file():
        return
    whole = _whole_bytes(spool)
    if whole < spool.stat().st_size:
        os.truncate(spool, whole)
    if whole > SPOOL_BYTES:
        spool.replace(spool.with_name(spool.name + ".1"))


def _whole_bytes(path: Path) -> int:
    """Bytes up to the last line's end."""
    size = path.stat().st_size
    with path.open("rb") as file:
        end = size
        while end > 0:
            start = max(0, end - _TAIL_BYTES)
            file.seek(start)
            if (found := file.read(end - start).rfind(b"\n")) >= 0:
                return start + found + 1
            end = start
    return 0


def _last_cursor(path: Path) -> str | None:
    """The journal's cursor of the last line; None without one."""
    if not path.is_file() or not (size := path.stat().st_size):
        return None
    length = _TAIL_BYTES
    while True:
        with path.open("rb") as file:
            file.seek(max(0, size - length))
            tail = file.read().rstrip(b"\n")
        start = tail.rfind(b"\n") + 1
        if start or length >= size:
            break
        length *= 4
    try:
        return str(json.loads(tail[start:])["__CURSOR"])
    except (ValueError, KeyError, TypeError):
        return None
