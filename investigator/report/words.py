"""The report's vocabulary: what codes are called in plain words, and which tag shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from investigator.report.language import _
from investigator.report.text import number
from investigator.report.viewtypes import Tag

if TYPE_CHECKING:
    from investigator.correlate.narrow import Narrowed

VERDICTS: Mapping[str, str] = {
    "cause_found": "Cause found",
    "unexplained": "Unexplained",
    "insufficient": "Not enough evidence",
    "healthy": "Healthy",
}
HYPOTHESES: Mapping[str, str] = {
    "cause": "cause",
    "contributes": "contributes",
    "symptom": "symptom",
    "ruled_out": "ruled out",
    "cannot_tell": "cannot tell",
}
SAVES: Mapping[str, str] = {"yes": "saves", "might": "might save", "no": "does not save"}
CHANCES: Mapping[str, str] = {"passes": "would pass", "might": "might pass", "fails": "fails"}
FITS: Mapping[str, str] = {"fits": "fits", "might": "might fit", "does_not_fit": "does not fit"}
BASES: Mapping[str, str] = {
    "case": "measured in this case",
    "benchmark": "measured there",
    "scaled": "moved by models measured on both",
    "peak": "moved by peak figures",
    "other_models": "from other models there",
    "sizes": "from the sizes alone",
    "none": "no measurement",
}
OUTCOMES: Mapping[str, str] = {
    "ok": "answered",
    "cut_by_length": "answer cut at the length limit",
    "client_closed_before_first_byte": "client left before the first byte",
    "client_closed_mid_stream": "client left in mid-answer",
    "client_closed_in_queue": "client left while queued",
    "client_closed_in_load": "client left while the model loaded",
    "refused_window": "refused: larger than the window",
    "refused_other": "refused",
    "server_error": "server error",
    "load_failed": "model did not load",
    "connection_refused": "connection refused",
    "connection_reset": "connection reset",
    "connection_lost": "connection lost",
    "open_at_end": "still open at the end of the log",
    "unknown": "outcome not known",
}
RULE_OUTCOMES: Mapping[str, str] = {
    "fired": "fired",
    "quiet": "quiet",
    "not_evaluated": "not evaluated",
    "error": "error",
}
SPAN_KINDS: Mapping[str, str] = {
    "call": "agent call",
    "request": "request",
    "queue": "queued",
    "load": "model load",
    "prefill": "reading the prompt",
    "decode": "answering",
    "abandoned": "read on after the client left",
}


def tag(kind: str, words: Mapping[str, str] | None = None) -> Tag:
    """A tag for a code; its kind is the code, its text the words for it."""
    return Tag(kind, _((words or {}).get(kind, kind.replace("_", " "))))


def severity_tag(severity: str) -> Tag:
    """How bad an incident is."""
    return Tag(f"sev-{severity}", _(severity))


def narrowed_words(narrowed: Narrowed | None) -> str:
    """What the case was narrowed to, and how much of it that left; empty for a whole case."""
    if narrowed is None:
        return ""
    told = ", ".join(f"{_(name)} {value}" for name, value in narrowed.conditions)
    words = _("narrowed to what was asked for ({conditions}): {kept} of {total} calls are judged and shown").format(
        conditions=told, kept=number(narrowed.kept), total=number(narrowed.total)
    )
    if narrowed.untimed:
        words += "; " + _("{count} of the others have no time").format(count=number(narrowed.untimed))
    return words[:1].upper() + words[1:] + "."


def outcome_tag(outcome: str) -> Tag:
    """Success, failure or neither: three shapes for fifteen outcomes."""
    kind = "good" if outcome == "ok" else "unsure" if outcome in ("unknown", "open_at_end", "cut_by_length") else "bad"
    return Tag(kind, _(OUTCOMES.get(outcome, outcome.replace("_", " "))))
