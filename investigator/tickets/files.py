"""The files that go along: the report in the forms that trackers take, and the timeline as a picture."""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from investigator.tickets.model import File

#: Where fonts are; without one a picture would have no words in it.
_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "C:/Windows/Fonts")
#: Fixed time in archives: the same report gives the same bytes.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def digest(data: bytes) -> str:
    """Short name of a report's content."""
    return hashlib.sha256(data).hexdigest()[:8]


def stem(fingerprint: str, report: str) -> str:
    """How the files of a report are called, whatever their form: by this they are known again."""
    return f"investigator-{fingerprint}-{report}"


def _html(name: str, text: str) -> File:
    return File(f"{name}.html", "text/html", text.encode("utf-8", "surrogatepass"), text)


def _gz(name: str, text: str) -> File:
    data = gzip.compress(_html(name, text).data, mtime=0)
    return File(f"{name}.html.gz", "application/gzip", data, text)


def _zip(name: str, text: str) -> File:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(f"{name}.html", _ZIP_TIME), _html(name, text).data, zipfile.ZIP_DEFLATED)
    return File(f"{name}.zip", "application/zip", packed.getvalue(), text)


#: In the order in which they are tried.
FORMS: tuple[Callable[[str, str], File], ...] = (_html, _gz, _zip)


def picture(name: str, svg: str) -> File | None:
    """The timeline as PNG; None without the extra `png`, a font or a timeline."""
    if not svg or not _fonts():
        return None
    try:
        import resvg_py
    except ImportError:
        return None
    whole = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    try:
        data = resvg_py.svg_to_bytes(svg_string=whole, background="#fcfcfb", zoom=2.0)
    except ValueError:
        return None
    return File(f"{name}-timeline.png", "image/png", bytes(data), svg)


@cache
def _fonts() -> bool:
    return any(
        next(Path(folder).rglob("*.[to]tf"), None) is not None for folder in _FONT_FOLDERS if Path(folder).is_dir()
    )
