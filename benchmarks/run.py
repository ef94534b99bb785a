"""Measure ingest on a big log beside other readers of the same file, alternating in one run.

    make bench                                  # 1 GB
    make bench BENCH_BYTES=200MB
    make bench BENCH_ARGS="--growth 2 5"        # and ingest of 2 and 5 times as much: time and memory against size
    python benchmarks/run.py --transcript claude-code --bytes 1GB

Ratios travel between machines, seconds do not; on a busy machine the processor seconds (user + system) say more than
the clock. The generated log is kept in `.bench/` and made again only when the generator, its templates, the size or the
seed changed. A reader that is not installed is named and left out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, TemporaryFile

from make_log import TEMPLATES, make_log, parse_bytes
from make_transcript import AGENTS, make_transcript

ROOT = Path(__file__).resolve().parents[1]
STORE = ROOT / ".bench"
READ_BYTES = 4 << 20
OURS = "investigator ingest"
ACCESS_LINE = r"^\[GIN\] [0-9/]+ - [0-9:]+ \| +[0-9]+ \|"
#: Name → command. lnav only indexes the lines; grep only counts access lines; ollama-watch replays the log.
COMMANDS: Mapping[str, str] = {
    OURS: f"{shlex.quote(sys.executable)} -m investigator ingest {{log}} --case {{case}} --quiet",
    "lnav": "lnav -n -c ';select lines from lnav_file' {log}",
    "grep": f"grep -cE {shlex.quote(ACCESS_LINE)} {{log}}",
    "ollama-watch": "ollama-watch --replay --no-follow --no-server --log {log}",
}
#: Of a transcript jq prints one field of each line; DuckDB finds the columns, decodes every line and counts by type.
_DUCKDB = (
    "import duckdb,sys; duckdb.sql(\"SELECT type, count(*) FROM read_json(?, format='newline_delimited', "
    'maximum_object_size=268435456, union_by_name=true) GROUP BY 1", params=[sys.argv[1]]).fetchall()'
)
TRANSCRIPT_COMMANDS: Mapping[str, str] = {
    OURS: COMMANDS[OURS],
    "jq": "jq -c .type {log}",
    "duckdb": f"{shlex.quote(sys.executable)} -c {shlex.quote(_DUCKDB)} {{log}}",
}
#: A reader that took longer is not run again; ours is.
SLOW_S = 60.0
#: 1 says that something was found in the log, which is what it is made for.
GOOD_CODES = {0, 1}


@dataclass(frozen=True)
class Measured:
    """One run of a command. cpu_s: user + system. peak_bytes: largest resident size of the process.

    That cannot show less than this script's own size (some 20 MB): the child is born as its copy.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    exit_code: int


def prepared(want_bytes: int, seed: int, agent: str | None) -> Path:
    """The log of that size and seed, or the transcript of `agent`, made when it is not there yet."""
    sources = [Path(__file__).with_name("make_log.py"), *sorted(TEMPLATES.glob("*.txt"))]
    if agent:
        sources = [Path(__file__).with_name("make_transcript.py")]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    path = STORE / (f"{want_bytes}-{seed}-{agent}-{digest}.jsonl" if agent else f"{want_bytes}-{seed}-{digest}.log")
    if not path.exists():
        STORE.mkdir(exist_ok=True)
        unfinished = path.with_suffix(".part")
        if agent:
            make_transcript(unfinished, want_bytes, seed, agent)
        else:
            make_log(unfinished, want_bytes, seed)
        unfinished.rename(path)
    return path


def warm(path: Path) -> None:
    """Read the file once, so that all contestants find it in the page cache."""
    with path.open("rb") as file:
        while file.read(READ_BYTES):
            pass


def measure(command: list[str]) -> Measured:
    """Run a command; what it prints is dropped."""
    settings = {**os.environ, "LC_ALL": "C", "TERM": "xterm"}
    # A file, not the null device: grep sees that and stops at the first match.
    with TemporaryFile() as out:
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd=ROOT, env=settings)
        _pid, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    # Linux counts ru_maxrss in KiB, macOS in bytes.
    unit_bytes = 1 if sys.platform == "darwin" else 1024
    cpu_s = usage.ru_utime + usage.ru_stime
    return Measured(wall_s, cpu_s, usage.ru_maxrss * unit_bytes, process.returncode)


def race(log: Path, commands: Mapping[str, str], rounds: int) -> tuple[dict[str, list[Measured]], int]:
    """Runs of every command, one after the other in each round, and the size of the case in bytes."""
    runs: dict[str, list[Measured]] = {name: [] for name in commands}
    case_bytes = 0
    for _ in range(rounds):
        for name, command in commands.items():
            if name != OURS and runs[name] and runs[name][-1].wall_s > SLOW_S:
                continue
            with TemporaryDirectory() as folder:
                case = Path(folder) / "bench.case.duckdb"
                filled = command.format(log=shlex.quote(str(log)), case=shlex.quote(str(case)))
                runs[name].append(measure(shlex.split(filled)))
                case_bytes = case.stat().st_size if case.exists() else case_bytes
    return runs, case_bytes


def summary(runs: list[Measured], size_bytes: int) -> dict[str, float]:
    wall_s, cpu_s = median(run.wall_s for run in runs), median(run.cpu_s for run in runs)
    return {
        "wall_s": round(wall_s, 2),
        "cpu_s": round(cpu_s, 2),
        "mb_per_s": round(size_bytes / 1e6 / wall_s, 1),
        "mb_per_cpu_s": round(size_bytes / 1e6 / cpu_s, 1),
        "peak_mib": round(max(run.peak_bytes for run in runs) / 2**20),
        "failed_runs": sum(run.exit_code not in GOOD_CODES for run in runs),
    }


def table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """The result as Markdown; `times ours` is how many times as long as ours, by the clock and by the processor."""
    ours = rows.get(OURS)
    lines = [
        "| reader | wall s | CPU s | MB/s | MB per CPU s | peak MiB | wall ÷ ours | CPU ÷ ours |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        cells = [row[key] for key in ("wall_s", "cpu_s", "mb_per_s", "mb_per_cpu_s", "peak_mib")]
        ratios = [f"{row[key] / ours[key]:.2f}" if ours else "" for key in ("wall_s", "cpu_s")]
        lines.append(f"| {' | '.join([name, *map(str, cells), *ratios])} |")
    return "\n".join(lines)


def growth(options: argparse.Namespace, first: Mapping[str, float]) -> list[dict[str, float]]:
    """Ingest of multiples of the log, once each: seconds and memory, and how many times those of the log itself."""
    rows = []
    for times in options.growth:
        log = prepared(options.want_bytes * times, options.seed, options.transcript)
        warm(log)
        size_bytes = log.stat().st_size
        runs, case_bytes = race(log, {OURS: COMMANDS[OURS]}, 1)
        row = summary(runs[OURS], size_bytes)
        ratios = {f"{key}_ratio": round(row[key] / first[key], 2) for key in ("wall_s", "cpu_s", "peak_mib")}
        rows.append({"times": times, "bytes": size_bytes, "case_bytes": case_bytes, **row, **ratios})
    return rows


def growth_table(rows: list[dict[str, float]]) -> str:
    """The result of `growth` as Markdown."""
    names = ("times", "wall_s", "wall_s_ratio", "cpu_s", "cpu_s_ratio", "mb_per_s", "peak_mib", "peak_mib_ratio")
    heads = ("input", "wall s", "× wall", "CPU s", "× CPU", "MB/s", "peak MiB", "× peak")
    lines = [heads, ("---",) * len(heads), *(tuple(str(row[name]) for name in names) for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def chosen(options: argparse.Namespace) -> dict[str, str]:
    """The commands to measure: those whose program is there."""
    if options.command:
        return {OURS: options.command}
    all_commands = TRANSCRIPT_COMMANDS if options.transcript else COMMANDS
    wanted = {name: command for name, command in all_commands.items() if name not in options.without}
    there = {name: command for name, command in wanted.items() if shutil.which(shlex.split(command)[0])}
    for name in wanted.keys() - there.keys():
        print(f"{name} is not installed and is left out", file=sys.stderr)
    return there


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure reading a big log, as ratios.")
    parser.add_argument("--bytes", type=parse_bytes, default=parse_bytes("1GB"), dest="want_bytes")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=3, help="each command is run this often, alternating")
    parser.add_argument("--growth", type=int, nargs="*", default=[], help="ingest this many times the bytes, too")
    parser.add_argument(
        "--without", action="append", default=[], choices=[*COMMANDS, "jq", "duckdb"], help="leave this reader out"
    )
    parser.add_argument("--command", help="measure only this; {log} and {case} are put in")
    parser.add_argument("--transcript", choices=sorted(AGENTS), help="an agent's transcript instead of a server's log")
    options = parser.parse_args()
    log = prepared(options.want_bytes, options.seed, options.transcript)
    warm(log)
    size_bytes = log.stat().st_size
    runs, case_bytes = race(log, chosen(options), options.rounds)
    rows = {name: summary(measured, size_bytes) for name, measured in runs.items()}
    print(table(rows), file=sys.stderr)
    grown = growth(options, rows[OURS]) if options.growth else []
    if grown:
        print(f"\n{growth_table(grown)}", file=sys.stderr)
    result = {"bytes": size_bytes, "case_bytes": case_bytes, "case_share": round(case_bytes / size_bytes, 3)}
    machine = {"cores": os.cpu_count(), "load": os.getloadavg()[0]}
    json.dump({**result, **machine, "readers": rows, "growth": grown}, sys.stdout, indent=2)
    print()
    return 0 if not rows.get(OURS, {}).get("failed_runs") else 1


if __name__ == "__main__":
    raise SystemExit(main())
