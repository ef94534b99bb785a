"""The logs that a fixture folder holds: everything in it but what was written about them."""

from __future__ import annotations

from pathlib import Path

#: Files of a fixture folder that are not logs.
NOT_LOGS = frozenset({"README.md", "expected.yaml"})


def log_paths(folder: Path) -> tuple[Path, ...]:
    """Files and folders in `folder` to be investigated, by name."""
    return tuple(sorted(path for path in folder.iterdir() if path.name not in NOT_LOGS and path.name[0] != "."))
