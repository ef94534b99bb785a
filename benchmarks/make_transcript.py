"""Write a big agent transcript: seeded, one session after another, in the proportions of real ones.

    python benchmarks/make_transcript.py big.jsonl --bytes 1GB --seed 7 --agent claude-code

Standard library only. Nearly all bytes are tool results and answers: texts of some hundred to some ten thousand
characters, with the quotes and newlines that source code has. Ids are unique, times rise.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

WRITE_BYTES = 4 << 20
#: Texts are cut from one long pool: making each afresh would take longer than reading it.
POOL_CHARS = 1 << 20
TURNS_PER_SESSION = 120
WORDS = (
    "return",
    "stock",
    "price",
    '"order"',
    "\n    if",
    "self.",
    "= 0",
    "margin",
    "\n",
    "\\d+",
    "für",
    "count",
    "\t",
)
FIRST_DAY = datetime(2026, 11, 1, tzinfo=UTC)

Line = dict[str, object]


def parse_bytes(text: str) -> int:
    """1GB, 200MB, 64MiB or a plain number, in bytes."""
    units = {"GB": 10**9, "MB": 10**6, "KB": 10**3, "GIB": 2**30, "MIB": 2**20, "KIB": 2**10}
    upper = text.upper()
    unit = next((name for name in ("GIB", "MIB", "KIB", "GB", "MB", "KB") if upper.endswith(name)), "")
    return int(float(upper.removesuffix(unit)) * units.get(unit, 1))


class Texts:
    """Cuts of a pool of code-like text."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.pool = " ".join(rng.choice(WORDS) for _ in range(POOL_CHARS // 6))

    def cut(self, typical: int) -> str:
        """A text whose length is spread widely around `typical` characters."""
        length = min(int(self.rng.lognormvariate(0, 1) * typical), len(self.pool) // 2)
        start = self.rng.randrange(len(self.pool) - length)
        return self.pool[start : start + length]


def claude_session(rng: random.Random, texts: Texts, number: int) -> Iterator[Line]:
    """The records of one Claude Code session: prompt, then calls and tool results in turn."""
    at = FIRST_DAY + timedelta(hours=number)
    session = f"{rng.getrandbits(128):032x}"
    parent: str | None = None
    tokens = 18_000
    for turn in range(TURNS_PER_SESSION):
        for role in ("user", "assistant"):
            at += timedelta(seconds=rng.uniform(0.2, 30))
            uuid = f"{rng.getrandbits(128):032x}"
            record: Line = {
                "parentUuid": parent,
                "isSidechain": False,
                "userType": "external",
                "cwd": "/home/u/p",
                "sessionId": session,
                "version": "2.1.330",
                "gitBranch": "main",
                "type": role,
                "uuid": uuid,
                "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            }
            if role == "user":
                text = texts.cut(3000)
                tokens += len(text) // 4
                result = {"tool_use_id": f"toolu_{turn}", "type": "tool_result", "content": text}
                content: object = [result] if turn else texts.cut(300)
                record["message"] = {"role": "user", "content": content}
                record["toolUseResult"] = {"stdout": text, "stderr": "", "interrupted": False}
            else:
                record["message"] = {
                    "id": f"msg_{uuid}",
                    "type": "message",
                    "role": "assistant",
                    "model": "qwen3-coder:30b",
                    "content": [{"type": "text", "text": texts.cut(600)}],
                    "stop_reason": "tool_use",
                    "usage": {
                        "input_tokens": tokens,
                        "cache_read_input_tokens": 0,
                        "output_tokens": rng.randrange(900),
                    },
                }
            parent = uuid
            yield record


def pi_session(rng: random.Random, texts: Texts, number: int) -> Iterator[Line]:
    """The records of one pi session."""
    at = FIRST_DAY + timedelta(hours=number)
    stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    yield {"type": "session", "version": 3, "id": f"{rng.getrandbits(64):016x}", "timestamp": stamp, "cwd": "/home/u/p"}
    parent, tokens = None, 18_000
    for _ in range(TURNS_PER_SESSION):
        for role in ("toolResult", "assistant"):
            begin = at
            at += timedelta(seconds=rng.uniform(0.2, 30))
            text = texts.cut(3000 if role == "toolResult" else 600)
            message: Line = {"role": role, "content": [{"type": "text", "text": text}]}
            if role == "assistant":
                usage = {"input": tokens, "output": rng.randrange(900), "cacheRead": 0, "cacheWrite": 0}
                who = {"api": "openai-completions", "provider": "ollama", "model": "qwen3-coder:30b"}
                message |= {**who, "usage": usage, "stopReason": "toolUse", "timestamp": int(begin.timestamp() * 1000)}
            tokens += len(text) // 4
            identity = f"{rng.getrandbits(32):08x}"
            stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            yield {"type": "message", "id": identity, "parentId": parent, "timestamp": stamp, "message": message}
            parent = identity


AGENTS: dict[str, Callable[[random.Random, Texts, int], Iterator[Line]]] = {
    "claude-code": claude_session,
    "pi": pi_session,
}


def make_transcript(path: Path, want_bytes: int, seed: int, agent: str) -> None:
    """Write whole sessions until the file has at least `want_bytes`."""
    rng = random.Random(seed)
    texts, written, number = Texts(rng), 0, 0
    with path.open("wb") as file:
        while written < want_bytes:
            for record in AGENTS[agent](rng, texts, number):
                line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
                written += file.write(line)
                if written >= want_bytes:
                    break
            number += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--bytes", default="100MB", help="size of the file: 1GB, 200MB, 64MiB")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--agent", choices=sorted(AGENTS), default="claude-code")
    chosen = parser.parse_args()
    make_transcript(chosen.path, parse_bytes(chosen.bytes), chosen.seed, chosen.agent)


if __name__ == "__main__":
    main()
