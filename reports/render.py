"""Renders an example report of every fixture, with an index: `make reports`.

`--check` writes nothing and tells which committed report differs from what would be rendered; `--screenshot FILE` makes
the picture in README.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

from investigator.cli.bundled import log_paths
from investigator.diagnosis.model import Diagnosis
from investigator.pipeline import builtin_rules, investigate
from investigator.report import render_html, scan, write_report
from investigator.report.clean import clean

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parent / "fixtures"
INDEX = "index.html"
CHROMIUM = "/usr/bin/chromium"

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Example reports</title>
<style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem }}</style>
<h1>Example reports</h1>
<p>Rendered from the logs below fixtures/ by reports/render.py.</p>
<dl>
{rows}</dl>
</html>
"""


def incidents() -> list[Path]:
    """Fixture folders with logs in them: those with an expected.yaml, by name."""
    return sorted(path.parent for path in FIXTURES.rglob("expected.yaml"))


def render() -> Iterator[tuple[str, str]]:
    """(file name, text) of every report, then of the index. The same fixtures give the same bytes."""
    rows, rules = [], builtin_rules()
    for folder in incidents():
        diagnosis = investigate(log_paths(folder), rules=rules)
        name = f"{folder.name}.html"
        text = render_html(diagnosis)
        if leaks := scan(text):
            raise SystemExit(f"{name}: holds what looks like a secret: {leaks[0].rule} in line {leaks[0].line_no}")
        yield name, text
        rows.append(_row(name, diagnosis))
    yield INDEX, _PAGE.format(rows="".join(rows))


def _row(name: str, diagnosis: Diagnosis) -> str:
    title = name.removesuffix(".html").replace("-", " ")
    sentence = clean(diagnosis)[0].verdict.sentence
    return f'<dt><a href="{escape(name)}">{escape(title)}</a>\n<dd>{escape(sentence)}\n'


def differing(folder: Path) -> list[str]:
    """Names of the reports in `folder` that are missing, outdated, or no longer made."""
    wrong, made = [], set()
    for name, text in render():
        made.add(name)
        path = folder / name
        if not path.is_file() or path.read_bytes() != text.encode("utf-8"):
            wrong.append(name)
    return wrong + sorted(path.name for path in folder.glob("*.html") if path.name not in made)


def screenshot(picture: Path) -> None:
    """The first screen of the founding incident's report as a PNG; needs Playwright and the system's Chromium."""
    from playwright.sync_api import sync_playwright

    report = picture.with_suffix(".html")
    picture.parent.mkdir(parents=True, exist_ok=True)
    write_report(report, render_html(investigate(log_paths(FIXTURES / "founding-incident"))))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1100, "height": 1000})
            page.goto(report.resolve().as_uri())
            page.screenshot(path=picture)
            browser.close()
    finally:
        report.unlink()


def main() -> int:
    """Write the reports into `--to` (default: this folder)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=HERE, help="folder to write to or to check")
    parser.add_argument("--screenshot", type=Path, help="write a picture of the founding report here instead")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    options = parser.parse_args()
    if options.check:
        wrong = differing(options.to)
        for name in wrong:
            print(f"{options.to / name}: differs; run make reports", file=sys.stderr)
        return 1 if wrong else 0
    if options.screenshot is not None:
        screenshot(options.screenshot)
        return 0
    options.to.mkdir(parents=True, exist_ok=True)
    for name, text in render():
        path = options.to / name
        write_report(path, text)
        path.chmod(0o644)  # examples are to be read by everybody
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
