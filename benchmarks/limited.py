"""Run cases of the corpus in a few processes, each case with a time limit that also ends native code."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue

from benchmarks.corpus import CaseResult, CorpusCase, failed, run_case

#: One thread per process: the processes share the cores already, and float sums stay the same everywhere.
_ENVIRONMENT = {"POLARS_MAX_THREADS": "1"}

Run = Callable[[CorpusCase], CaseResult]
Done = Callable[[CaseResult], None]


def run_cases(
    cases: Iterable[CorpusCase], jobs: int = 2, limit_s: float = 120.0, done: Done | None = None, run: Run = run_case
) -> list[CaseResult]:
    """Run each case; results in the order of `cases`. A case over `limit_s` or one that kills its process is an error.

    `run` must be importable by the processes. `done` is called with each result as it comes, from several threads.
    """
    ordered = list(cases)
    queue: SimpleQueue[tuple[int, CorpusCase]] = SimpleQueue()
    for item in enumerate(ordered):
        queue.put(item)
    results: dict[int, CaseResult] = {}

    def work() -> None:
        worker = _Worker(run, limit_s)
        try:
            while True:
                index, case = queue.get_nowait()
                results[index] = worker.run(case)
                if done is not None:
                    done(results[index])
        except Empty:
            pass
        finally:
            worker.stop()

    with ThreadPoolExecutor(jobs) as pool:
        for future in [pool.submit(work) for _ in range(jobs)]:
            future.result()
    return [results[index] for index in range(len(ordered))]


class _Worker:
    """A child process that runs one case after another, and is replaced when it hangs or dies."""

    def __init__(self, run: Run, limit_s: float) -> None:
        self._run, self._limit_s = run, limit_s
        self._start()

    def _start(self) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._run), daemon=True)
        self._process.start()
        theirs.close()
        self._pipe.recv()  # it is up: starting must not count against the first case

    def run(self, case: CorpusCase) -> CaseResult:
        begin = time.perf_counter()
        self._pipe.send(case)
        try:
            if self._pipe.poll(self._limit_s):
                result: CaseResult = self._pipe.recv()
                return result
            error = f"not done after {self._limit_s:g} s"
        except (EOFError, OSError):
            error = "the process died"
        self.stop()
        self._start()
        return failed(case, error, time.perf_counter() - begin)

    def stop(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _serve(pipe: Connection[CaseResult | None, CorpusCase], run: Run) -> None:
    os.environ.update(_ENVIRONMENT)
    pipe.send(None)
    while True:
        try:
            case = pipe.recv()
        except EOFError:
            return
        pipe.send(run(case))
