"""Which known limits explain that a call ended after a number of seconds, or with a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .loader import load_timeouts
from .records import TimeoutLayer

#: These end nothing that is still working; they count only when their own message was seen.
_NOT_A_CALL_LIMIT = frozenset({"keepalive", "failover", "other"})


@dataclass(frozen=True, slots=True)
class TimeoutMatch:
    """A candidate, with the reasons that speak for it: `text`, `seconds`, `agent`, `verified`."""

    layer: TimeoutLayer
    reasons: tuple[str, ...]
    score: int


_WEIGHTS = {"text": 8, "seconds": 4, "agent": 2, "verified": 1}


def match_timeouts(
    seconds: float | None = None,
    tolerance_s: float = 2.0,
    hint: str | None = None,
    error_text: str | None = None,
) -> tuple[TimeoutMatch, ...]:
    """Limits that may have ended a call, most likely first; then in the order of the file.

    `seconds`: how long the call lasted; matches a default within `tolerance_s`, or its measured range widened by it.
    `hint`: agent or component, whole words of its name. `error_text`: the message seen; matches fragments literally.
    Of equal candidates the one with the longer fragment comes first.
    A candidate needs its seconds or its text; one whose default differs is listed only if its text was seen and it can
    be set to something else.
    """
    found = []
    for layer in load_timeouts():
        reasons = tuple(_reasons(layer, seconds, tolerance_s, hint, error_text))
        if _is_candidate(layer, reasons, seconds):
            found.append(TimeoutMatch(layer, reasons, sum(_WEIGHTS[reason] for reason in reasons)))
    return tuple(sorted(found, key=lambda match: (-match.score, -len(_fragment(match.layer, error_text)))))


def find_timeout(layer_id: str) -> TimeoutLayer | None:
    """The limit with this id."""
    return next((layer for layer in load_timeouts() if layer.id == layer_id), None)


def _reasons(
    layer: TimeoutLayer, seconds: float | None, tolerance_s: float, hint: str | None, error_text: str | None
) -> Iterator[str]:
    if _fragment(layer, error_text):
        yield "text"
    if seconds is not None and _lasts(layer, seconds, tolerance_s):
        yield "seconds"
    if hint and _is_about(layer, hint.lower()):
        yield "agent"
    if layer.verified:
        yield "verified"


def _is_candidate(layer: TimeoutLayer, reasons: tuple[str, ...], seconds: float | None) -> bool:
    if "text" not in reasons:
        return "seconds" in reasons and layer.kind not in _NOT_A_CALL_LIMIT
    return "seconds" in reasons or seconds is None or bool(layer.keys)


def _fragment(layer: TimeoutLayer, error_text: str | None) -> str:
    """The longest of the layer's fragments in the message, or nothing."""
    seen = (error_text or "").lower()
    return max((each for each in layer.error_texts if each.lower() in seen), key=len, default="")


def _lasts(layer: TimeoutLayer, seconds: float, tolerance_s: float) -> bool:
    if layer.seconds is None:
        return False
    low, high = layer.effective_s or (layer.seconds, layer.seconds)
    return min(low, layer.seconds) - tolerance_s <= seconds <= high + tolerance_s


def _is_about(layer: TimeoutLayer, hint: str) -> bool:
    named = (layer.agent or "", layer.component, *layer.applies_to)
    words = re.compile(rf"(?<![a-z0-9]){re.escape(hint)}(?![a-z0-9])")
    return any(words.search(name.lower()) for name in named)
