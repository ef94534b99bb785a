"""The child process in which foreign rules are evaluated: `python -m investigator.rulebook.sandbox_child`.

It reads its task from standard input and writes one answer per rule to standard output: the rule's id first, so that
the parent knows which rule was at work if this process is killed, then its evaluation.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import duckdb
import msgspec

from investigator.rulebook.evaluate import Evaluation, evaluate, failed_evaluation
from investigator.rulebook.load import load_rules
from investigator.rulebook.pack import RuleSet

#: Seconds of computing that a query may take to notice its interruption, before the process ends itself.
GRACE_S = 5.0


class Task(msgspec.Struct):
    """`params`: values of parameters by rule; `rule_s`: seconds of computing for one rule."""

    case: str
    files: list[str]
    params: dict[str, dict[str, bool | int | float | str]]
    rule_s: float
    memory_bytes: int
    cpu_s: int


def main() -> None:
    """Answer the task on standard input."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    limit(task.memory_bytes, task.cpu_s)
    # The answers' pipe; nothing here is for a terminal.
    answers = open(1, "wb", closefd=False)  # noqa: SIM115
    rules = load_rules([Path(file) for file in task.files], with_tests=False)
    with locked(task.case, task.memory_bytes // 2) as con:
        for compiled in rules.rules:
            _write(answers, ("begin", compiled.id))
            one = RuleSet((compiled,)).with_params(compiled.id, task.params.get(compiled.id, {}))
            found, stopped = _evaluation(con, one, task.rule_s)
            _write(answers, ("end", compiled.id, found))
            if stopped:
                # whatever the interrupted query left behind, the next rule starts in a fresh process
                _write(answers, ("again", compiled.id))
                os._exit(0)


def limit(memory_bytes: int, cpu_s: int) -> None:
    """Limits of the operating system; where it has none (Windows) the parent's clock remains."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextlib.contextmanager
def locked(path: str, memory_bytes: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that can read this one file and do nothing else."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": "false",
        "python_enable_replacements": "false",
        "autoload_known_extensions": "false",
        "temp_directory": "",
        "memory_limit": f"{memory_bytes}B",
        "threads": "1",
    }
    con = duckdb.connect(path, read_only=True, config=config)
    try:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("SET lock_configuration = true")
        yield con
    finally:
        con.close()


def _evaluation(con: duckdb.DuckDBPyConnection, one: RuleSet, rule_s: float) -> tuple[Evaluation, bool]:
    watch = _Watch(con, rule_s)
    watch.start()
    try:
        found = evaluate(con, one)
    except (duckdb.Error, MemoryError) as error:
        found = failed_evaluation(one, str(error).splitlines()[0] if str(error) else "out of memory")
    finally:
        watch.over.set()
    if watch.stopped:
        return failed_evaluation(one, f"stopped after {rule_s:g} s"), True
    return found, False


class _Watch(threading.Thread):
    """Interrupts a query that has computed for too long, and ends the process when that does not help.

    Computing time counts, so that a busy machine stops no honest rule; the parent's clock covers one that only waits.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, rule_s: float) -> None:
        super().__init__(daemon=True)
        self._con, self._rule_s = con, rule_s
        self._began = time.process_time()
        self.over, self.stopped = threading.Event(), False

    def run(self) -> None:
        while not self.over.wait(0.05):
            used_s = time.process_time() - self._began
            if used_s > self._rule_s:
                self.stopped = True
                self._con.interrupt()
            if used_s > self._rule_s + GRACE_S:
                os._exit(3)


def _write(out: IO[bytes], message: object) -> None:
    data = pickle.dumps(message)
    out.write(len(data).to_bytes(8, "big") + data)
    out.flush()


if __name__ == "__main__":
    main()
