"""Renders an example report of every fixture, with an index: `make reports`.

`--check` writes nothing and tells which committed report differs from what would be rendered; `--screenshot FILE` makes
the picture in README.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from jinja2 import Environment

from investigator.cli.bundled import log_paths
from investigator.diagnosis.model import Diagnosis
from investigator.pipeline import builtin_rules, investigate
from investigator.report import render_html, scan, write_report
from investigator.report.clean import clean

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parent / "fixtures"
INDEX = "index.html"
CHROMIUM = "/usr/bin/chromium"

#: Heading → whether a fixture's folder belongs below it.
_GROUPS = (("Incidents seen from both sides", False), ("Short logs and pasted texts", True))

_NAMES = {"aider": "Aider", "cpu": "CPU", "gpu": "GPU", "opencode": "OpenCode"}


def incidents() -> list[Path]:
    """Fixture folders with logs in them: those with an expected.yaml, by name."""
    return sorted(path.parent for path in FIXTURES.rglob("expected.yaml"))


def render() -> Iterator[tuple[str, str]]:
    """(file name, text) of every report, then of the index. The same fixtures give the same bytes."""
    rules = builtin_rules()
    shown: list[tuple[Path, Diagnosis]] = []
    for folder in incidents():
        diagnosis = investigate(log_paths(folder), rules=rules)
        text = render_html(diagnosis)
        if leaks := scan(text):
            raise SystemExit(
                f"{folder.name}: holds what looks like a secret: {leaks[0].rule} in line {leaks[0].line_no}"
            )
        yield f"{folder.name}.html", text
        shown.append((folder, diagnosis))
    yield INDEX, render_index(shown)


def render_index(found: Sequence[tuple[Path, Diagnosis]]) -> str:
    """The page that links all others. `found`: folder and diagnosis of each fixture, by name."""
    shown = [(folder, clean(diagnosis)[0]) for folder, diagnosis in found]
    causes = {first for _, diagnosis in shown if (first := _first_cause(diagnosis))}
    groups = [
        (heading, [_row(folder.name, diagnosis) for folder, diagnosis in shown if (folder.parent != FIXTURES) == short])
        for heading, short in _GROUPS
    ]
    environment = Environment(autoescape=True, trim_blocks=True, keep_trailing_newline=True)
    template = environment.from_string((HERE / "index.html.j2").read_text(encoding="utf-8"))
    return template.render(groups=groups, count=len(shown), causes=len(causes))


def _first_cause(diagnosis: Diagnosis) -> str | None:
    return next((incident.cause for incident in diagnosis.incidents if incident.cause), None)


def _row(name: str, diagnosis: Diagnosis) -> dict[str, str | None]:
    title = name.replace("claude-code", "Claude-Code").replace("-", " ")
    title = " ".join(_NAMES.get(word, word) for word in title.split())
    sentence, cause = diagnosis.verdict.sentence, _first_cause(diagnosis)
    return {"name": name, "title": title[:1].upper() + title[1:], "sentence": sentence, "cause": cause}


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
            page.screenshot(path=picture, scale="css")
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
