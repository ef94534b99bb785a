"""The command line. One file per command: parse options, call the library, print. `main` is the program."""

from __future__ import annotations

from investigator.cli.program import main

__all__ = ["main"]
