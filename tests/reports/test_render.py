"""The example reports: what is committed is what would be rendered, byte for byte."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "reports" / "render.py"


@pytest.mark.slow
def test_committed_reports_are_fresh() -> None:
    if not list(SCRIPT.parent.glob("*.html")):
        pytest.skip("no example report is committed yet")
    done = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
