"""Which limit ended an attempt, or would have: the agent's own words, its settings, known limits, equal durations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from investigator.catalog import TimeoutLayer, TimeoutMatch, find_timeout, match_timeouts
from investigator.catalog.version_range import in_words, includes

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
    "continue": "Continue",
    "copilot-chat": "GitHub Copilot Chat",
    "crush": "Crush",
    "gemini-cli": "Gemini CLI",
    "goose": "Goose",
    "gptme": "gptme",
    "kilo-code": "Kilo Code",
    "litellm": "LiteLLM",
    "mini-swe-agent": "mini-swe-agent",
    "open-webui": "Open WebUI",
    "openhands": "OpenHands",
    "qwen-code": "Qwen Code",
    "roo-code": "Roo Code",
    "swe-agent": "SWE-agent",
}
_ROUND_S = (30, 60, 90, 120, 180, 240, 300, 600, 900, 1800, 3600, 7200)
_NEAR = 0.02
_NEAR_S = 2.0
EQUAL = 0.01  # durations of one limit differ by less
_SHORTEST_S = 10.0  # shorter repeats are chance, or a user's hand
_ROUND_NEAR = (-1.5, 4.0)
_PROMPT_S = 0.9  # an agent's own timer fires within this
_LATE_S = 10.0
_MOST_TRIES = 4
_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 8.0  # the SDKs' first pause between tries; each next one is twice as long, up to this


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
    version: str | None = None


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
    own = _sharper(ending, _by_setting(ending)) or _by_words(ending) or _by_hidden_tries(ending) or _by_catalog(ending)
    return own or _by_duration(ending) or _longer_than_seen(ending)


def _sharper(ending: Ending, setting: Limit | None) -> Limit | None:
    """A timer of the agent's own fires within a second; a known limit of equal size that fires late fits better then.

    300.0 s is a run limit of 300 s, 301.4 s is Node's header limit under it (agent-logs.md §0.3).
    """
    if setting is None or ending.duration_s is None or ending.duration_s - setting.seconds <= _PROMPT_S:
        return setting
    known = next((m for m in _matches(ending) if _fires_late(m.layer, setting.seconds, ending.duration_s)), None)
    return _from_catalog(known, ending) if known is not None else setting


def _fires_late(layer: TimeoutLayer, seconds: float, seen_s: float) -> bool:
    if layer.seconds is None or layer.effective_s is None or abs(layer.seconds - seconds) > _PROMPT_S:
        return False
    return layer.effective_s[1] > seconds + _PROMPT_S and seen_s <= layer.effective_s[1] + _PROMPT_S


def _by_hidden_tries(ending: Ending) -> Limit | None:
    """A limit of one request that fired in each of several tries behind one failure: 10.5 s are two tries of 5 s."""
    if not ending.request_s or ending.duration_s is None:
        return None
    count = next((n for n in range(2, _MOST_TRIES + 1) if _is_tries(ending.duration_s, ending.request_s, n)), None)
    if count is None:
        return None
    note = (
        f"configured; {ending.duration_s:g} s are {count} tries of {ending.request_s:g} s and the pauses between them"
    )
    layer = f"{name_of(ending.agent)} request limit"
    return Limit(ending.request_s, layer, ending.request_key, "whole_answer", "derived", note)


def _is_tries(seen_s: float, limit_s: float, count: int) -> bool:
    pauses_s = sum(min(_LONGEST_PAUSE_S, _PAUSE_S * float(2**n)) for n in range(count - 1))
    return 0 <= seen_s - count * limit_s <= pauses_s + _PROMPT_S


def _by_words(ending: Ending) -> Limit | None:
    """A limit that the agent's error text names, such as "timed out after 300000ms"."""
    if ending.said_s is None:
        return None
    configured = next((limit for limit, _ in _limits(ending) if abs(limit.seconds - ending.said_s) < 0.5), None)
    if configured is not None:
        return configured
    matches = match_timeouts(ending.said_s, 0.5, name_of(ending.agent) if ending.agent else None, ending.error_text)
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
    found = next(iter(_matches(ending)), None)
    return _from_catalog(found, ending) if found is not None else None


def _matches(ending: Ending) -> list[TimeoutMatch]:
    """Known limits of this length that the agent's release may have; words such as "timed out" are everybody's."""
    if ending.duration_s is None or (ending.agent is None and ending.error_text is None):
        return []
    hint = name_of(ending.agent) if ending.agent else None
    matches = match_timeouts(ending.duration_s, _NEAR_S, hint, ending.error_text)
    return [m for m in matches if "seconds" in m.reasons and _is_own(m, ending) and _in_release(m.layer, ending)]


def _is_own(match: TimeoutMatch, ending: Ending) -> bool:
    if match.layer.kind == "proxy":
        return "text" in match.reasons
    return "agent" in match.reasons if ending.agent else "text" in match.reasons


def _in_release(layer: TimeoutLayer, ending: Ending) -> bool:
    """False only where the catalogue's range of releases leaves out the agent's."""
    name = name_of(ending.agent).lower()
    if layer.agent is not None and layer.agent.lower() == name:
        return includes(layer.versions, ending.version) is not False
    about = [text[len(name) :].strip() for text in layer.applies_to if text.lower().startswith(name)]
    return not about or any(includes(text, ending.version) is not False for text in about)


def _from_catalog(match: TimeoutMatch, ending: Ending) -> Limit:
    """An estimate: the catalogue knows a default, nobody logged that it was in force."""
    layer, seen = match.layer, ending.duration_s or 0.0
    owner = (find_timeout(layer.fired_by) if layer.fired_by else None) or layer
    seconds = layer.seconds or seen
    late = seen > seconds + _LATE_S
    told = [_whose_default(layer, owner)]
    if in_words(layer.versions) and not ending.version:
        told.append("the version that ran is not known")
    if late:
        told.append(f"set to {seconds:g} s, seen to end calls after up to {(layer.effective_s or (0, seen))[1]:g} s")
    told.append("it fits how long the call lasted" + (" and what its error says" if "text" in match.reasons else ""))
    if not layer.verified:
        told.append("known at second hand")
    key = next(iter(layer.keys or owner.keys), None)
    seconds = float(round(seen)) if late else seconds
    return Limit(seconds, owner.component, key, _covers(layer), "estimated", "; ".join(told))


def _whose_default(layer: TimeoutLayer, owner: TimeoutLayer) -> str:
    """`built-in default of pi 0.70.2 and older`, also where it is a library's that the agent does not change."""
    versions = in_words(layer.versions)
    whose = " ".join(filter(None, (layer.agent or layer.component, versions)))
    return f"built-in default of {whose}" if owner is layer else f"default of {owner.component}, kept by {whose}"


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
