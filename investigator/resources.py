"""Where the built-in rules and the bundled logs are: in an installed wheel or in a checkout."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from platformdirs import user_cache_path

from investigator.errors import InputProblem

DEMO = "founding-incident"


def rules_dir() -> Path:
    """Folder of the built-in rule pack. Raises InputProblem when the installation is damaged."""
    return _find("rules")


def cache_dir() -> Path:
    """Folder of what may be made anew at any time; it need not exist or be writable."""
    return user_cache_path("investigator", appauthor=False)


def fixture_dir(name: str = DEMO) -> Path:
    """Folder of a bundled incident; a wheel carries the demo's only, a checkout all of them."""
    return _find(f"fixtures/{name}")


def _find(relative: str) -> Path:
    package = files("investigator")
    if not isinstance(package, Path):
        raise InputProblem(
            "investigator is running from an archive, its data files are not on disk",
            hint="install it unpacked: pip install investigator",
        )
    # The wheel's copy first: an installed package must never pick up a folder that happens to lie beside it.
    for candidate in (package / "_data" / relative, *_checkout(package, relative)):
        if candidate.is_dir():
            return candidate
    raise InputProblem(
        f"the bundled folder {relative} is missing",
        hint="reinstall the package: pip install --force-reinstall investigator",
    )


def _checkout(package: Path, relative: str) -> list[Path]:
    root = package.parent
    return [root / relative] if (root / "pyproject.toml").is_file() else []
