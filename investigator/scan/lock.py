"""One scan at a time: a lock of the operating system, and beside it who holds it and since when."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from investigator.errors import BusyProblem


@contextmanager
def scan_lock(path: Path, now: datetime) -> Iterator[None]:
    """Hold the lock at `path` (a file made beside the case). Raises BusyProblem that names the holder and its age.

    The system lets go of a dead holder's lock, so there is nothing to break: what stands in the owner's file is only
    told when the lock is really held.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=0, mode=0o600, preserve_lock_file=True, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise BusyProblem(
            f"another scan is running{_owner(path, now)}",
            hint="wait for it to end; it is not waited for here",
            path=path,
        ) from None
    try:
        me = {"pid": os.getpid(), "host": socket.gethostname(), "since": now.isoformat()}
        _owner_path(path).write_text(json.dumps(me), encoding="utf-8")
        yield
    finally:
        _owner_path(path).unlink(missing_ok=True)
        lock.release()


def _owner_path(path: Path) -> Path:
    return path.with_name(path.name + ".owner")


def _owner(path: Path, now: datetime) -> str:
    try:
        owner = json.loads(_owner_path(path).read_text(encoding="utf-8"))
        age_s = int((now - datetime.fromisoformat(owner["since"])).total_seconds())
        return f": process {owner['pid']} on {owner['host']}, for {age_s} s"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
