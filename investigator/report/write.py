"""Writes a finished report: whole or not at all, readable by its owner only."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from investigator.errors import DeliveryProblem


def write_report(path: Path | str, text: str | bytes) -> None:
    """Put `text` (UTF-8 with `\\n` line ends) or bytes at `path` with mode 0600, replacing what was there in one step.

    Raises DeliveryProblem when the folder is missing or may not be written to.
    """
    target = Path(path)
    temporary = None
    try:
        # mkstemp opens with O_EXCL and 0600: nobody can slip a link in between.
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8", "backslashreplace") if isinstance(text, str) else text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise DeliveryProblem(
            f"the report cannot be written: {error.strerror or error}",
            hint="choose another place with -o",
            path=target,
        ) from error
