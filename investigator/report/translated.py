"""What rules say, in the language of the report: where a rule brings no words in it, its English ones stay."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from investigator.diagnosis.model import Diagnosis
from investigator.report.clean import rewritten
from investigator.report.language import _, current
from investigator.rulebook.findings import Finding

_FAILED = re.compile(r"^([\d,]+) (calls? failed)(?=[:;])")


def in_language(d: Diagnosis) -> Diagnosis:
    """The diagnosis with the words of its rules, and the sentences made of them, in the language in use."""
    findings = [finding for incident in d.incidents for finding in incident.findings]
    words = {english: said for finding in findings for english, said in _pairs(finding)}
    longest = sorted(words, key=lambda text: (-len(text), text))
    known = re.compile("|".join(map(re.escape, longest))) if longest else None
    phrases = dict(pair for finding in findings for pair in _phrases(finding))

    def change(text: str) -> str:
        if text in phrases:
            return phrases[text]
        told = known.sub(lambda match: words[match[0]], text) if known else text
        told = told.replace("; and ", f"; {_('and')} ").replace(" — and ", f" — {_('and')} ")
        return _FAILED.sub(lambda match: f"{match[1]} {_(match[2])}", told)

    return replace(d, verdict=rewritten(d.verdict, change), incidents=rewritten(d.incidents, change))


def _phrases(finding: Finding) -> tuple[tuple[str, str], ...]:
    """Words that stand alone: of steps and remedies, English → translated."""
    said = finding.texts.get(current())
    return () if said is None else said.phrases


def _pairs(finding: Finding) -> Iterator[tuple[str, str]]:
    """English → translated, also as a clause inside a sentence: without the full stop, with a small letter."""
    said = finding.texts.get(current())
    if said is None:
        return
    for english, other in ((finding.title, said.title), (finding.short, said.short), (finding.long, said.long)):
        if english and other:
            yield from _forms(english, other)


def _forms(english: str, other: str) -> Iterable[tuple[str, str]]:
    clause = english.strip().rstrip(".")
    small = clause[:1].lower() + clause[1:]
    stop = other.strip().rstrip(".")
    large, large_stop = clause[:1].upper() + clause[1:], stop[:1].upper() + stop[1:]
    return ((large, large_stop), (english, other), (clause, stop), (small, stop))
