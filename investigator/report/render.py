"""Every format behind one call: what a command line or a delivery asks for by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from investigator.diagnosis.model import Diagnosis
from investigator.errors import DeliveryProblem
from investigator.report.html import render_html
from investigator.report.json_report import render_json
from investigator.report.junit import render_junit
from investigator.report.markdown import render_markdown
from investigator.report.pdf import print_pdf
from investigator.report.redact import REDACT, Redaction, scan
from investigator.report.sarif import render_sarif

_RENDERERS: Mapping[str, Callable[..., str]] = {
    "html": render_html,
    "md": render_markdown,
    "json": render_json,
    "sarif": render_sarif,
    "junit": render_junit,
    "pdf": render_html,
}
FORMATS = tuple(_RENDERERS)
#: Formats for people; the others are for programs and stay English.
_READ = ("html", "md", "pdf")


def render(diagnosis: Diagnosis, format_: str, redaction: Redaction = REDACT, lang: str = "en") -> bytes:
    """The report in one of FORMATS, as the bytes of a file. What people read comes in `lang`, one of LANGUAGES.

    Raises DeliveryProblem when the finished text still holds what looks like a secret (unless redaction is off), or
    when a PDF cannot be printed.
    """
    renderer = _RENDERERS[format_]
    text = renderer(diagnosis, redaction, lang) if format_ in _READ else renderer(diagnosis, redaction)
    leaks = scan(text, redaction.extra) if redaction.on else []
    if leaks:
        places = ", ".join(f"{leak.rule} in line {leak.line_no}" for leak in leaks[:5])
        raise DeliveryProblem(f"the report was held back, it still holds what looks like a secret: {places}")
    return print_pdf(text) if format_ == "pdf" else text.encode("utf-8", "backslashreplace")
