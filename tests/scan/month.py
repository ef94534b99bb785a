"""A month of six writers with every style of rotation, and a scan that is killed at chosen points."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

#: Reads the logs into the case; kills itself before the n-th statement that the database is given.
CHILD = """
import os, signal, sys
from pathlib import Path
from investigator.casefile.case import Case
from investigator.casefile.follow import follow

class Counted:
    def __init__(self, connection, at):
        self._connection, self._left = connection, at
    def execute(self, *arguments):
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return self._connection.execute(*arguments)
    def __getattr__(self, name):
        return getattr(self._connection, name)

case = Case(Path(sys.argv[1]))
case.connection = Counted(case.connection, int(sys.argv[3]))
follow([Path(sys.argv[2])], case, chunk_bytes=16384)
case.close()
"""


def scan(case: Path, logs: Path, kill_at: int = 0) -> int:
    """One scan in a process of its own; `kill_at`: the statement before which it kills itself, 0 for none."""
    return subprocess.run([sys.executable, "-c", CHILD, str(case), str(logs), str(kill_at)], check=False).returncode


@dataclass
class Writer:
    """A server that logs requests, numbered by their seconds. stops: it was killed in the middle of a line."""

    folder: Path
    name: str
    rotate: Callable[[Writer, int], None]
    random: random.Random
    second: int = 0
    written: list[bytes] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.folder / self.name

    def line(self) -> bytes:
        day, rest = divmod(self.second, 86_400)
        hour, minute, second = rest // 3600, rest // 60 % 60, rest % 60
        self.second += self.random.randrange(1, 400)
        latency = self.random.randrange(100, 90_000) / 1000
        return (
            f"[GIN] 2026/03/{day + 1:02} - {hour:02}:{minute:02}:{second:02} | 200 | {latency:12}s |  127.0.0.1 | "
            f'POST     "/api/{self.random.choice(["chat", "generate"])}"\n'
        ).encode()

    def night(self, night: int) -> None:
        """Some lines before the rotation, some after; now and then a line that is only half written."""
        self._write([self.line() for _ in range(self.random.randrange(20, 120))])
        if self.random.random() < 0.6:
            self.rotate(self, night)
        rest = [self.line() for _ in range(self.random.randrange(0, 60))]
        self._write(rest)
        if self.random.random() < 0.2:
            # Killed in mid-line; the server that starts next goes on right behind it.
            self._write([self.line()[: self.random.randrange(1, 60)]])

    def end(self) -> None:
        """A last whole line, after whatever was left unfinished."""
        self._write([b"\n", self.line()])

    def _write(self, lines: list[bytes]) -> None:
        data = b"".join(lines)
        self.written.append(data)
        with self.path.open("ab") as file:
            file.write(data)


def renamed(writer: Writer, night: int) -> None:
    """`server.log` becomes `server-1.log`, that becomes `server-2.log`; five are kept."""
    stem = writer.path.with_suffix("")
    _shift([Path(f"{stem}-{n}.log") for n in range(1, 6)], writer.path)


def numbered(writer: Writer, night: int) -> None:
    _shift([Path(f"{writer.path}.{n}") for n in range(1, 6)], writer.path)


def dated(writer: Writer, night: int) -> None:
    writer.path.rename(f"{writer.path}-202603{night + 1:02}")


def copied(writer: Writer, night: int) -> None:
    old = [Path(f"{writer.path}.{n}") for n in range(1, 6)]
    for source, target in zip(reversed(old[:-1]), reversed(old[1:]), strict=True):
        if source.exists():
            source.replace(target)
    shutil.copy2(writer.path, old[0])
    os.truncate(writer.path, 0)


def packed(writer: Writer, night: int) -> None:
    """The last but one is packed, the last stays plain."""
    old = [Path(f"{writer.path}.{n}.gz") for n in range(2, 7)]
    first = Path(f"{writer.path}.1")
    for source, target in zip(reversed(old[:-1]), reversed(old[1:]), strict=True):
        if source.exists():
            source.replace(target)
    if first.exists():
        old[0].write_bytes(gzip.compress(first.read_bytes(), mtime=0))
    writer.path.replace(first)


def never(writer: Writer, night: int) -> None:
    """It grows."""


STYLES: tuple[Callable[[Writer, int], None], ...] = (renamed, numbered, dated, copied, packed, never)


def _shift(old: list[Path], current: Path) -> None:
    for source, target in zip(reversed(old[:-1]), reversed(old[1:]), strict=True):
        if source.exists():
            source.replace(target)
    current.replace(old[0])


def writers(folder: Path, seed: int) -> list[Writer]:
    """Six servers, each in a folder of its own, each with its style."""
    made = []
    for number, style in enumerate(STYLES):
        place = folder / style.__name__
        place.mkdir(parents=True)
        made.append(Writer(place, "server.log", style, random.Random(seed * 100 + number)))
    return made
