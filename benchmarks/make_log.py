"""Write a big Ollama server log: seeded, three eras, the mixture of lines that real logs have.

    python benchmarks/make_log.py big.log --bytes 1GB --seed 7

Standard library only. Each era is a file in `templates/`: blocks of lines (a start, a load, a chat …) with a weight.
Every block is rendered once for some hundred drawn sets of numbers; writing then only fills in stamps and task numbers.
One set of numbers obeys one law of the machine, so prefill times, rates, latencies and stamps agree with each other.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"
VARIANTS = 200
WRITE_BYTES = 4 << 20

#: Prefill law of the imagined machine: seconds = n / R0 + C * n².
R0_TPS = 1200.0
C_S_PER_TOKEN2 = 8.0e-8
BATCH_TOKENS = 1024
MAX_ANSWER_TOKENS = 900
#: llama-server reports progress only from here on.
FIRST_PROGRESS_S = 3.0
#: Blocks between two restarts of the server, on average; a restart begins a new stretch.
BLOCKS_PER_START = 20_000
#: A model is loaded again after the keep-alive of 5 minutes has run out.
IDLE_BEFORE_LOAD_S = 400

UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
CLIENTS = ("127.0.0.1", "::1", "192.0.2.17", "192.0.2.101")
PATHS = ("/api/chat", "/api/chat", "/v1/chat/completions", "/api/generate")
MINUTE_SECOND = tuple(b"%02d:%02d" % divmod(second, 60) for second in range(3600))
MILLIS = tuple(b".%03d" % millis for millis in range(1000))
#: A field that is filled in while writing: kind and offset in milliseconds from the block's start.
Field = tuple[str, int]
MARK = re.compile("\x00(\\w+):(\\d+)\x00")


@dataclass(frozen=True)
class Era:
    """One engine's time: template file, first day, zone, tokens that one slot holds."""

    template: str
    first_day: datetime
    zone_s: int
    window_tokens: int


ERAS = (
    Era("c-runner-0.3.txt", datetime(2024, 7, 26, 9, tzinfo=UTC), 0, 2048),
    Era("go-runner-0.15.txt", datetime(2026, 2, 12, 8, tzinfo=UTC), 3600, 32768),
    Era("llama-server-0.32.txt", datetime(2026, 7, 20, 6, tzinfo=UTC), 7200, 32768),
)


@dataclass(frozen=True)
class Block:
    """A rendered block: bytes with one `%b` per field; `pick` spreads the distinct fields' values over the places."""

    text: bytes
    fields: tuple[Field, ...]
    pick: Callable[[list[bytes]], tuple[bytes, ...]]
    duration_ms: int
    tasks: int


class Marker:
    """Renders `{t:end}` as a mark that names the kind and the offset of that moment."""

    def __init__(self, kind: str, moments: dict[str, int]) -> None:
        self.kind, self.moments = kind, moments

    def __format__(self, moment: str) -> str:
        return f"\x00{self.kind}:{self.moments[moment]}\x00"


def go_duration(seconds: float) -> str:
    """A latency as Gin prints it: full precision to one minute, whole seconds above."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.3f}".rstrip("0").rstrip(".") + "µs"
    if seconds < 1:
        return f"{seconds * 1e3:.6f}".rstrip("0").rstrip(".") + "ms"
    if seconds < 60:
        return f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"
    hours, rest = divmod(int(seconds), 3600)
    return (f"{hours}h" if hours else "") + f"{rest // 60}m{rest % 60}s"


def prefill_s(tokens: int, cached: int = 0) -> float:
    """Seconds to read the tokens from `cached` up to `cached + tokens`."""
    return tokens / R0_TPS + C_S_PER_TOKEN2 * ((cached + tokens) ** 2 - cached**2)


def draw_request(rng: random.Random, window_tokens: int) -> dict[str, object]:
    """Numbers of one request that agree with each other."""
    usual_tokens = math.log(window_tokens / 11)
    prompt = min(window_tokens - MAX_ANSWER_TOKENS - 1, max(40, int(rng.lognormvariate(usual_tokens, 1.1))))
    cached = int(prompt * rng.choice((0.0, 0.3, 0.85, 0.97)))
    uncached, out = prompt - cached, rng.randint(12, MAX_ANSWER_TOKENS)
    prefill, decode = prefill_s(uncached, cached), out / rng.uniform(28, 41)
    return {
        "prompt": prompt,
        "cached": cached,
        "cached_before": cached + rng.randint(0, 500),
        "uncached": uncached,
        "out": out,
        "held": prompt + out,
        "past": prompt + out - 1,
        "worked": uncached + out,
        "prompt_bytes": int(prompt * 3.6),
        "prefill": prefill,
        "prefill_ms": prefill * 1e3,
        "ms_per_token": prefill * 1e3 / uncached,
        "prefill_tps": uncached / prefill,
        "eval_ms": decode * 1e3,
        "eval_ms_per_token": decode * 1e3 / out,
        "eval_tps": out / decode,
        "total_ms": (prefill + decode) * 1e3,
        "total": prefill + decode + rng.uniform(0.02, 0.4),
    }


def draw(rng: random.Random, kind: str, window_tokens: int) -> tuple[dict[str, object], float]:
    """All names that a template may use, and the block's duration in seconds."""
    values = draw_request(rng, window_tokens)
    total = float(str(values["total"]))
    gave_up_s = rng.choice((60.2, 119.8, 299.6, 300.1))
    load_s = rng.uniform(1.5, 30)
    micros_s = rng.uniform(18e-6, 900e-6)
    duration = {"load": load_s, "start": 0.4, "gave-up": gave_up_s, "aborted": gave_up_s, "small": micros_s}
    values |= {
        "blob": f"{0x8F1A2B3C4D5E:012x}" + "0" * 52,
        "client": rng.choice(CLIENTS),
        "path": rng.choice(PATHS),
        "port": rng.randint(32768, 60999),
        "pid": rng.randint(1000, 99999),
        "similarity": rng.uniform(0.3, 1),
        "oversized": rng.randint(33_000, 90_000),
        "erased": rng.randint(1024, 5000),
        "load_s": load_s,
        "micros": go_duration(micros_s),
        "latency": go_duration(total),
        "long_latency": go_duration(gave_up_s),
    }
    return values, duration.get(kind, total)


def batches(values: dict[str, object]) -> Iterator[dict[str, object]]:
    """The state after each batch of a prefill that took long enough to be reported."""
    cached, uncached, prompt = (int(str(values[name])) for name in ("cached", "uncached", "prompt"))
    for done in range(BATCH_TOKENS, uncached, BATCH_TOKENS):
        seconds, position = prefill_s(done, cached), cached + done
        if seconds > FIRST_PROGRESS_S:
            yield {
                "done": done,
                "seconds": seconds,
                "rate": done / seconds,
                "position": position,
                "share": position / prompt,
            }


def render(lines: list[str], rng: random.Random, kind: str, window_tokens: int) -> Block:
    """One variant of a block."""
    values, duration_s = draw(rng, kind, window_tokens)
    end_ms = math.ceil(duration_s * 1e3)
    moments = {"start": 0, "mid": end_ms // 2, "end": end_ms, "now": 0}
    names = values | {name: Marker(name, moments) for name in ("t", "gin", "gin_date", "unix")}
    names["task"] = "\x00task:0\x00"
    text = []
    for repeated, group in groupby(lines, key=lambda line: line.startswith("@batch ")):
        if not repeated:
            text += [line.format_map(names) for line in group]
            continue
        shapes = [line.removeprefix("@batch ") for line in group]
        text += [shape.format_map(names | state) for state in batches(values) for shape in shapes]
    return compile_block("\n".join(text) + "\n", end_ms, tasks=int(str(values["out"])) + 3)


def compile_block(text: str, duration_ms: int, tasks: int) -> Block:
    places = [(kind, int(offset)) for kind, offset in MARK.findall(text)]
    fields = tuple(dict.fromkeys(places))
    indices = [fields.index(place) for place in places]
    # itemgetter answers a bare item for one index: asking for a last, unused one would break the template.
    pick: Callable[[list[bytes]], tuple[bytes, ...]]
    pick = itemgetter(*indices) if len(indices) > 1 else lambda values: tuple(values[index] for index in indices)
    template = MARK.sub("\x00", text.replace("%", "%%")).replace("\x00", "%b").encode()
    return Block(template, fields, pick, duration_ms, tasks)


def read_template(path: Path) -> dict[str, tuple[int, list[str]]]:
    """Block name → (weight, lines)."""
    blocks: dict[str, tuple[int, list[str]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#: "):
            name, weight = line[3:].split()
            blocks[name] = (int(weight), [])
        else:
            blocks[name][1].append(line)
    return blocks


class Clock:
    """Prints moments in the server's zone; date and hour are worked out once an hour, the rest comes from tables."""

    def __init__(self, zone_s: int) -> None:
        self.zone_s = zone_s
        sign, rest = ("-" if zone_s < 0 else "+"), abs(zone_s) // 60
        self.suffix = b"Z" if zone_s == 0 else f"{sign}{rest // 60:02d}:{rest % 60:02d}".encode()
        self.hour = -1
        self.prefixes: dict[str, bytes] = {}

    def show(self, kind: str, at_ms: int) -> bytes:
        """The bytes of a stamp of one kind (t, gin, gin_date, unix) for a moment in Unix milliseconds."""
        seconds = at_ms // 1000
        if kind == "unix":
            return b"%d" % seconds
        seconds += self.zone_s
        if seconds // 3600 != self.hour:
            self._turn(seconds // 3600)
        shown = self.prefixes[kind] + MINUTE_SECOND[seconds % 3600]
        return shown + MILLIS[at_ms % 1000] + self.suffix if kind == "t" else shown

    def _turn(self, hour: int) -> None:
        local = datetime.fromtimestamp(hour * 3600, UTC)
        shapes = {"t": "%Y-%m-%dT%H:", "gin": "%Y/%m/%d - %H:", "gin_date": "%Y/%m/%d %H:"}
        self.hour = hour
        self.prefixes = {kind: local.strftime(shape).encode() for kind, shape in shapes.items()}


def write_era(rng: random.Random, era: Era, now_ms: int, want_bytes: int, counts: Counter[str]) -> Iterator[bytes]:
    """Blocks of one era until it holds `want_bytes`; `counts` learns which blocks were written."""
    recipes = read_template(TEMPLATES / era.template)
    variants = {
        kind: [render(lines, rng, kind, era.window_tokens) for _ in range(VARIANTS)]
        for kind, (_weight, lines) in recipes.items()
    }
    usual = [kind for kind in recipes if kind != "start"]
    weights = [recipes[kind][0] for kind in usual]
    clock, task, left, queue = Clock(era.zone_s), 0, want_bytes, ["load", "start"]
    while left > 0:
        if not queue:
            queue = rng.choices(usual, weights, k=500)
            if rng.random() < len(queue) / BLOCKS_PER_START:
                queue += ["load", "start"]
        kind = queue.pop()
        block = variants[kind][int(rng.random() * VARIANTS)]
        if kind == "load":
            now_ms, task = now_ms + IDLE_BEFORE_LOAD_S * 1000, 0
        values = [
            b"%d" % task if what == "task" else clock.show(what, now_ms + offset) for what, offset in block.fields
        ]
        text = block.text % block.pick(values)
        yield text
        counts[kind] += 1
        left -= len(text)
        task += block.tasks
        now_ms += block.duration_ms + int(rng.random() * 9000)
    counts["last_ms"] = now_ms


def make_log(path: Path, want_bytes: int, seed: int) -> dict[str, object]:
    """Write the log; answer what is in it: bytes, and blocks by era and kind."""
    rng = random.Random(seed)
    now_ms, written, summary = 0, 0, {}
    with path.open("wb") as file:
        for number, era in enumerate(ERAS, start=1):
            counts: Counter[str] = Counter()
            now_ms = max(now_ms + 60_000, int(era.first_day.timestamp() * 1000))
            batch, size = [], 0
            for text in write_era(rng, era, now_ms, want_bytes * number // len(ERAS) - written, counts):
                batch.append(text)
                size += len(text)
                if size >= WRITE_BYTES:
                    written += file.write(b"".join(batch))
                    batch, size = [], 0
            written += file.write(b"".join(batch))
            now_ms = counts.pop("last_ms", now_ms)
            summary[era.template.removesuffix(".txt")] = dict(sorted(counts.items()))
    return {"bytes": written, "seed": seed, "blocks": summary}


def parse_bytes(text: str) -> int:
    """`1GB`, `200 MiB`, `4096` → bytes."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG]I?B|)", text.strip().upper())
    if match is None:
        raise argparse.ArgumentTypeError(f"not a size: {text!r} (write 200MB, 1GB or 1GiB)")
    return int(float(match[1]) * UNITS[match[2]])


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a big, seeded Ollama server log.")
    parser.add_argument("path", type=Path)
    parser.add_argument("--bytes", type=parse_bytes, default=parse_bytes("1GB"), dest="want_bytes")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    json.dump(make_log(options.path, options.want_bytes, options.seed), sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
