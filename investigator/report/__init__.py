"""Reports of a diagnosis: HTML, Markdown and JSON. Pure and deterministic; nothing here opens a log or a database."""

from __future__ import annotations

from investigator.report.html import render_html
from investigator.report.json_report import render_json
from investigator.report.markdown import render_markdown
from investigator.report.redact import REDACT, Leak, Redaction, scan
from investigator.report.write import write_report

__all__ = ["REDACT", "Leak", "Redaction", "render_html", "render_json", "render_markdown", "scan", "write_report"]
