"""Reports of a diagnosis in six formats. Deterministic; nothing here opens a log or a database."""

from __future__ import annotations

from investigator.report.html import render_html
from investigator.report.json_report import render_json
from investigator.report.junit import render_junit
from investigator.report.language import LANGUAGES
from investigator.report.markdown import render_markdown
from investigator.report.redact import REDACT, Leak, Redaction, scan
from investigator.report.redact_rules import gitleaks
from investigator.report.render import FORMATS, render
from investigator.report.sarif import render_sarif
from investigator.report.write import write_report

__all__ = [
    "FORMATS",
    "LANGUAGES",
    "REDACT",
    "Leak",
    "Redaction",
    "gitleaks",
    "render",
    "render_html",
    "render_json",
    "render_junit",
    "render_markdown",
    "render_sarif",
    "scan",
    "write_report",
]
