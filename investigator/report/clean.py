"""A diagnosis that is safe to show: every string in it masked, in one walk, so that nothing can be forgotten.

All formats clean the same diagnosis in the same order, hence a secret has the same pseudonym in each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar, cast

from investigator.diagnosis.model import Diagnosis
from investigator.report.redact import REDACT, Redaction, Redactor
from investigator.report.text import visible


def clean(
    diagnosis: Diagnosis, redaction: Redaction = REDACT, *, show_invisible: bool = True
) -> tuple[Diagnosis, Mapping[str, int]]:
    """The diagnosis without secrets and with aware UTC times, and how many secrets of each kind were replaced.

    show_invisible: also turn control and bidirectional characters into marks (JSON escapes them instead).
    """
    redactor = Redactor(redaction)
    # First all secrets are learned: a key that one line names `api_key=` may stand bare in an earlier one.
    texts: dict[str, None] = {}
    _collect(diagnosis, texts, set())
    redactor.learn(texts)
    walk = _Walk((lambda text: visible(redactor.mask(text))) if show_invisible else redactor.mask)
    return cast(Diagnosis, walk(diagnosis)), redactor.receipt


_T = TypeVar("_T")
_PLAIN = frozenset({int, float, bool, type(None)})


def rewritten(record: _T, change: Callable[[str], str], keep: tuple[type, ...] = ()) -> _T:
    """A record, or a tuple of them, with every string in it changed but those of the kinds of record to keep."""
    return cast(_T, _Walk(change, keep)(record))


def _collect(value: Any, texts: dict[str, None], met: set[int]) -> None:
    """Every different string of a record, in order; records met twice are looked at once."""
    if isinstance(value, str):
        texts[value] = None
    elif type(value) in _PLAIN or isinstance(value, datetime):
        return
    elif isinstance(value, tuple):
        for item in value:
            _collect(item, texts, met)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            texts[key] = None
            _collect(item, texts, met)
    elif id(value) not in met:
        met.add(id(value))
        kind: type = type(value)
        for name in _names(kind):
            _collect(getattr(value, name), texts, met)


class _Walk:
    """Rebuilds records with every string changed; texts and records met twice are changed once."""

    def __init__(self, change: Callable[[str], str], keep: tuple[type, ...] = ()) -> None:
        self._change = change
        self._keep = keep
        self._texts: dict[str, str] = {}
        # The value itself is kept beside its copy: an id may be given anew once its owner is gone.
        self._records: dict[int, tuple[Any, Any]] = {}

    def __call__(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if type(value) in _PLAIN or isinstance(value, self._keep):
            return value
        if isinstance(value, datetime):
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        if isinstance(value, tuple):
            return tuple(map(self, value))
        if isinstance(value, Mapping):
            return {self(key): self(item) for key, item in value.items()}
        return self._record(value)

    def _text(self, text: str) -> str:
        known = self._texts.get(text)
        if known is None:
            known = self._texts[text] = self._change(text)
        return known

    def _record(self, record: Any) -> Any:
        known = self._records.get(id(record))
        if known is None:
            kind: type = type(record)
            changed = kind(*(self(getattr(record, name)) for name in _names(kind)))
            known = self._records[id(record)] = (record, changed)
        return known[1]


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))
