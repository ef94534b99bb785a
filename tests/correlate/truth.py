"""Measures of `correlate` against the recorded truth of real agent runs (wire captures, never shown to the tool)."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from visible import visible_failures

from investigator.casefile.case import Case
from investigator.casefile.ingest import ingest
from investigator.correlate import correlate
from investigator.correlate.outcomes import SUCCESSES
from investigator.yamltext import load as load_yaml

ANSWERS = ("truth.yaml", "wire.jsonl")
_PROCESSING = timedelta(seconds=0.5)
_CLOSED = (
    "client_closed_before_first_byte",
    "client_closed_mid_stream",
    "client_closed_in_queue",
    "client_closed_in_load",
)
_LOST = ("connection_refused", "connection_reset", "connection_lost")
#: Failures on the wire → outcomes that tell of them. Reset and refused look alike to most clients.
KINDS: dict[str, tuple[str, ...]] = {
    "http_400": ("refused_window", "refused_other"),
    "http_500": ("server_error", "load_failed"),
    "http_503": ("refused_other", "server_error"),
    "client_closed": _CLOSED,
    "connection": _LOST,
}

Tables = Mapping[str, pl.DataFrame]


@dataclass
class Measured:
    """One run: per kind of failure (on the wire, visible, found), server facts that disagree, pairs."""

    name: str
    failures: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    pairs: tuple[int, int, int] | None = None  # right, found, true; None where truth cannot be derived


def tables_of(run: Path, workspace: Path) -> Tables:
    """Derived tables of a copy of the run without the answers."""
    copy = workspace / "run"
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns(*ANSWERS))
    with Case(None) as case:
        ingest([copy], case)
        return correlate(case.facts(), case.sources())


def measure(run: Path, tables: Tables) -> Measured:
    truth = load_yaml((run / "truth.yaml").read_text(encoding="utf-8"))["expected"]
    found = Measured(f"{run.parent.name}/{run.name}")
    found.failures = _failures(run, truth, tables)
    found.wrong = _server_facts(truth, tables)
    found.pairs = _pairs(run, tables)
    return found


def _failures(run: Path, truth: Mapping[str, Any], tables: Tables) -> dict[str, tuple[int, int, int]]:
    outcomes = Counter(tables["attempts"]["outcome"].to_list())
    on_wire: Counter[str] = Counter()
    for kind, count in (truth.get("failures") or {}).items():
        name = next((k for k in KINDS if kind.startswith(k)), None)
        if name is not None:
            on_wire[name] += count if isinstance(count, int) else 1
    visible = visible_failures(run, truth, on_wire)
    return {
        kind: (wire, visible[kind], sum(outcomes[outcome] for outcome in KINDS[kind]))
        for kind, wire in sorted(on_wire.items())
    }


def _server_facts(truth: Mapping[str, Any], tables: Tables) -> list[str]:
    """Values of the server's log that the tables do not hold."""
    facts, requests = truth.get("server_log_facts") or {}, tables["requests"]
    wrong = []
    window = facts.get("n_ctx_slot_logged")
    if window is not None and window not in tables["model_loads"]["window_tokens"].to_list():
        wrong.append(f"window {window}")
    refused = Counter(requests.filter(pl.col("outcome") == "refused_window")["asked_tokens"].to_list())
    wrong += [
        f"refused {n}" for n in (Counter(r["prompt_tokens"] for r in facts.get("context_exceeded", [])) - refused)
    ]
    tasks = dict(requests.filter(pl.col("task").is_not_null()).select("task", "outcome").rows())
    wrong += [f"cancelled task {n}" for n in facts.get("cancelled_tasks", []) if tasks.get(n, "ok") in SUCCESSES]
    sizes = Counter(requests["asked_tokens"].drop_nulls().to_list())
    wrong += [f"task of {n} tokens" for n in Counter(facts.get("task_n_tokens", [])) - sizes]
    if facts.get("truncated") and not requests["outcome"].is_in(["cut_by_length"]).any():
        wrong.append("truncated")
    timed = requests.filter(pl.col("prefill_s").is_not_null()).select("prefill_new_tokens", "prefill_s").rows()
    seen = Counter((tokens, round(1000 * seconds, 2)) for tokens, seconds in timed)
    wrong += [f"read {r}" for r in Counter((r["tokens"], r["ms"]) for r in facts.get("prompt_eval", [])) - seen]
    return wrong


def _pairs(run: Path, tables: Tables) -> tuple[int, int, int] | None:
    """Wire requests in time order go with the server's tasks in order, where the counts agree.

    The call that owns a wire request is the only one whose time holds it, from its first byte to its last; the clock
    of the wire is the agent's. Of a call without a known start the end has to agree. Requests that several calls hold
    are not judged.
    """
    wire = run / "wire.jsonl"
    lines = wire.read_text(encoding="utf-8").splitlines() if wire.is_file() else []
    posts = [r for r in map(json.loads, lines) if r["method"] == "POST" and "models" not in r["path"]]
    posts.sort(key=lambda r: _utc(r["ts"]))
    tasks = tables["requests"].filter("inference").sort("task", nulls_last=True)
    if not posts or tasks.height != len(posts) or tasks["task"].null_count():
        return None
    calls = tables["agent_calls"].select("call_id", "agent", "started_at", "ended_at").to_dicts()
    slack = {agent: _slack_of([c for c in calls if c["agent"] == agent]) for agent in {c["agent"] for c in calls}}
    true: set[tuple[str, str]] = set()
    unclear: set[str] = set()
    for request, post in zip(tasks["request_id"], posts, strict=True):
        around = [c["call_id"] for c in calls if _holds(c, post, slack[c["agent"]])]
        if len(around) == 1:
            true.add((request, around[0]))
        elif around:
            unclear.add(request)
    both = tables["attempts"].filter(pl.col("seen_by") == "both").select("attempt_id", "call_id").rows()
    found = {pair for pair in both if pair[0] not in unclear}
    return len(found & true), len(found), len(true)


def _slack_of(calls: list[dict[str, Any]]) -> timedelta:
    """Resolution of an agent's stamps, and what its processing takes."""
    stamps = [c[name] for c in calls for name in ("started_at", "ended_at") if c[name] is not None]
    whole = all(stamp.microsecond == 0 for stamp in stamps)
    return _PROCESSING + (timedelta(seconds=1) if whole else timedelta())


def _holds(call: dict[str, Any], post: dict[str, Any], slack: timedelta) -> bool:
    begun, ended = call["started_at"], call["ended_at"]
    came, left = _utc(post["ts"]), _utc(post["ended"])
    if begun is None:
        return ended is not None and abs(left - ended) <= slack
    step = slack - _PROCESSING
    return bool(begun - slack <= came and (ended is None or (left <= ended + slack and came <= ended + step)))


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)
