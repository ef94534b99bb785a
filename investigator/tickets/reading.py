"""What a finished HTML report says, read back from the file: all that a ticket is told comes from the page itself.

So a report of last week and a case of today go the same way, and what was masked in the page stays masked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import blake2b
from html.parser import HTMLParser

from investigator.errors import UsageProblem

#: How `scan` calls the page of an incident.
_IDENTITY = re.compile(r"[0-9a-f]{12}")
_VOID = frozenset({"meta", "br", "link", "img", "hr", "input", "rect", "path", "circle"})
_SVG = re.compile(r'<svg class="chart wide"[^>]*>.*?</svg>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Sum:
    """One step of the sum."""

    say: str
    expr: str
    value: str


@dataclass(frozen=True, slots=True)
class Fix:
    """What to change: a title, where, and the text to paste ('' for advice)."""

    title: str
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A report in words. incident: the id of its first incident, '' in reports of earlier versions."""

    incident: str
    title: str
    verdict: str
    severity: str
    sentence: str
    remedy: str
    tiles: tuple[tuple[str, str], ...]
    sums: tuple[Sum, ...]
    fixes: tuple[Fix, ...]
    incidents: int
    version: str
    timeline: str

    @property
    def state(self) -> str:
        """What a later report is compared with, on one line."""
        return " · ".join(filter(None, (self.severity, *(f"{value} {label}" for value, label in self.tiles))))


def read_report(html: str, where: str) -> Reading:
    """Read a report of `investigator`. Raises UsageProblem when it is none."""
    page = _Page()
    page.feed(html)
    page.close()
    if not page.meta.get("generator", "").startswith("investigator ") or not page.first("sentence"):
        raise UsageProblem(
            "not an HTML report of investigator", hint="give the report.html that it wrote, or a case", path=where
        )
    kicker = page.all("tag")
    timeline = _SVG.search(html)
    words = [word.removeprefix("severity ") for word in kicker]
    return Reading(
        incident=page.meta.get("investigator-incident", ""),
        title=page.first("title").removesuffix(" – investigator") or page.first("sentence"),
        verdict=words[0] if words else "",
        severity=words[1] if len(words) > 1 else "",
        sentence=page.first("sentence"),
        remedy=" and ".join(page.all("remedy")),
        tiles=tuple(zip(page.all("tile"), page.all("tile_label"), strict=False)),
        sums=tuple(map(Sum, page.all("say"), page.all("expr"), page.all("result"))),
        fixes=tuple(page.fixes),
        incidents=page.incidents,
        version=page.meta["generator"].removeprefix("investigator "),
        timeline=timeline.group() if timeline else "",
    )


@dataclass(frozen=True, slots=True)
class _Open:
    """An element that is open. place: of the texts in it, inherited unless it begins or ends one."""

    tag: str
    classes: tuple[str, ...]
    id: str
    place: str


@dataclass
class _Page(HTMLParser):
    """Collects the texts of the places that a ticket is told of."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    meta: dict[str, str] = field(default_factory=dict)
    fixes: list[Fix] = field(default_factory=list)
    incidents: int = 0
    _stack: list[_Open] = field(default_factory=list)
    _fix: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def first(self, place: str) -> str:
        return self.all(place)[0] if self.texts.get(place) else ""

    def all(self, place: str) -> list[str]:
        return [" ".join(text.split()) for text in self.texts.get(place, [])]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "meta":
            self.meta[named.get("name", "")] = named.get("content", "")
        if tag in _VOID:
            return
        classes, id_ = tuple(named.get("class", "").split()), named.get("id", "")
        self.incidents += tag == "section" and "incident" in classes
        place = self._begins(tag, classes, id_)
        if place:
            self.texts.setdefault(place, []).append("")
        elif self._stack and not self._aside(classes):
            place = self._stack[-1].place
        self._stack.append(_Open(tag, classes, id_, place))
        if "fix" in classes and self.incidents == 1:
            self._fix = {"title": "", "where": "", "text": ""}

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Elements such as `<path/>` hold no text."""

    def handle_endtag(self, tag: str) -> None:
        while self._stack:
            closed = self._stack.pop()
            if "fix" in closed.classes and self._fix:
                title, where = (" ".join(self._fix[part].split()) for part in ("title", "where"))
                self.fixes.append(Fix(title, where, self._fix["text"].strip("\n")))
                self._fix = {}
            if closed.tag == tag:
                return

    def handle_data(self, data: str) -> None:
        if self._stack and (place := self._stack[-1].place):
            self.texts[place][-1] += data
        if self._fix:
            if self._within("pre"):
                self._fix["text"] += data
            elif self._within("strong"):
                self._fix["title"] += data
            elif "quiet" in self._stack[-1].classes:
                self._fix["where"] += data

    def _within(self, tag: str) -> bool:
        return any(opened.tag == tag for opened in self._stack)

    def _inside(self, name: str) -> bool:
        return any(name in opened.classes for opened in self._stack)

    def _begins(self, tag: str, classes: tuple[str, ...], id_: str) -> str:
        """The name of the place that an element begins, if a ticket is told of it."""
        if tag == "title" and not self._within("svg"):
            return "title"
        if id_ == "verdict" and tag == "h1":
            return "sentence"
        if self._inside("verdict") and self._stack:
            if "tag" in classes and self._inside("kicker"):
                return "tag"
            if tag == "strong" and self._inside("remedy"):
                return "remedy"
            return {"dd": "tile", "dt": "tile_label"}.get(tag, "")
        if self.incidents == 1 and self._inside("step") and any(o.id.endswith("-sum") for o in self._stack):
            return next((name for name in ("say", "expr", "result") if name in classes), "")
        return ""

    def _aside(self, classes: tuple[str, ...]) -> bool:
        """Numbers before a step, tags and side remarks behind its result are not told."""
        return any(name in classes for name in ("also", "no", "tag"))


def fingerprint(reading: Reading, file_name: str) -> str:
    """What an incident is found by again: the name of a scan's page, else the incident's id, else its title."""
    stem = file_name.removesuffix(".html")
    if _IDENTITY.fullmatch(stem):
        return stem
    return reading.incident or blake2b(reading.title.encode(), digest_size=6).hexdigest()
