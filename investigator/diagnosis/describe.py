"""Rows of attempts for tables and charts: which try failed, and why, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from investigator.diagnosis.incidents import Row
from investigator.diagnosis.levers import inside, spoken
from investigator.diagnosis.model import AttemptRow, Impact
from investigator.diagnosis.turns import Turn, reason
from investigator.rulebook.findings import EvidenceRef, Finding

_OUTCOMES = {
    "ok": "answered",
    "cut_by_length": "answered, cut by the token limit",
    "client_closed_before_first_byte": "the client left before the first byte",
    "client_closed_mid_stream": "the client left while the answer was being written",
    "client_closed_in_queue": "the client left while the request waited in the queue",
    "client_closed_in_load": "the client left while the model was loading",
    "refused_window": "refused: the prompt is longer than the window",
    "refused_other": "refused by the server",
    "server_error": "the server answered with an error",
    "load_failed": "the model could not be loaded",
    "connection_refused": "nothing listened at the address",
    "connection_reset": "the connection was reset",
    "connection_lost": "the connection broke off",
    "open_at_end": "still open where the log ends",
    "unknown": "how it ended is not known",
}

#: Outcomes of requests whose prompt the server did not read.
_NEVER_READ = ("refused_window", "refused_other", "load_failed", "client_closed_in_queue", "client_closed_in_load")

#: Columns that the tables and charts of a report use.
SHOWN = (
    "call_id", "run_id", "try_no", "tries", "seen_by", "pairing_confidence", "pairing_reasons", "agent",
    "session_id", "model", "route", "arrived_at", "ended_at", "duration_s", "status", "outcome", "failed",
    "error_text", "asked_tokens", "read_tokens", "cached_tokens", "reusable_tokens", "output_tokens",
    "window_tokens", "native_window_tokens", "believed_window_tokens", "prefill_s", "decode_s", "queue_s",
    "load_s", "slot_held_s", "progress_tokens", "timeout_s", "timeout_layer", "timeout_key",
)  # fmt: skip


def refs(row: Row) -> tuple[EvidenceRef, ...]:
    """The row's evidence, `source:line` each, as references."""
    evidence = row.get("evidence")
    texts: list[str] = list(evidence) if isinstance(evidence, (list, tuple)) else []
    return tuple(EvidenceRef(text.rpartition(":")[0], int(text.rpartition(":")[2])) for text in texts)


def attempt_row(row: Row, roots: Sequence[Finding], at_slot: Mapping[str, Turn]) -> AttemptRow:
    """The columns that reports show, and why this try failed: `roots` are the incident's likely causes."""
    columns = {name: row[name] for name in SHOWN}
    return AttemptRow(str(row["attempt_id"]), str(row["call_id"]), columns, why(row, roots, at_slot), refs(row))


def why(row: Row, roots: Sequence[Finding], at_slot: Mapping[str, Turn]) -> str:
    """What became of one try, what its turn at the slot says of it, and the likely causes that speak of it."""
    told = _OUTCOMES.get(str(row["outcome"]), str(row["outcome"]))
    if isinstance(row["duration_s"], (int, float)):
        seconds = round(float(row["duration_s"]), 1)
        # Where nothing listens, the answer never takes time.
        instant = "" if row["outcome"] == "connection_refused" else " at once"
        when = f" after {spoken(seconds, 's')}" if seconds else instant
        what, colon, detail = told.partition(":")
        told = f"{what}{when}{colon}{detail}"
    if turn := reason(row, at_slot):
        told += f": {turn}"
    first, *others = dict.fromkeys(f.title for f in roots if row["attempt_id"] in f.subjects) or [""]
    causes = "; ".join([first, *map(inside, others)])
    return told + (f". {causes}" if causes else "")


def busy_s(rows: Iterable[Row]) -> dict[str, float]:
    """stream → seconds in which at least one of these requests was served; several at once count once, queueing not."""
    spans: dict[str, list[tuple[datetime, datetime]]] = {}
    for row in rows:
        start, end, stream = row["arrived_at"], row["ended_at"], row["stream"]
        if not isinstance(start, datetime) or not isinstance(end, datetime) or stream is None:
            continue
        queued = row["queue_s"]
        served = start + timedelta(seconds=float(queued)) if isinstance(queued, (int, float)) else start
        spans.setdefault(str(stream), []).append((min(served, end), end))
    return {stream: _union(found).total_seconds() for stream, found in spans.items()}


def _union(spans: Iterable[tuple[datetime, datetime]]) -> timedelta:
    whole, until = timedelta(), datetime.min
    for start, end in sorted(spans):
        whole += max(end - max(start, until), timedelta())
        until = max(until, end)
    return whole


def impact(failed: Sequence[Row], busy: Mapping[str, float] | None = None) -> Impact:
    """Calls and tries that failed, the time they took and the tokens read for nothing; None where nothing is known.

    `busy`: of the whole case, as `busy_s` tells it.
    """
    in_vain = busy_s(failed)
    there = sum((busy or {}).get(stream, 0.0) for stream in in_vain)
    server_s = sum(in_vain.values()) if in_vain else None
    durations = [float(r["duration_s"]) for r in failed if isinstance(r["duration_s"], (int, float))]
    read = [r for r in failed if r["outcome"] not in _NEVER_READ]
    tokens = [r["read_tokens"] for r in read if isinstance(r["read_tokens"], int)]
    return Impact(
        failed_calls=len({row["call_id"] for row in failed}),
        failed_attempts=len(failed),
        wall_s=sum(durations) if durations else None,
        tokens_read_in_vain=sum(tokens) if tokens else None,
        server_s=server_s,
        server_share=server_s / there if server_s is not None and there > 0 else None,
    )
