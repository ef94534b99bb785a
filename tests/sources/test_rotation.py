"""Rotated sets stand together, the oldest file first."""

from __future__ import annotations

import random

import pytest

from investigator.sources.rotation import rotation_key


@pytest.mark.parametrize(
    "ordered",
    [
        ["logs/server-5.log", "logs/server-2.log", "logs/server-1.log", "logs/server.log"],
        ["logs/server.log", "logs/server1.log", "logs/server2.log", "logs/server10.log"],
        ["server.log.10.gz", "server.log.2.gz", "server.log.1", "server.log"],
        ["a/server-1.log", "a/server.log", "b/server-1.log", "b/server.log"],
        ["app-1.log", "app.log", "server-1.log", "server.log"],
        ["ollama.log-20250320.gz", "ollama.log-20250321", "ollama.log"],
        ["ollama/0.log.20250321-103000.gz", "ollama/0.log.20250321-113000", "ollama/0.log"],
        ["ab12-json.log.2.gz", "ab12-json.log.1", "ab12-json.log"],
        ["openclaw-2026-02-17.log", "openclaw-2026-02-18.log"],
    ],
)
def test_order(ordered: list[str]) -> None:
    shuffled = ordered.copy()
    random.Random(1).shuffle(shuffled)
    assert sorted(shuffled, key=rotation_key) == ordered
