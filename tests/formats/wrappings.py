"""Writes a log as each transport would: for every wrapping the bytes, and where each line of the bare log came to stand.

The clock of a transport starts at START and goes on 10 ms a line. Colours and other tools' lines are part of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

START = datetime(2026, 2, 18, 10, 0, 0, tzinfo=UTC)
DOCKER_PIECE = 16 * 1024
JOURNALD_PIECE = 48 * 1024


@dataclass(frozen=True)
class Wrapped:
    """line_no: for each bare line the line on which its record begins, from 1. neighbours: lines of other programs."""

    data: bytes
    line_no: list[int]
    neighbours: int = 0


Record = Callable[[bytes, datetime], bytes]


def at(n: int) -> datetime:
    return START + timedelta(milliseconds=10 * n)


def nanos(moment: datetime, zone: str = "Z") -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "789" + zone


def collect(lines: list[bytes], record: Record, before: bytes = b"") -> Wrapped:
    """One record per line; `before` are other programs' lines, each time before a line with a stamp of its own."""
    data, line_no, neighbours = bytearray(), [], 0
    done = 0
    for n, line in enumerate(lines):
        stamped = n % 2 == 0 and line.startswith((b"time=2", b"[GIN] "))
        front = before if stamped else b""
        written = record(line, at(n))
        line_no.append(done + front.count(b"\n") + 1)
        data += front + written
        done += (front + written).count(b"\n")
        neighbours += front.count(b"\n")
    return Wrapped(bytes(data), line_no, neighbours)


def prefixed(stamp: Callable[[datetime], str], program: str = "myhost ollama[1234]: ") -> Record:
    """journald's text forms: lines of more than 48 KiB are cut."""

    def record(line: bytes, moment: datetime) -> bytes:
        head = f"{stamp(moment)} {program}".encode()
        pieces = list(cut(line, JOURNALD_PIECE))
        return b"".join(head + piece + b"\n" for piece in pieces)

    return record


def cut(line: bytes, size: int) -> Iterator[bytes]:
    """Pieces of at most `size` bytes, at least one."""
    for start in range(0, max(len(line), 1), size):
        yield line[start : start + size]


BERLIN = timezone(timedelta(hours=1))


def short(moment: datetime) -> str:
    return moment.astimezone(BERLIN).strftime("%b %e %H:%M:%S")


def iso(moment: datetime) -> str:
    return moment.astimezone(BERLIN).strftime("%Y-%m-%dT%H:%M:%S%z")


def iso_colon(moment: datetime) -> str:
    return moment.astimezone(BERLIN).isoformat(timespec="seconds")


def iso_precise(moment: datetime) -> str:
    return moment.astimezone(BERLIN).strftime("%Y-%m-%dT%H:%M:%S.%f%z")


def full(moment: datetime) -> str:
    return moment.astimezone(BERLIN).strftime("%a %Y-%m-%d %H:%M:%S CET")


def chinese(moment: datetime) -> str:
    local = moment.astimezone(BERLIN)
    return f"{local.month}月 {local.strftime('%d %H:%M:%S')}"


def unix(moment: datetime) -> str:
    return f"{moment.timestamp():.6f}"


def monotonic(moment: datetime) -> str:
    return f"[{(moment - START).total_seconds() + 4242:12.6f}]"


def fields(moment: datetime) -> dict[str, str]:
    micros = int(moment.timestamp() * 1e6)
    return {
        "__CURSOR": f"s=abc;i={micros:x}",
        "__REALTIME_TIMESTAMP": str(micros),
        "__MONOTONIC_TIMESTAMP": "4242000000",
        "_BOOT_ID": "0123456789abcdef0123456789abcdef",
        "_TRANSPORT": "stdout",
        "_STREAM_ID": "00ff",
        "SYSLOG_IDENTIFIER": "ollama",
        "PRIORITY": "6",
        "_PID": "1234",
        "_SYSTEMD_UNIT": "ollama.service",
    }


def printable(line: bytes) -> bool:
    try:
        return all(c == "\t" or c.isprintable() for c in line.decode())
    except UnicodeDecodeError:
        return False


def journal_json(line: bytes, moment: datetime) -> bytes:
    out = b""
    pieces = list(cut(line, JOURNALD_PIECE))
    for n, piece in enumerate(pieces):
        entry: dict[str, object] = dict(fields(moment))
        entry["MESSAGE"] = piece.decode() if printable(piece) else list(piece)
        if n < len(pieces) - 1:
            entry["_LINE_BREAK"] = "line-max"
        out += json.dumps(entry, ensure_ascii=False).encode() + b"\n"
    return out


def journal_pretty(line: bytes, moment: datetime) -> bytes:
    entries = (json.loads(entry) for entry in journal_json(line, moment).splitlines())
    return b"".join(json.dumps(e, indent="\t", separators=(",", " : ")).encode() + b"\n" for e in entries)


def journal_export(line: bytes, moment: datetime) -> bytes:
    out = b""
    pieces = list(cut(line, JOURNALD_PIECE))
    for n, piece in enumerate(pieces):
        entry = [f"{key}={value}\n".encode() for key, value in fields(moment).items()]
        if n < len(pieces) - 1:
            entry.append(b"_LINE_BREAK=line-max\n")
        plain = b"MESSAGE=" + piece + b"\n"
        binary = b"MESSAGE\n" + len(piece).to_bytes(8, "little") + piece + b"\n"
        entry.insert(6, plain if printable(piece) else binary)
        out += b"".join(entry) + b"\n"
    return out


def stream_of(line: bytes) -> str:
    return "stdout" if b"[GIN]" in line else "stderr"


def docker_json(line: bytes, moment: datetime, piece_bytes: int = DOCKER_PIECE) -> bytes:
    out = b""
    pieces = list(cut(line + b"\n", piece_bytes))
    for piece in pieces:
        record = {"log": piece.decode("utf-8", "replace"), "stream": stream_of(line), "time": nanos(moment)}
        out += json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    return out


def docker_json_split(line: bytes, moment: datetime) -> bytes:
    # Small pieces, so that lines of ordinary length are split; only plain text can be cut anywhere.
    return docker_json(line, moment, 100 if line.isascii() else DOCKER_PIECE)


def docker_times(line: bytes, moment: datetime) -> bytes:
    return nanos(moment).encode() + b" " + line + b"\n"


def cri(line: bytes, moment: datetime) -> bytes:
    pieces = list(cut(line, 120))
    tags = ["P"] * (len(pieces) - 1) + ["F"]
    stamp, stream = nanos(moment, "+00:00"), stream_of(line)
    return b"".join(
        f"{stamp} {stream} {tag} ".encode() + piece + b"\n" for tag, piece in zip(tags, pieces, strict=True)
    )


def compose(line: bytes, moment: datetime) -> bytes:
    return b"ollama-1  | " + line + b"\n"


def compose_coloured(line: bytes, moment: datetime) -> bytes:
    return b"\x1b[36mollama-1  | \x1b[0m" + line + b"\n"


def compose_times(line: bytes, moment: datetime) -> bytes:
    return b"ollama-1  | " + docker_times(line, moment)


def kubectl(line: bytes, moment: datetime) -> bytes:
    return b"[pod/ollama-7c9d8b6f5-x2x4q/ollama] " + line + b"\n"


def kubectl_times(line: bytes, moment: datetime) -> bytes:
    return b"[pod/ollama-7c9d8b6f5-x2x4q/ollama] " + docker_times(line, moment)


def crlf(line: bytes, moment: datetime) -> bytes:
    return line + b"\r\n"


APP = b'app-1     | INFO:     172.19.0.7:41234 - "POST /v1/ask HTTP/1.1" 200 OK\n'
APP_COLOURED = b'\x1b[33mapp-1     | \x1b[0mINFO:     172.19.0.7:41234 - "POST /v1/ask HTTP/1.1" 200 OK\n'
SSHD = b"Feb 18 11:00:00 myhost sshd[77]: Accepted publickey for user from 192.0.2.7 port 50022\n"

WRAPPINGS: dict[str, Callable[[list[bytes]], Wrapped]] = {
    "journald short": lambda lines: collect(lines, prefixed(short)),
    "journald short, other programs between": lambda lines: collect(lines, prefixed(short), before=SSHD),
    "journald short, Chinese": lambda lines: collect(lines, prefixed(chinese)),
    "journald short, no host": lambda lines: collect(lines, prefixed(short, "ollama[1234]: ")),
    "journald short-iso": lambda lines: collect(lines, prefixed(iso)),
    "journald short-iso, +01:00": lambda lines: collect(lines, prefixed(iso_colon)),
    "journald short-iso-precise": lambda lines: collect(lines, prefixed(iso_precise)),
    "journald short-full": lambda lines: collect(lines, prefixed(full)),
    "journald with-unit": lambda lines: collect(lines, prefixed(full, "myhost ollama.service[1234]: ")),
    "journald short-unix": lambda lines: collect(lines, prefixed(unix)),
    "journald short-monotonic": lambda lines: collect(lines, prefixed(monotonic)),
    "journald cat": lambda lines: collect(lines, lambda line, _: line + b"\n"),
    "journald json": lambda lines: collect(lines, journal_json),
    "journald json-pretty": lambda lines: collect(lines, journal_pretty),
    "journald export": lambda lines: collect(lines, journal_export),
    "docker json-file": lambda lines: collect(lines, docker_json),
    "docker json-file, split": lambda lines: collect(lines, docker_json_split),
    "docker logs -t": lambda lines: collect(lines, docker_times),
    "compose": lambda lines: collect(lines, compose),
    "compose, other services between": lambda lines: collect(lines, compose, before=APP * 2),
    "compose, coloured": lambda lines: collect(lines, compose_coloured, before=APP_COLOURED),
    "compose -t": lambda lines: collect(lines, compose_times),
    "CRI": lambda lines: collect(lines, cri),
    "kubectl --prefix": lambda lines: collect(lines, kubectl),
    "kubectl --prefix --timestamps": lambda lines: collect(lines, kubectl_times),
    "kubectl --timestamps": lambda lines: collect(lines, docker_times),
    "CRLF": lambda lines: collect(lines, crlf),
}


def coloured(line: bytes) -> bytes:
    """An access line as a terminal gets it."""
    if not line.startswith(b"[GIN] "):
        return line
    parts = line.split(b"|")
    if len(parts) < 5:
        return line
    parts[1] = b"\x1b[97;42m" + parts[1] + b"\x1b[0m"
    return b"|".join(parts)
