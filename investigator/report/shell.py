"""What each page of ours is made in: strict templates, one style sheet, a policy that allows nothing else."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


class Sheet(NamedTuple):
    """The style sheet and the content policy with its hash: the only texts that reach a page unescaped."""

    style: Markup
    policy: Markup


@cache
def sheet(more: str = "") -> Sheet:
    """Our style sheet, and `more` rules of the page's own behind it."""
    style = files("investigator.report").joinpath("style.css").read_text(encoding="utf-8") + more
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return Sheet(Markup(style), Markup(policy))


def environment(package: str) -> Environment:
    """Templates of a package: everything is escaped, an unknown name is an error."""
    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
