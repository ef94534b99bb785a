"""What rules and a diagnosis say, in the language of the report: what has no words in it stays English.

Three sources, in this order: what rules say of themselves (titles, texts, steps, remedies), the sentences that a
diagnosis composes (locale/<language>.sentences.po, by their form), and the form of numbers. What a log said is never
touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files

from investigator.diagnosis.model import Diagnosis
from investigator.report.clean import rewritten
from investigator.report.language import _, current, entries, figures_in
from investigator.report.limit_names import limit_names
from investigator.rulebook.findings import EvidenceRef, Finding

_FAILED = re.compile(r"^([\d,]+) (calls? failed)(?=[:;]| for \d)")
_HOLE = re.compile(r"\{(\w+)\}")
#: Characters of no language stand for a quotation while the words around it change.
_MARK = "\ue000{}\ue001"
_MARKED = re.compile("\ue000(\\d+)\ue001")
#: A shorter text of a log may be a word of ours too.
_LEAST_QUOTE = 12
#: First words of titles that are written small inside a sentence; nouns keep their capital.
_SMALL = {
    "de": frozenset(
        [
            "Abgelehnt",
            "Auf",
            "Aufgerufen",
            "Beim",
            "Das",
            "Dem",
            "Den",
            "Der",
            "Die",
            "Diese",
            "Dieselbe",
            "Dieser",
            "Ein",
            "Eine",
            "Einem",
            "Es",
            "Ganze",
            "Gefragt",
            "Nach",
            "Parallele",
            "Verlangt",
            "Wo",
        ]
    )
}


def in_language(d: Diagnosis) -> Diagnosis:
    """The diagnosis with the words of its rules, and the sentences made of them, in the language in use."""
    findings = [finding for incident in d.incidents for finding in incident.findings]
    limits = limit_names(d.incidents)
    told = (value for finding in findings for value in finding.columns.values() if isinstance(value, str))
    quotes = _Quotes(value for value in told if value not in limits and not _ours(value))
    phrases = {quotes.hidden(english): quotes.hidden(said) for f in findings for english, said in _phrases(f)}
    words = {quotes.hidden(english): quotes.hidden(said) for english, said in _titles(d)}
    words |= {quotes.hidden(english): quotes.hidden(said) for f in findings for english, said in _pairs(f)}
    named = {name: said for name, said in limits.items() if name != said}
    own, names = _replacing(words), _replacing(named)

    def change(text: str) -> str:
        hidden = quotes.hidden(text)
        said = phrases[hidden] if hidden in phrases else own(hidden)
        return quotes.shown(composed(figures_in(names(said))))

    return replace(
        d,
        verdict=rewritten(d.verdict, change),
        incidents=rewritten(d.incidents, change, keep=(EvidenceRef,)),
        assumptions=rewritten(d.assumptions, change),
        problems=tuple(replace(each, message=change(each.message)) for each in d.problems),
        exit_reasons=rewritten(d.exit_reasons, change),
        marks=tuple(replace(mark, label=_(mark.label)) for mark in d.marks),
    )


class _Quotes:
    """Texts of logs, put behind marks that no translation touches."""

    def __init__(self, texts: Iterable[str]) -> None:
        long = {text for text in texts if len(text) >= _LEAST_QUOTE and " " in text}
        self._known = sorted(long, key=lambda text: (-len(text), text))
        self._place = {text: _MARK.format(number) for number, text in enumerate(self._known)}
        self._any = _any_of(self._known)

    def hidden(self, text: str) -> str:
        return self._any.sub(lambda match: self._place[match[0]], text) if self._any else text

    def shown(self, text: str) -> str:
        return _MARKED.sub(lambda match: self._known[int(match[1])], text)


def _any_of(texts: Iterable[str]) -> re.Pattern[str] | None:
    """Any of the texts, the longest first."""
    ordered = sorted(filter(None, texts), key=lambda text: (-len(text), text))
    return re.compile("|".join(map(re.escape, ordered))) if ordered else None


def _replacing(words: Mapping[str, str]) -> Callable[[str], str]:
    known = _any_of(words)

    def change(text: str) -> str:
        told = known.sub(lambda match: words[match[0]], text) if known else text
        told = told.replace("; and ", f"; {_('and')} ").replace(" — and ", f" — {_('and')} ")
        return _FAILED.sub(lambda match: f"{match[1]} {_(match[2])}", told)

    return change


def _ours(text: str) -> bool:
    """Whether a column holds words of a diagnosis instead of a log's."""
    return any(form.fullmatch(text) for form, _said in _sentences(current()))


def composed(text: str) -> str:
    """A text with the sentences that a diagnosis composes in the language in use."""
    for form, said in _sentences(current()):
        text = form.sub(said, text)
    return text


@cache
def _sentences(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Form → replacement, in the order of the catalogue."""
    path = files("investigator.report").joinpath("locale", f"{language}.sentences.po")
    if not path.is_file():
        return ()
    return tuple((_form(english), _HOLE.sub(r"\\g<\1>", said)) for english, said in entries(path.read_text("utf-8")))


def _form(english: str) -> re.Pattern[str]:
    """`{n}` is a number, `{rest}` all that follows, another hole as few words as fit; words are whole ones."""
    parts = _HOLE.split(english)
    told = [re.escape(part) if number % 2 == 0 else _hole(part) for number, part in enumerate(parts)]
    before = r"(?<!\w)" if english[:1].isalpha() else ""
    return re.compile(before + "".join(told) + (r"(?!\w)" if english[-1:].isalpha() else ""))


def _hole(name: str) -> str:
    kind = r"(?<![\w.,])[−+-]?\d[\d.,]*\d|(?<![\w.,])\d" if name.startswith("n") else ".+" if name == "rest" else ".+?"
    return f"(?P<{name}>{kind})"


def _titles(d: Diagnosis) -> Iterator[tuple[str, str]]:
    """Titles of all rules, fired or not."""
    for english, said in d.titles.get(current(), {}).items():
        yield from _forms(english, said)


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
    inside = stop[:1].lower() + stop[1:] if stop.split(" ")[0] in _SMALL.get(current(), ()) else stop
    return ((large, large_stop), (english, other), (clause, stop), (small, inside))
