"""The shared corpus of real logs, where it is at hand: coverage."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from investigator.formats.base import Parsed
from investigator.formats.registry import recognise
from tests.formats.server_samples import feed

CORPUS = Path(os.environ.get("INVESTIGATOR_CORPUS") or Path(__file__).parents[3] / "shared" / "corpus")
LOGS = sorted(CORPUS.glob("ollama/*.log"))
CHILD_LOGS = sorted(CORPUS.glob("agents/*/*/llama-server.log"))

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not LOGS, reason="the corpus is not at hand")]


def _read(path: Path) -> Parsed:
    data = path.read_bytes()
    reader = recognise(data[:65536], path.name).format
    assert reader is not None, path.name
    return feed(reader, [data])


@pytest.fixture(scope="module")
def parsed() -> dict[Path, Parsed]:
    return {path: _read(path) for path in [*LOGS, *CHILD_LOGS]}


def test_nearly_every_line_is_understood(parsed: dict[Path, Parsed]) -> None:
    lines = sum(result.lines for result in parsed.values())
    unknown = Counter({path.name: result.unrecognised.height for path, result in parsed.items()})
    print(f"understood {1 - unknown.total() / lines:.4%} of {lines} lines; worst: {unknown.most_common(5)}")
    assert unknown.total() <= 0.003 * lines
    long = {path.name: r.unrecognised.height / r.lines for path, r in parsed.items() if r.lines >= 200}
    assert {name: share for name, share in long.items() if share > 0.03} == {}
