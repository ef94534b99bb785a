"""The HTML report: one static file, no script, no request, every text escaped."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from investigator.diagnosis.model import Diagnosis
from investigator.report.viewmodel import page


def render_html(diagnosis: Diagnosis) -> str:
    """The whole report as one HTML document. The same diagnosis gives the same bytes."""
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        _environment()
        .get_template("report.html.j2")
        .render(page=page(diagnosis), style=Markup(style), policy=Markup(policy))
    )


@cache
def _style() -> str:
    """Our own style sheet, the only text that reaches the page unescaped."""
    return files("investigator.report").joinpath("style.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    env = Environment(
        loader=PackageLoader("investigator.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.filters["grouped"] = lambda value: f"{value:,}"
    return env
