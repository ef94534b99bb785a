"""What verdicts depend on beside the logs: the program, the rules, the catalogue. When it changes, a scan says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path

from investigator import __version__
from investigator.resources import rules_dir
from investigator.scan.book import Versions


def versions_of(rule_paths: Sequence[Path]) -> Versions:
    """Digests of the rules (built-in and the user's) and of the catalogue's data, by their bytes."""
    catalogue = Path(str(files("investigator.catalog")))
    return Versions(__version__, _digest([rules_dir(), *rule_paths]), _digest([catalogue]))


def _digest(paths: Iterable[Path]) -> str:
    digest = blake2b(digest_size=8)
    for path in paths:
        for file in sorted(path.rglob("*.y*ml")) if path.is_dir() else [path]:
            if file.is_file():
                digest.update(f"{file.name}\n".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()
