"""The report on paper: the HTML report printed by a Chromium that is already there. Nothing is downloaded."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from investigator.errors import DeliveryProblem

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
)
_LIMIT_S = 120
#: When it was printed, which a reproducible file must not tell: (D:20260218101022+00'00').
_DATE = re.compile(rb"(/(?:CreationDate|ModDate) \(D:)([0-9]+)")


def find_browser() -> str | None:
    """The first browser of BROWSERS on the path."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def print_pdf(html: str, browser: str | None = None) -> bytes:
    """The page as PDF. The same page and the same browser give the same bytes.

    Raises DeliveryProblem when there is no browser, or it does not print.
    """
    program = browser or find_browser()
    if program is None:
        raise DeliveryProblem(
            "a PDF needs Chromium, Chrome or Edge, and none was found",
            hint="install one, or write the HTML report and print it from any browser",
        )
    with tempfile.TemporaryDirectory(prefix="investigator-") as folder:
        page, paper = Path(folder, "report.html"), Path(folder, "report.pdf")
        page.write_text(html, encoding="utf-8", errors="backslashreplace")
        done = _run([program, *_options(folder), f"--print-to-pdf={paper}", page.as_uri()])
        if not paper.is_file():
            last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise DeliveryProblem(
                f"{Path(program).name} did not print the report: {' '.join(last) or f'exit code {done.returncode}'}",
                hint="write the HTML report and print it from any browser",
            )
        return _DATE.sub(lambda m: m[1] + b"0" * len(m[2]), paper.read_bytes())


def _options(folder: str) -> list[str]:
    options = ["--headless", "--disable-gpu", "--no-pdf-header-footer", f"--user-data-dir={folder}/profile"]
    options += ["--disable-background-networking", "--disable-component-update", "--no-first-run"]
    # The browser's sandbox refuses to run as root, as in most containers; the page has no script and asks for nothing.
    return options + (["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else [])


def _run(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(command, capture_output=True, timeout=_LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeliveryProblem(
            f"{Path(command[0]).name} did not print the report: {error}",
            hint="write the HTML report and print it from any browser",
        ) from error
