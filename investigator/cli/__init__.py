"""The command line. One file per command: parse options, call the library, print. `main` is the program."""

from __future__ import annotations

import os

# Polars' allocator gives pages back almost at once; a reader that needs them again for the next chunk loses a sixth of
# its time on that. Read when Polars is first imported.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:5000,muzzy_decay_ms:5000")

from investigator.cli.program import main

__all__ = ["main"]
