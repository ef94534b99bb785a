"""SQL lives in files of its own, beside the modules that run it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files


def sql_reader(package: str, folder: str = "") -> Callable[[str], str]:
    """What gives the text of `<name>.sql` in a package, or in this folder of it; each file is read once."""

    @cache
    def read(name: str) -> str:
        return files(package).joinpath(folder, f"{name}.sql").read_text(encoding="utf-8")

    return read
