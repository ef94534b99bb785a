"""Find the files that an investigation is to read: files, folders (recursive), globs, standard input."""

from __future__ import annotations

import glob
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from investigator.sources.bundles import MARK, is_bundle_name, looks_like_bundle, members
from investigator.sources.rotation import rotation_key

ProblemKind = Literal[
    "missing", "unreadable", "no_files", "empty", "not_recognised", "unsupported", "damaged", "duplicate"
]

STDIN = "-"

#: Folders that hold nothing to read and much to walk.
_SKIPPED_FOLDERS = frozenset({".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may be a log.

    path: as shown to users, '/'-separated, relative to the inputs' common root.
    location: where it is. named: the user named this very file, so that not understanding it is worth a message.
    """

    path: str
    location: Path
    named: bool


@dataclass(frozen=True, slots=True)
class SourceProblem:
    """An input, or a part of one, that could not be used. `harmless`: it does not make the result incomplete."""

    path: str
    kind: ProblemKind
    message: str
    harmless: bool = False


@dataclass(frozen=True, slots=True)
class Discovery:
    candidates: tuple[Candidate, ...]
    problems: tuple[SourceProblem, ...]


def discover(
    inputs: Sequence[str | Path],
    stdin: BinaryIO | None = None,
    *,
    named: bool = True,
    skip: Callable[[Path], bool] | None = None,
) -> Discovery:
    """Expand `inputs` into files, in a stable order and each once; a rotated set stands together, the oldest first.

    A folder is walked with its hidden files; `-` is standard input, spooled to a temporary file that lives until the
    process ends. What cannot be found or opened becomes a problem; nothing raises. `named` False: the inputs were found
    by the program, so none of them is owed a message. Files that `skip` knows are left out before they are opened.
    """
    found: dict[Path, bool] = {}
    problems: list[SourceProblem] = []
    roots: list[Path] = []
    spooled: list[Candidate] = []
    for given in inputs:
        if str(given) == STDIN:
            spooled.append(Candidate("stdin", _spool(stdin or sys.stdin.buffer), True))
            continue
        for path in _expand(str(given), problems):
            roots.append(path if path.is_dir() else path.parent)
            for file in _files(path, problems):
                if skip is None or not skip(file):
                    found[file] = found.get(file, False) or (named and not path.is_dir())
    root = Path(os.path.commonpath(roots)) if roots else Path()
    candidates = [Candidate(_shown(file, root), file, named) for file, named in found.items()] + spooled
    opened = [inner for candidate in candidates for inner in _opened(candidate, problems)]
    return Discovery(tuple(sorted(opened, key=lambda c: rotation_key(c.path))), tuple(problems))


def _opened(candidate: Candidate, problems: list[SourceProblem]) -> list[Candidate]:
    """The members of a bundle; of another file itself."""
    if not looks_like_bundle(candidate.location, named=candidate.named):
        return [candidate]
    try:
        found = members(candidate.location)
    except OSError as error:
        problems.append(SourceProblem(candidate.path, "damaged", f"the bundle cannot be read: {error}"))
        return []
    inner = []
    for member in found:
        path = f"{candidate.path}{MARK}{member.name}"
        if is_bundle_name(member.name):
            message = "a bundle inside a bundle is not opened; unpack it and name it"
            problems.append(SourceProblem(path, "unsupported", message, harmless=True))
        else:
            inner.append(Candidate(path, member.location, named=False))
    if not found:
        problems.append(SourceProblem(candidate.path, "no_files", "the bundle holds no files"))
    return inner


def _expand(given: str, problems: list[SourceProblem]) -> list[Path]:
    path = Path(given).expanduser()
    if path.exists():
        return [Path(os.path.abspath(path))]
    matches = sorted(glob.glob(os.path.expanduser(given), recursive=True, include_hidden=True))
    if not matches:
        problems.append(
            SourceProblem(given, "missing", "no such file or folder; check the path or the quoting of the pattern")
        )
    return [Path(os.path.abspath(match)) for match in matches]


def _files(path: Path, problems: list[SourceProblem]) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    empty = True
    for folder, names, files in os.walk(path, onerror=lambda error: problems.append(_unreadable(error))):
        names[:] = sorted(name for name in names if name not in _SKIPPED_FOLDERS)
        for name in sorted(files):
            file = Path(folder, name)
            if file.is_file():
                empty = False
                yield file
    if empty:
        problems.append(SourceProblem(str(path.name), "no_files", "the folder holds no files"))


def _unreadable(error: OSError) -> SourceProblem:
    return SourceProblem(
        str(error.filename), "unreadable", f"cannot be opened: {error.strerror}; check its permissions"
    )


def _shown(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix()


def _spool(stream: BinaryIO) -> Path:
    # A file, not memory: standard input may be larger than that, and evidence is fetched from it later.
    with tempfile.NamedTemporaryFile(prefix="investigator-stdin-", delete=False) as spool:
        shutil.copyfileobj(stream, spool, 1024 * 1024)
    return Path(spool.name)
