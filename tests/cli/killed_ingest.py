"""The program, killed by itself at a chosen moment: `python killed_ingest.py MOMENT N ARG…`.

MOMENT: before | inside | after the writing of the N-th chunk. Chunks are small, so that a short log has many.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

from investigator.casefile import ingest as ingest_module
from investigator.casefile import source_row, writer
from investigator.cli import main

CHUNK_BYTES = 2048


def deadly(wrapped: Callable[..., Any], moment: str, number: int) -> Callable[..., Any]:
    calls = count(1)

    def call(*args: Any, **kwargs: Any) -> Any:
        last = next(calls) == number
        if last and moment != "after":
            os.kill(os.getpid(), signal.SIGKILL)
        result = wrapped(*args, **kwargs)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return call


def arm(moment: str, number: int) -> None:
    ingest_module.ingest.__defaults__ = (None, CHUNK_BYTES)
    # Each chunk in a transaction of its own.
    writer.COMMIT_BYTES = 1
    if moment == "inside":
        # Facts of one chunk go to several tables: between two of them the transaction is open.
        source_row.insert_frame = deadly(source_row.insert_frame, moment, number)  # type: ignore[attr-defined]
    elif moment in ("before", "after"):
        writer.write_chunk = deadly(writer.write_chunk, moment, number)  # type: ignore[attr-defined]


if __name__ == "__main__":
    arm(sys.argv[1], int(sys.argv[2]))
    main(sys.argv[3:], prog_name="investigator")
