"""What the columns of rules are called in plain words: as the operands of a sum, and as what is not known of a call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from investigator.report.language import _
from investigator.report.text import clipped
from investigator.report.words import OUTCOMES
from investigator.rulebook.findings import RuleResult, Value

#: Columns of the views and of built-in rules; those of other rules are shown by their own name.
COLUMNS: Mapping[str, str] = {
    # a prompt and its window
    "asked_tokens": "asked for",
    "asked_text": "prompt as the text names it",
    "believed_window_tokens": "agent’s belief",
    "before_tokens": "tokens in the slot before",
    "cached_tokens": "from the cache",
    "cut_tokens": "thrown away",
    "dropped_messages": "messages left out",
    "first_tokens": "first prompt",
    "least_compacted_tokens": "smallest prompt that was compacted",
    "most_tokens": "longest prompt",
    "native_window_tokens": "native window",
    "output_tokens": "answered",
    "read_tokens": "to read",
    "refuses": "whether the server refuses what is too long",
    "reusable_tokens": "reusable",
    "reused": "from the cache",
    "smallest_window": "smallest window",
    "to_read": "to read",
    "truncated": "whether the prompt was cut",
    "window_full": "whether the window was full",
    "window_text": "window as the text names it",
    "window_tokens": "window in force",
    "context_shifts": "shifts of the window",
    "shifts_of_server": "shifts of the window since the start",
    # reading and writing
    "at_most_s": "longest expected reading time",
    "decode_s": "writing time",
    "decode_tps": "writing rate",
    "deepest_tokens": "deepest measured prompt",
    "deepest_tps": "deepest measured rate",
    "expected_s": "expected reading time",
    "prefill_c": "slowing with depth",
    "prefill_new_tokens": "newly read",
    "prefill_points": "requests in the fit",
    "prefill_r0": "rate at depth 0",
    "prefill_s": "reading time",
    "prefill_spread": "uncertainty of the fit",
    "prefill_tps": "reading rate",
    "progress_tokens": "read when given up",
    "still_reading": "whether the server was still reading",
    # time and limits
    "duration_s": "duration",
    "early_s": "time before the server was up",
    "limit_s": "limit",
    "limit_text": "limit as the text names it",
    "same_limit": "calls that ended at the same limit",
    "short_s": "shortest wait of the calls that were given up",
    "slot_held_s": "slot held for",
    "timeout_s": "limit",
    "waited_after_s": "wait after the server’s end",
    # queue and slots
    "beside": "requests at the same time",
    "busy_s": "time spent on other requests",
    "in_queue": "whether it waited in the queue",
    "queue_s": "time in the queue",
    "queued_s": "time in the queue",
    "slots": "slots",
    "waited_s": "wait",
    "waiting": "requests that waited",
    # loading
    "idle_before_s": "pause before the load",
    "idle_s": "idle time",
    "keep_alive_s": "keep-alive time",
    "layers_requested": "layers asked for on the GPU",
    "load_s": "time to load the model",
    "loading_s": "time to load the model",
    "longest_load_s": "longest load",
    "lost_s": "time lost",
    "progress_text": "progress as the log names it",
    "pushed_by": "what pushed the model out",
    "swaps": "loads after the model was pushed out",
    # memory
    "cache_failed": "whether the cache could not be allocated",
    "compute_bytes": "compute buffers",
    "cpu_only": "on the CPU alone",
    "kv_bytes": "KV cache",
    "kv_bytes_per_token": "KV cache of a token",
    "kv_type": "type of the KV cache",
    "layers_gpu": "layers on the GPU",
    "layers_total": "layers of the model",
    "memory_limit_bytes": "memory limit",
    "short_of": "what was short",
    "weights_bytes": "weights",
    # tries and runs
    "all_left": "whether the client left each time",
    "calls": "calls of the run",
    "compactions": "times the history was compacted",
    "failed_tries": "failed tries",
    "first_kind": "how the first tries ended",
    "last_kind": "how the last tries ended",
    "later": "tries after it",
    "same_results": "equal results of a tool",
    "tries": "tries",
    "tries_of_work": "tries of the same work",
    "try_no": "try",
    "turns": "answered calls of the run",
    # endings
    "after_loss": "whether a connection was lost before",
    "agent_says": "whether the agent speaks of a limit",
    "answering": "whether the answer had begun",
    "begun": "whether the answer had begun",
    "broke": "whether it failed",
    "closed": "whether the client left",
    "connecting": "whether it was still connecting",
    "ended": "how it ended",
    "error_class": "kind of the error",
    "error_text": "the agent’s error message",
    "is_open": "whether the call was left open",
    "law_s": "expected reading time",
    "left_itself": "whether the client left by itself",
    "lost": "whether the connection was lost",
    "outcome": "how it ended",
    "refusal": "how it was refused",
    "said": "the message",
    "says_refused": "whether the error says refused",
    "says_reset": "whether the error says reset",
    "says_so": "whether the error says so",
    "server_side": "how it ended at the server",
    "status": "HTTP status",
    "told": "the message",
    "without_a_word": "whether the agent gives no error",
    # the server's log
    "engine": "which server it was",
    "events": "events of that kind in the log",
    "look_ups": "requests that asked for a model",
    "pulled_later": "whether the model was downloaded later",
    "refusals": "refusals in the log",
    "seen_by": "which side saw it",
    "served_later": "whether the server answered later",
    "server_lines": "lines of the server",
    "slug": "kind of the message",
    "stalls": "downloads of parts that stalled",
    "stream": "the server’s log",
    "stretches": "runs of the server",
    "times": "times it was logged",
    "troubles": "troubles of the download",
    "work_id": "which calls are tries of the same work",
}  # fmt: skip
_UNIT_SUFFIX = re.compile("_(?:s|tokens|bytes|tps|text)$")

#: Columns as what is not known, where an operand's label would not say it.
MISSING: Mapping[str, str] = {
    "asked_tokens": "the length of the prompt",
    "cached_tokens": "how much was in the cache",
    "duration_s": "how long it took",
    "expected_s": "how long reading should take",
    "limit_s": "the client’s limit",
    "output_tokens": "the length of the answer",
    "progress_tokens": "how far reading had come",
    "read_tokens": "how much was to be read",
    "reused": "how much was in the cache",
    "slot_held_s": "how long the slot was held",
    "timeout_s": "the client’s limit",
    "verdict": "what would decide it",
    "waited_s": "how long it waited",
}
#: Steps of built-in rules as what is not known; of no interest where a column is missing as well.
STEPS: Mapping[str, str] = {
    "answer": "HTTP status",
    "breaks": "parts that broke off",
    "busy_for": "how long the slot was held",
    "calls_per_compaction": "calls between two compactions",
    "compute_full": "compute buffers",
    "filled": "how full the window was",
    "full_window": "the largest useful window",
    "growth": "growth from call to call",
    "held_back": "layers kept off the GPU",
    "idle_longer_s": "pause beyond the keep-alive time",
    "interruptions": "starts and crashes of the server",
    "kv": "KV cache",
    "kv_all": "KV cache",
    "kv_full": "KV cache",
    "kv_one": "KV cache",
    "layers_cpu": "layers on the CPU",
    "looked_for_s": "how long it took",
    "lost_tokens": "thrown away",
    "missed": "requests that asked for a model",
    "missing": "memory that is short",
    "missing_s": "time that was short",
    "missing_tokens": "tokens over the window",
    "need": "memory that is needed",
    "need_one": "memory that is needed",
    "needed_time": "how long reading should take",
    "off_s": "distance from the keep-alive time",
    "overestimate_tokens": "how much the agent believes too much",
    "read_time": "how long reading should take",
    "reloads": "loads after the model was pushed out",
    "reusable": "reusable",
    "seen": "times it was logged",
    "small_kv": "KV cache",
    "small_need": "memory that is needed",
    "spare": "memory left over",
    "starts_refused": "refusals in the log",
    "stays_s": "keep-alive time",
    "took_s": "how long it took",
    "unused": "whether the GPU was used",
    "unused_tokens": "what the window leaves unused",
    "words": "the message",
}
_OUTCOME_COLUMNS = frozenset({"ended", "first_kind", "last_kind", "outcome", "server_side"})
_NAMES = re.compile(r"[a-z]\w*(?:, [a-z]\w*)*")
#: Longer sentences of a database error are cut.
_MAX_REASON = 300
_MAX_REASONS = 4
_NOT_KNOWN = "not known: "


def column(name: str) -> str:
    """A column in words."""
    return _(COLUMNS.get(name, _UNIT_SUFFIX.sub("", name).replace("_", " ")))


def spoken(name: str, value: Value) -> Value:
    """A column's value; a code of an outcome in words."""
    return _(OUTCOMES[value]) if name in _OUTCOME_COLUMNS and isinstance(value, str) and value in OUTCOMES else value


def named_words(say: str) -> str:
    """`load s: 18 s, the limit is 20 s` with a column's name in words; what begins otherwise as it is."""
    name, colon, rest = say.partition(": ")
    code = name.replace(" ", "_")
    return f"{column(code)}{colon}{rest}" if colon and code in COLUMNS else say


def not_known_words(text: str) -> str:
    """`not known: asked_tokens, slots` with the columns in words; any other text as it is."""
    return _reason_words([text.removeprefix(_NOT_KNOWN)]) if text.startswith(_NOT_KNOWN) else text


def rule_reasons(r: RuleResult) -> tuple[str, str]:
    """Why a rule was not evaluated or failed, in words and with the names of its columns; empty for no reason."""
    reasons = [clipped(reason, _MAX_REASON) for reason in r.reasons[:_MAX_REASONS]]
    exact = "; ".join(reasons)
    return exact if r.outcome == "error" else _reason_words(reasons), exact


def _reason_words(reasons: Iterable[str]) -> str:
    """Names of columns in words, whole sentences as they are."""
    told: list[str] = []
    sentences: list[str] = []
    for reason in reasons:
        if _NAMES.fullmatch(reason):
            told += _missing(reason.split(", "))
        else:
            sentences.append(reason)
    missing = [f"{_('not known')}: {', '.join(dict.fromkeys(told))}"] if told else []
    return "; ".join((*missing, *sentences))


def _missing(names: Sequence[str]) -> Iterable[str]:
    # A sum is not known because a column is not.
    columns = [name for name in names if name not in STEPS or name in COLUMNS] or names
    return map(_missing_name, columns)


def _missing_name(name: str) -> str:
    known = MISSING.get(name) or (None if name in COLUMNS else STEPS.get(name))
    return column(name) if known is None else _(known)
