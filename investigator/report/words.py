"""The report's vocabulary: what codes are called in plain words, and which tag shows them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from investigator.correlate.narrow import Narrowed
from investigator.report.language import _
from investigator.report.text import number
from investigator.report.viewtypes import Tag

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


#: Columns as the operands of a sum call them; others are shown by their own name.
COLUMNS: Mapping[str, str] = {
    "asked_tokens": "asked for",
    "read_tokens": "to read",
    "cut_tokens": "thrown away",
    "cached_tokens": "from the cache",
    "reusable_tokens": "reusable",
    "window_tokens": "window in force",
    "native_window_tokens": "native window",
    "believed_window_tokens": "agent’s belief",
    "timeout_s": "limit",
    "deepest_tps": "deepest measured rate",
    "deepest_tokens": "deepest measured prompt",
    "prefill_r0": "rate at depth 0",
    "prefill_c": "slowing with depth",
    "prefill_s": "reading time",
    "prefill_tps": "reading rate",
    "prefill_points": "requests in the fit",
    "weights_bytes": "weights",
    "kv_bytes": "KV cache",
    "kv_bytes_per_token": "KV cache of a token",
    "compute_bytes": "compute buffers",
    "memory_limit_bytes": "memory limit",
    "duration_s": "lasted",
    "queue_s": "queued",
    "load_s": "model load",
    "output_tokens": "answered",
    "progress_tokens": "read when given up",
    "try_no": "try",
    "tries": "tries",
    "slots": "slots",
    "kv_type": "type of the KV cache",
    "layers_total": "layers of the model",
    "layers_gpu": "layers on the GPU",
    "slot_held_s": "slot held for",
    "before_tokens": "in the slot before",
    "prefill_new_tokens": "newly read",
    "decode_s": "writing time",
    "lost_s": "time lost",
    "longest_load_s": "longest load",
    "keep_alive_s": "keep-alive time",
    "idle_s": "idle for",
}
_UNIT_SUFFIX = re.compile("_(?:s|tokens|bytes|tps|text)$")

#: Columns as what is not known of a call, where the operand's name would not say it.
_MISSING: Mapping[str, str] = {
    "asked_tokens": "the length of the prompt",
    "read_tokens": "how much was to be read",
    "cached_tokens": "how much was in the cache",
    "dropped_messages": "messages left out",
    "progress_tokens": "how far reading had come",
    "timeout_s": "the client’s limit",
    "duration_s": "how long it took",
    "expected_s": "how long reading should take",
    "slot_held_s": "how long the slot was held",
    "output_tokens": "the length of the answer",
    "same_results": "equal results of a tool",
    "stream": "the server’s log",
}
_NOT_KNOWN = "not known: "


def not_known_words(text: str) -> str:
    """`not known: asked_tokens, slots` with the columns in words; any other text as it is."""
    if not text.startswith(_NOT_KNOWN):
        return text
    names = text.removeprefix(_NOT_KNOWN).split(", ")
    told = (_(_MISSING[name]) if name in _MISSING else column(name) for name in names)
    return f"{_('not known')}: {', '.join(told)}"


def column(name: str) -> str:
    """A column in words."""
    return _(COLUMNS.get(name, _UNIT_SUFFIX.sub("", name).replace("_", " ")))


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
