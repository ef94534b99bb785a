"""Which limits explain how long a call lasted, or what it said."""

from __future__ import annotations

import pytest

from investigator.catalog import find_timeout, load_timeouts, match_timeouts


@pytest.mark.parametrize(
    ("query", "first"),
    [
        pytest.param(
            {"seconds": 299.6, "hint": "OpenClaw", "error_text": "embedded run timeout: runId=r1 timeoutMs=300000"},
            "openclaw-run",
            id="set-away-from-its-default",
        ),
        pytest.param({"seconds": 301.2, "error_text": "TypeError: fetch failed"}, "node-fetch-headers", id="node"),
        pytest.param({"seconds": 360.4, "hint": "Cline CLI"}, "bun-fetch-idle", id="measured-range"),
        pytest.param({"error_text": "Ollama request timed out after 30 seconds"}, "cline-ollama-30", id="text-only"),
        pytest.param({"seconds": 100.5, "error_text": "error code: 524"}, "cloudflare-524", id="proxy"),
        pytest.param({"seconds": 300, "hint": "codex"}, "codex-stream-idle", id="agent"),
    ],
)
def test_likeliest_limit(query: dict[str, object], first: str) -> None:
    matches = match_timeouts(**query)  # type: ignore[arg-type]
    assert matches[0].layer.id == first


def test_keys_come_with_the_limit() -> None:
    layer = match_timeouts(error_text="embedded run timeout: runId=r1")[0].layer
    assert "agents.defaults.timeoutSeconds" in layer.keys
    assert find_timeout("openclaw-run") == layer
    assert find_timeout("none") is None


@pytest.mark.parametrize(
    ("seconds", "tolerance_s", "found"),
    [(298, 2, True), (297, 2, False), (297, 3, True), (306, 2, True), (307, 2, False)],
)
def test_tolerance(seconds: float, tolerance_s: float, found: bool) -> None:
    ids = {match.layer.id for match in match_timeouts(seconds, tolerance_s)}
    assert ("node-fetch-headers" in ids) is found


def test_what_ends_no_working_call_needs_its_own_text() -> None:
    assert "ollama-keep-alive" not in {match.layer.id for match in match_timeouts(300)}
    assert "undici-keepalive" in {match.layer.id for match in match_timeouts(error_text="other side closed")}


def test_a_short_name_is_no_part_of_a_word() -> None:
    about = {match.layer.id for match in match_timeouts(600, hint="pi") if "agent" in match.reasons}
    assert not any(layer_id.startswith(("openclaw", "claude")) for layer_id in about)


def test_nothing_asked_nothing_found() -> None:
    assert match_timeouts() == ()
    assert match_timeouts(error_text="") == ()
    assert match_timeouts(seconds=12_345) == ()


@pytest.mark.parametrize("layer", [each for each in load_timeouts() if each.error_texts], ids=lambda each: each.id)
def test_every_limit_is_found_by_its_own_message(layer: object) -> None:
    text = layer.error_texts[0]  # type: ignore[attr-defined]
    assert layer in [match.layer for match in match_timeouts(error_text=f"Error: {text} (attempt 1)")]
