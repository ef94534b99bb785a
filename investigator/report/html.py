"""The HTML report: one static file, no script, no request, every text escaped."""

from __future__ import annotations

import re
from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from investigator.diagnosis.model import Diagnosis
from investigator.report.language import _, figures, speaking
from investigator.report.redact import REDACT, Redaction
from investigator.report.shell import environment, sheet
from investigator.report.viewmodel import CAPS, page

#: A report stays below this; trackers refuse or show only in part what is larger.
MAX_BYTES = 2_000_000


def render_html(diagnosis: Diagnosis, redaction: Redaction = REDACT, lang: str = "en") -> str:
    """The whole report as one HTML document below MAX_BYTES. The same diagnosis gives the same bytes.

    A case that would be larger loses its lowest-ranked incidents and evidence, and the page says how many.
    """
    template = _environment().get_template("report.html.j2")
    style, policy = sheet()
    html = ""
    for caps in CAPS:
        with speaking(lang):
            view = page(diagnosis, caps, redaction)
            html = template.render(page=view, style=style, policy=policy, lang=lang)
        if len(html.encode()) < MAX_BYTES:
            break
    return html


def _prose(text: str) -> Markup:
    """A rule's text with what stands between backticks as code; everything in it is escaped."""
    parts = re.split(r"`([^`\n]+)`", text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else _kept(part) for number, part in enumerate(parts)
    )


#: A space that must not end a line: between a number and its unit, and between the parts of a duration.
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:s|ms|min|h|d|GiB|MiB|KiB|%)(?![\w/]))")
_INSIDE_DURATION = re.compile("(?<=\\d)(\u00a0(?:min|h|d)) (?=\\d)")


def _kept(text: str) -> str:
    """The same words; lines do not break before a unit."""
    return _INSIDE_DURATION.sub("\\1\u00a0", _BEFORE_UNIT.sub("\u00a0", text))


@cache
def _environment() -> Environment:
    env = environment("investigator.report")
    env.filters["prose"] = _prose
    env.filters["kept"] = _kept
    env.filters["grouped"] = lambda value: figures(f"{value:,}")
    env.globals["_"] = _
    return env
