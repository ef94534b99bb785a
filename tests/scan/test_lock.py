"""One scan at a time."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from investigator.errors import BusyProblem
from investigator.scan.lock import scan_lock

NOW = datetime(2026, 11, 25, 3, 30, tzinfo=UTC)


def test_second_scan_is_told_who_holds_it(tmp_path: Path) -> None:
    second = scan_lock(tmp_path / "scan.lock", NOW + timedelta(seconds=90))
    with scan_lock(tmp_path / "scan.lock", NOW), pytest.raises(BusyProblem, match="for 90 s"):
        second.__enter__()


def test_lock_is_free_again(tmp_path: Path) -> None:
    for _ in range(2):
        with scan_lock(tmp_path / "scan.lock", NOW):
            pass


def test_a_dead_owner_is_taken_over(tmp_path: Path) -> None:
    script = (
        "import os, sys; from datetime import datetime, UTC; from pathlib import Path\n"
        "from investigator.scan.lock import scan_lock\n"
        "with scan_lock(Path(sys.argv[1]), datetime.now(UTC)): os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "scan.lock")], check=False)
    assert done.returncode == -9
    assert (tmp_path / "scan.lock.owner").is_file()
    with scan_lock(tmp_path / "scan.lock", NOW):
        pass
