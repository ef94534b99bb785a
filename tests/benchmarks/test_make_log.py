"""The generated benchmark log: repeatable, in order, and its numbers agree with each other."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "make_log.py"
WANT_BYTES = 900_000


def generate(path: Path, *options: str) -> dict[str, object]:
    command = [sys.executable, str(SCRIPT), str(path), "--bytes", str(WANT_BYTES), *options]
    summary: dict[str, object] = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return summary


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, object]]:
    path = tmp_path_factory.mktemp("log") / "big.log"
    summary = generate(path)
    return path.read_bytes(), summary


def test_size_is_what_was_asked(log: tuple[bytes, dict[str, object]]) -> None:
    data, summary = log
    assert summary["bytes"] == len(data)
    assert WANT_BYTES <= len(data) < WANT_BYTES + 20_000
    assert data.endswith(b"\n")


def test_seed_decides_the_bytes(log: tuple[bytes, dict[str, object]], tmp_path: Path) -> None:
    generate(tmp_path / "again.log", "--seed", "7")
    generate(tmp_path / "other.log", "--seed", "8")
    assert (tmp_path / "again.log").read_bytes() == log[0]
    assert (tmp_path / "other.log").read_bytes() != log[0]


def test_nothing_is_left_unfilled(log: tuple[bytes, dict[str, object]]) -> None:
    assert b"\0" not in log[0]
    assert not re.search(rb"\{[a-z_]+[:}]", log[0])
    assert b"@batch" not in log[0]


def test_stamps_never_go_back(log: tuple[bytes, dict[str, object]]) -> None:
    stamps = [datetime.fromisoformat(text.decode()) for text in re.findall(rb"time=(\S+) level", log[0])]
    assert len(stamps) > 1000
    assert stamps == sorted(stamps)


def test_counts_agree_with_the_lines(log: tuple[bytes, dict[str, object]]) -> None:
    data, summary = log
    blocks = summary["blocks"]
    assert isinstance(blocks, dict) and len(blocks) == 3
    lines_of = {"small": 2, "load": 0, "start": 0}
    expected = sum(count * lines_of.get(kind, 1) for era in blocks.values() for kind, count in era.items())
    assert len(re.findall(rb"^\[GIN\] ", data, re.MULTILINE)) == expected
    assert len(re.findall(rb"Listening on \S+ \(version", data)) == sum(era["start"] for era in blocks.values())


def test_latency_covers_prefill_and_decode(log: tuple[bytes, dict[str, object]]) -> None:
    pattern = re.compile(
        rb"task (\d+) \|       total time = +([\d.]+) ms(?:(?!\[GIN\]).)*\[GIN\] [^|]+\| 200 \| +(?:(\d+)m)?([\d.]+)s",
        re.DOTALL,
    )
    found = pattern.findall(log[0])
    assert len(found) > 50
    for _task, total_ms, minutes, seconds in found:
        latency_s = int(minutes or 0) * 60 + float(seconds)
        # Above one minute a latency is cut to whole seconds.
        assert -1 < latency_s - float(total_ms) / 1000 < 0.5


def test_prefill_numbers_are_one_sum(log: tuple[bytes, dict[str, object]]) -> None:
    found = re.findall(
        rb"prompt eval time += +([\d.]+) ms / +(\d+) tokens \( +[\d.]+ ms per token, +([\d.]+) tokens", log[0]
    )
    assert len(found) > 100
    for ms, tokens, rate in found:
        assert float(rate) == pytest.approx(int(tokens) * 1000 / float(ms), rel=0.01)
