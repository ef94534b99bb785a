"""Ranges of releases as the catalogue writes them (`>=2026.5`, `2026.3.31 - 2026.4.9`, `2.1.x`): what lies in them."""

from __future__ import annotations

import re

_NUMBER = r"v?(\d+(?:\.(?:\d+|x))*)"
_RANGE = re.compile(rf"{_NUMBER}\s*-\s*{_NUMBER}$")
_BOUND = re.compile(rf"(>=|<=|>|<)\s*{_NUMBER}$")
_SINGLE = re.compile(rf"{_NUMBER}$")
_ASIDE = re.compile(r"\s*\(.*\)\s*$")
_RELEASE = re.compile(r"\D*?(\d+(?:\.\d+)*)")

Parts = tuple[int, ...]


def includes(text: str | None, version: str | None) -> bool | None:
    """True or False; None where the range is told in words, or either is not known."""
    found = _RELEASE.match(version or "")
    if not text or found is None:
        return None
    release, plain = _parts(found[1]), _ASIDE.sub("", text).strip()
    if between := _RANGE.match(plain):
        return _compare(release, between[1]) >= 0 and _compare(release, between[2]) <= 0
    if bound := _BOUND.match(plain):
        order = _compare(release, bound[2])
        return {">=": order >= 0, "<=": order <= 0, ">": order > 0, "<": order < 0}[bound[1]]
    if single := _SINGLE.match(plain):
        return _compare(release, single[1]) == 0
    return None


def in_words(text: str | None) -> str:
    """The same range for people: `2026.3.2 and older`; empty where it is told in words of its own, or not at all."""
    plain = _ASIDE.sub("", text or "").strip()
    if between := _RANGE.match(plain):
        return f"{between[1]} – {between[2]}"
    if bound := _BOUND.match(plain):
        return {">=": f"{bound[2]} and newer", "<=": f"{bound[2]} and older", ">": f"newer than {bound[2]}",
                "<": f"older than {bound[2]}"}[bound[1]]  # fmt: skip
    return plain if _SINGLE.match(plain) else ""


def _parts(text: str) -> Parts:
    return tuple(int(part) for part in text.split(".") if part != "x")


def _compare(release: Parts, bound: str) -> int:
    """-1, 0 or 1; `2.1.x` and `2.1` equal every release that begins so."""
    other = _parts(bound)
    mine = (*release, *(0,) * (len(other) - len(release)))[: len(other)]
    return (mine > other) - (mine < other)
