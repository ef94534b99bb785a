"""Text in a tracker's own markup. What comes from outside stays text: no markup, link, mention, reference, command."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from investigator.report.markdown import code, fence, plain

_URL = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*):(?=//)|\bwww\.")
#: Names by which trackers link their own things in running text: `issue12`, `r12`, `commit:1a2b`, `GH-12`, `OPS-7`.
_LINKED = re.compile(
    r"(?i)\b(issue|msg|file|user|ticket|bug|node|r)(?=\d)"
    r"|\b(commit|document|attachment|source|export|version|project|news|forum|message|note|user)(?=:)"
)
_KEY = re.compile(r"\b([A-Z][A-Z0-9_]+)-(?=\d)")
_TEXTILE = re.compile(r"""[&<>*_@#\-+^~%?"'|!\[\]{}()=:\\]""")
_JIRA = re.compile(r"([\\{}\[\]*_?\-+^~|!#])")
_MARKER = re.compile(
    r"investigator:incident=([0-9a-zA-Z-]+) report=([0-9a-f]+) state=([^\n]*?)(?: -->|\}\}|\]|$)", re.M
)


@dataclass(frozen=True, slots=True)
class Marker:
    """What a text of ours says of itself, so that a later run knows it: which incident, which report, how it stood."""

    incident: str
    report: str
    state: str

    def __str__(self) -> str:
        state = re.sub(r"[^\w ·.,%/]", "", self.state)
        return f"investigator:incident={self.incident} report={self.report} state={state}"


def markers(text: str) -> list[Marker]:
    """The markers in a text as a tracker gives it back, in order."""
    # Jira escapes what it gives back.
    return [Marker(*found) for found in _MARKER.findall(text.replace("\\", ""))]


@dataclass(frozen=True, slots=True)
class Markup:
    """How a tracker writes. `text` makes foreign text harmless; the others take what `text` made, but for `block`."""

    name: str
    text: Callable[[str], str]
    strong: Callable[[str], str]
    heading: Callable[[str], str]
    items: Callable[[Sequence[str]], str]
    table: Callable[[Sequence[Sequence[str]]], str]
    inline: Callable[[str], str]
    block: Callable[[str], str]
    marker: Callable[[Marker], str]


def _flat(text: str) -> str:
    return " ".join(text.split())


def _unlinked(text: str) -> str:
    """Without addresses and names that a tracker would make a link of."""
    text = _URL.sub(lambda m: f"{m[1]}: " if m[1] else "www .", _flat(text))
    return _KEY.sub(r"\1 ", _LINKED.sub(lambda m: f"{m[0]} ", text))


def _markdown(text: str) -> str:
    # A line that begins with a slash is a command to GitLab.
    escaped = plain(_KEY.sub(r"\1 ", _LINKED.sub(lambda m: f"{m[0]} ", _flat(text))))
    return re.sub(r"^/", r"\\/", escaped)


def _plain(text: str) -> str:
    return re.sub(r"([@#])(?=[\w-])", r"\1 ", _unlinked(text))


def _textile(text: str) -> str:
    return _TEXTILE.sub(lambda m: f"&#{ord(m[0])};", _unlinked(text))


def _jira(text: str) -> str:
    return re.sub(r"([@])(?=\w)", r"\1 ", _JIRA.sub(r"\\\1", _unlinked(text)))


def _markdown_table(rows: Sequence[Sequence[str]]) -> str:
    head = f"|{'  |' * len(rows[0])}\n|{'---|' * len(rows[0])}"
    return "\n".join([head, *(f"| {' | '.join(row)} |" for row in rows)])


def _bars(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _columns(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"  {row[0]}: {' = '.join(row[1:])}" for row in rows)


def _stars(items: Sequence[str]) -> str:
    return "\n".join(f"* {item}" for item in items)


def _pre(text: str) -> str:
    return f"<pre>\n{re.sub(r'(?i)<(?=/?(pre|code))', '&lt;', text)}\n</pre>"


def _noformat(text: str) -> str:
    return "{noformat}\n" + text.replace("{noformat}", "{ noformat}") + "\n{noformat}"


def _indented(text: str) -> str:
    return "\n".join(f"    {_broken(line)}" for line in text.splitlines())


def _broken(line: str) -> str:
    """A line of a block in plain text, where trackers look for links as everywhere."""
    line = _URL.sub(lambda m: f"{m[1]}: " if m[1] else "www .", line)
    return re.sub(r"([@#])(?=[\w-])", r"\1 ", _LINKED.sub(lambda m: f"{m[0]} ", line))


MARKUPS = {
    "markdown": Markup(
        "markdown", _markdown, "**{}**".format, "## {}".format, lambda items: "\n".join(f"- {i}" for i in items),
        _markdown_table, code, fence, "<!-- {} -->".format,
    ),
    "textile": Markup(
        "textile", _textile, "*{}*".format, "h3. {}".format, _stars, _bars, _textile, _pre, "<!-- {} -->".format
    ),
    "jira": Markup(
        "jira", _jira, "*{}*".format, "h3. {}".format, _stars, _bars, _jira, _noformat,
        lambda marker: "{{" + str(marker) + "}}",
    ),
    "plain": Markup(
        "plain", _plain, "{}".format, "{}".format, lambda items: "\n".join(f"- {i}" for i in items), _columns, _plain,
        _indented, "[{}]".format,
    ),
}  # fmt: skip
