"""Measure reading a big log: seconds and peak memory, as ratios to two plain ways of reading the same file.

    make bench                    # 200 MB
    make bench BENCH_BYTES=1GB

Ratios travel between machines, seconds do not. The generated log is kept in `.bench/` and made again only when the
generator, its templates, the size or the seed changed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from make_log import TEMPLATES, make_log, parse_bytes

ROOT = Path(__file__).resolve().parents[1]
STORE = ROOT / ".bench"
INGEST = f"{shlex.quote(sys.executable)} -m investigator ingest {{log}} --case {{case}}"
#: What a first script would do: one expression, asked of every line.
NAIVE = re.compile(r"^(?:time=(\S+) level=(\w+) source=(\S+) msg=(.*)|\[GIN\] (.{21}) \|\s+(\d+) \|\s+(\S+) \|.*)$")
READ_BYTES = 4 << 20


@dataclass(frozen=True)
class Measured:
    """One run of a command. peak_bytes is the largest resident size of the process.

    It cannot show less than this script's own size (some 40 MB): the child is born as its copy.
    """

    seconds: float
    peak_bytes: int
    exit_code: int


def prepared_log(want_bytes: int, seed: int) -> Path:
    """The log of that size and seed, made when it is not there yet."""
    sources = [Path(__file__).with_name("make_log.py"), *sorted(TEMPLATES.glob("*.txt"))]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    path = STORE / f"{want_bytes}-{seed}-{digest}.log"
    if not path.exists():
        STORE.mkdir(exist_ok=True)
        unfinished = path.with_suffix(".part")
        make_log(unfinished, want_bytes, seed)
        unfinished.rename(path)
    return path


def read_only_s(path: Path) -> float:
    """Seconds to read the bytes and count the line ends."""
    begin = time.perf_counter()
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            block.count(b"\n")
    return time.perf_counter() - begin


def naive_s(path: Path) -> float:
    """Seconds of a Python loop with one regular expression per line."""
    begin = time.perf_counter()
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            NAIVE.match(line)
    return time.perf_counter() - begin


def measure(command: list[str]) -> Measured:
    """Run a command; its output goes to stderr, so that stdout holds the result only."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=sys.stderr, cwd=ROOT)
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    # Linux counts ru_maxrss in KiB, macOS in bytes.
    unit_bytes = 1 if sys.platform == "darwin" else 1024
    return Measured(time.perf_counter() - begin, usage.ru_maxrss * unit_bytes, process.returncode)


def benchmark(log: Path, command: str) -> dict[str, object]:
    """All numbers of one benchmark, ready for JSON."""
    size_bytes = log.stat().st_size
    read_only_s(log)  # once before measuring: all contestants then read from the page cache
    baselines = {"read_only_s": read_only_s(log), "naive_s": naive_s(log)}
    with TemporaryDirectory() as folder:
        names = {"log": shlex.quote(str(log)), "case": shlex.quote(str(Path(folder) / "bench.case.duckdb"))}
        measured = measure(shlex.split(command.format(**names)))
    return {
        "bytes": size_bytes,
        **{name: round(seconds, 3) for name, seconds in baselines.items()},
        **{name: round(value, 3) for name, value in asdict(measured).items()},
        "bytes_per_s": round(size_bytes / measured.seconds),
        "times_read_only": round(measured.seconds / baselines["read_only_s"], 2),
        "times_naive": round(measured.seconds / baselines["naive_s"], 2),
        "peak_per_byte": round(measured.peak_bytes / size_bytes, 3),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure reading a big log, as ratios.")
    parser.add_argument("--bytes", type=parse_bytes, default=parse_bytes("200MB"), dest="want_bytes")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--command", default=INGEST, help="what to measure; {log} and {case} are put in")
    options = parser.parse_args()
    result = benchmark(prepared_log(options.want_bytes, options.seed), options.command)
    json.dump(result, sys.stdout, indent=2)
    print()
    # 1 says that something was found in the log, which is what it is made for.
    return 0 if result["exit_code"] in {0, 1} else 1


if __name__ == "__main__":
    raise SystemExit(main())
