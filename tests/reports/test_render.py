"""The example reports: what is committed is what would be rendered, byte for byte. `make reports` renders them again."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "reports" / "render.py"
REPORTS = SCRIPT.parent
MOST_BYTES = 6_000_000


def fixtures() -> set[str]:
    return {path.parent.name for path in (ROOT / "fixtures").rglob("expected.yaml")}


def test_the_index_links_a_page_of_every_fixture() -> None:
    links = set(re.findall(r'href="([^"]+)\.html"', (REPORTS / "index.html").read_text(encoding="utf-8")))
    assert links == fixtures(), "run `make reports` and commit what it wrote"
    assert {path.stem for path in REPORTS.glob("*.html")} == links | {"index"}


def test_the_examples_stay_small_texts(machine_places: tuple[str, ...]) -> None:
    committed = list(REPORTS.glob("*.html"))
    assert sum(path.stat().st_size for path in committed) < MOST_BYTES
    for path in committed:
        text = path.read_text(encoding="utf-8")
        assert not [place for place in (*machine_places, "\0") if place in text], path.name


@pytest.mark.slow
def test_committed_reports_are_fresh() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr}\nrun `make reports` and commit what it wrote"
