"""Smaller versions of a report for trackers that refuse the whole one: what is ranked lowest goes first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from html.parser import HTMLParser

#: What is left out, step by step: ids of sections, or their ends after a `-`.
_STEPS = (
    ("evidence",),
    ("rules", "coverage", "assumptions", "problems", "-machines"),
    ("-tokens", "-curve", "-memory", "-hypotheses", "-tries"),
    ("-timeline", "-help"),
)
_OPEN_LINK = re.compile(r'<a href="#([^"]+)"([^>]*)>(.*?)</a>', re.DOTALL)


def smaller(html: str) -> Iterator[str]:
    """Ever smaller versions of a report, each a whole page that says what it lacks."""
    gone: list[str] = []
    for step in _STEPS:
        spans = _spans(html, step)
        if not spans:
            continue
        gone += [name for name, _, _ in spans]
        for _, start, end in reversed(spans):
            html = html[:start] + html[end:]
        yield _noted(_without_dead_links(html), gone)


def _noted(html: str, gone: list[str]) -> str:
    names = ", ".join(dict.fromkeys(re.sub(r"^i\d+-", "", name) for name in gone))
    note = f'<p class="note" role="note">Trimmed to what the tracker takes; left out: {escape(names)}.</p>'
    return html.replace('<main id="main">', f'<main id="main">\n{note}', 1)


def _without_dead_links(html: str) -> str:
    """Links to what was left out become text."""
    there = set(re.findall(r'\bid="([^"]+)"', html))
    return _OPEN_LINK.sub(lambda m: m[0] if m[1] in there else f"<span{m[2]}>{m[3]}</span>", html)


def _spans(html: str, names: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """(id, start, end) of the sections and figures to leave out, in order."""
    finder = _Finder(html, names)
    finder.feed(html)
    finder.close()
    return finder.found


class _Finder(HTMLParser):
    def __init__(self, html: str, names: tuple[str, ...]) -> None:
        super().__init__()
        self._names = names
        self._lines = [0]
        for line in html.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))
        self._depth: dict[str, int] = {"section": 0, "figure": 0}
        self._open: tuple[str, str, int, int] | None = None
        self.found: list[tuple[str, int, int]] = []

    def _at(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self._depth:
            return
        self._depth[tag] += 1
        id_ = dict(attrs).get("id") or ""
        if self._open is None and any(id_ == n or (n[0] == "-" and id_.endswith(n)) for n in self._names):
            self._open = (id_, tag, self._depth[tag], self._at())

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._depth:
            return
        if self._open is not None and self._open[1:3] == (tag, self._depth[tag]):
            id_, _, _, start = self._open
            self.found.append((id_, start, self._at() + len(f"</{tag}>")))
            self._open = None
        self._depth[tag] -= 1
