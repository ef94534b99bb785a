"""Which limit ended an attempt, or would have: the agent's own words, its settings, known limits, equal durations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import polars as pl

from investigator.catalog import TimeoutLayer, match_timeouts

Covers: TypeAlias = Literal["first_byte", "whole_answer", "idle", "run"]

CLOSED = (
    "client_closed_before_first_byte",
    "client_closed_mid_stream",
    "client_closed_in_queue",
    "client_closed_in_load",
)
_COVERS: dict[str, Covers] = {"headers": "first_byte", "body-idle": "idle"}
_NAMES = {
    "openclaw": "OpenClaw",
    "pi": "pi",
    "claude-code": "Claude Code",
    "codex": "Codex",
    "opencode": "OpenCode",
    "aider": "Aider",
    "cline": "Cline",
}
_ROUND_S = (30, 60, 90, 120, 180, 240, 300, 600, 900, 1800, 3600, 7200)
_NEAR = 0.02
_NEAR_S = 2.0
_EQUAL = 0.01  # durations of one limit differ by less
_SHORTEST_S = 10.0  # shorter repeats are chance, or a user's hand
_ROUND_NEAR = (-1.5, 4.0)


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit with its owner, the setting that changes it, what it covers and how sure this is."""

    seconds: float
    layer: str
    key: str | None
    covers: Covers
    label: Literal["measured", "derived", "estimated"]
    note: str


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known of one attempt's end.

    `call_s`: how long its call lasted; `equal`: attempts that lasted as long, the shortest of them `least_s`.
    """

    agent: str | None
    outcome: str
    duration_s: float | None
    call_s: float | None
    error_text: str | None
    hit_s: float | None
    run_s: float | None
    run_key: str | None
    request_s: float | None
    request_key: str | None
    equal: int
    said_s: float | None = None
    least_s: float | None = None


def limit_of(ending: Ending) -> Limit | None:
    """The limit that ended this attempt or, if none did, the tightest one that is configured; None if unknown.

    The agent's own words come first, then its settings, the catalogue's defaults, and at last durations that repeat.
    """
    if ending.hit_s is not None:
        key = ending.run_key or _run_key(ending.agent)
        return Limit(
            ending.hit_s, f"{name_of(ending.agent)} run limit", key, "run", "measured", "the agent logged it as reached"
        )
    if ending.outcome not in CLOSED:
        return _configured(ending)
    own = _by_setting(ending) or _by_words(ending) or _by_catalog(ending)
    return own or _by_duration(ending) or _longer_than_seen(ending)


def _by_words(ending: Ending) -> Limit | None:
    """A limit that the agent's error text names, such as "timed out after 300000ms"."""
    if ending.said_s is None:
        return None
    configured = next((limit for limit, _ in _limits(ending) if abs(limit.seconds - ending.said_s) < 0.5), None)
    if configured is not None:
        return configured
    matches = match_timeouts(ending.said_s, 0.5, ending.agent, ending.error_text)
    layer = next((m.layer for m in matches if "text" in m.reasons or "agent" in m.reasons), None)
    key = layer.keys[0] if layer is not None and layer.keys else None
    name = layer.component if layer is not None else f"{name_of(ending.agent)} request limit"
    covers: Covers = _covers(layer) if layer is not None else "whole_answer"
    return Limit(ending.said_s, name, key, covers, "measured", "named by the agent's error text")


def name_of(agent: str | None) -> str:
    """The agent's name as people write it."""
    return _NAMES.get(agent or "", agent or "agent")


def _limits(ending: Ending) -> list[tuple[Limit, float | None]]:
    """Configured limits with the duration that each of them sees."""
    found: list[tuple[Limit, float | None]] = []
    who, note = name_of(ending.agent), "configured"
    if ending.request_s:
        limit = Limit(ending.request_s, f"{who} request limit", ending.request_key, "whole_answer", "measured", note)
        found.append((limit, ending.duration_s))
    if ending.run_s:
        found.append((Limit(ending.run_s, f"{who} run limit", ending.run_key, "run", "measured", note), ending.call_s))
    return found


def _configured(ending: Ending) -> Limit | None:
    return min((limit for limit, _ in _limits(ending)), key=lambda limit: limit.seconds, default=None)


def _by_setting(ending: Ending) -> Limit | None:
    return next((limit for limit, seen in _limits(ending) if seen is not None and _near(seen, limit.seconds)), None)


def _longer_than_seen(ending: Ending) -> Limit | None:
    """A configured limit counts for an attempt that something else ended only if it lies beyond that end."""
    later = [limit for limit, seen in _limits(ending) if seen is not None and limit.seconds > seen]
    return min(later, key=lambda limit: limit.seconds, default=None) if ending.agent else None


def _by_catalog(ending: Ending) -> Limit | None:
    """A known default whose duration fits, and whose words or agent fit as well."""
    if ending.duration_s is None or (ending.agent is None and ending.error_text is None):
        return None
    for match in match_timeouts(ending.duration_s, _NEAR_S, ending.agent, ending.error_text):
        layer, why = match.layer, match.reasons
        own = "agent" in why if ending.agent else "text" in why  # words such as "timed out" are everybody's
        if "seconds" in why and own and layer.seconds is not None:
            key = layer.keys[0] if layer.keys else None
            return Limit(
                layer.seconds, layer.component, key, _covers(layer), "derived", f"known default: {', '.join(why)}"
            )
    return None


def _covers(layer: TimeoutLayer) -> Covers:
    return _COVERS.get(layer.kind, "whole_answer")


def _run_key(agent: str | None) -> str | None:
    keys = {"openclaw": "agents.defaults.timeoutSeconds"}
    return keys.get(agent or "")


def _by_duration(ending: Ending) -> Limit | None:
    """Nobody known set it: a round duration, or one that several attempts share to a hundredth."""
    if ending.duration_s is None or ending.duration_s < _SHORTEST_S:
        return None
    low, high = _ROUND_NEAR
    seconds = next((float(limit) for limit in _ROUND_S if low < ending.duration_s - limit < high), None)
    if seconds is None and ending.equal > 1:
        seconds = round(ending.least_s or ending.duration_s, 1)
    if seconds is None:
        return None
    note = "a round duration" if ending.equal < 2 else f"{ending.equal} attempts lasted as long"
    return Limit(seconds, f"fixed limit of {seconds:g} s, owner unknown", None, "first_byte", "estimated", note)


def _near(seen: float, limit: float) -> bool:
    return -1.5 <= seen - limit <= max(_NEAR_S, _NEAR * limit) + 2.0


_COLUMNS = {
    "agent": "agent",
    "outcome": "outcome",
    "duration_s": "waited",
    "call_s": "call_s",
    "error_text": "error_text",
    "hit_s": "hit_s",
    "run_s": "run_s",
    "run_key": "run_key",
    "request_s": "request_s",
    "request_key": "request_key",
    "equal": "equal",
    "said_s": "said_s",
    "least_s": "least_s",
}


def with_limits(attempts: pl.DataFrame) -> pl.DataFrame:
    """`attempts` (the columns of `_COLUMNS`' values) with `limit_*` columns; one look-up per distinct ending."""
    closed = pl.col("outcome").is_in(CLOSED)
    # A task's line says when a slot took it; a call with one request saw the waiting before as well.
    alone = pl.col("call_s").is_not_null() & (pl.len().over("c_unit_id") == 1)
    own = pl.coalesce("client_s", "duration")
    seen = pl.when(alone).then(pl.max_horizontal(own, "call_s")).otherwise(own)
    waited = pl.when(closed).then(seen.round(1))
    equal, least = _equals()
    keyed = attempts.with_columns(
        equal=pl.when(closed).then(equal).otherwise(0).cast(pl.Int64),
        least_s=pl.when(closed).then(least),
        waited=waited,
    )
    keys = list(_COLUMNS.values())
    distinct = keyed.select(keys).unique(maintain_order=True)
    limits = [
        limit_of(Ending(**{field: row[name] for field, name in _COLUMNS.items()})) for row in distinct.rows(named=True)
    ]
    schema = {
        "limit_s": pl.Float64,
        "limit_layer": pl.String,
        "limit_key": pl.String,
        "limit_covers": pl.String,
        "limit_label": pl.String,
        "limit_note": pl.String,
    }
    rows = [(None,) * 6 if x is None else (x.seconds, x.layer, x.key, x.covers, x.label, x.note) for x in limits]
    found = pl.concat([distinct, pl.DataFrame(rows, schema=schema, orient="row")], how="horizontal")
    return keyed.join(found, on=keys, how="left", nulls_equal=True, maintain_order="left").drop(
        "equal", "waited", "least_s"
    )


def _equals() -> tuple[pl.Expr, pl.Expr]:
    """Closed attempts of the same stream that lasted as long (to a hundredth, or to what the log's seconds tell), and
    the shortest of them: what is added to a limit is the time until it was noticed."""
    lasted = pl.coalesce("client_s", "duration")
    width = pl.max_horizontal(pl.lit(1.0), _EQUAL * lasted)
    same = (lasted.round() / width.round()).round()
    closed = pl.col("outcome").is_in(CLOSED)
    shortest = pl.when(closed).then(lasted).min().over("stream", same)
    return closed.sum().over("stream", same), shortest
