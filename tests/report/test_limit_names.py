"""Limits, settings, prices and notes that a diagnosis takes from the catalogue have German words as well."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from investigator import correlate
from investigator.catalog import load_machines, load_timeouts
from investigator.diagnosis import describe
from investigator.report.language import catalogue, speaking
from investigator.report.limit_names import limit_name
from investigator.report.translated import composed


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("OpenClaw run limit", "Limit von OpenClaw für einen Lauf"),
        ("GitHub Copilot Chat request limit", "Limit von GitHub Copilot Chat für eine Anfrage"),
        ("OpenClaw LLM idle watchdog", "OpenClaws Wächter über ein untätiges Modell"),
        ("agents.defaults.llm.idleTimeoutSeconds (0 disables)", "agents.defaults.llm.idleTimeoutSeconds (0 schaltet es ab)"),
        ("my.setting (a note of mine)", "my.setting (a note of mine)"),
        ("timeout", "timeout"),
    ],
)  # fmt: skip
def test_names_of_limits(english: str, german: str) -> None:
    assert limit_name(english) == english
    with speaking("de"):
        assert limit_name(english) == german


def test_every_name_of_the_catalogue_is_known() -> None:
    """Those that are the same in German stand in de.po as well: somebody has looked at them."""
    known = catalogue("de")
    texts = {name for layer in load_timeouts() for name in (layer.component, layer.keys[0] if layer.keys else "")}
    notes = {limit_name(text).rpartition(" (")[2].rstrip(")") for text in texts - known.keys() if text.endswith(")")}
    bare = {text for text in texts - known.keys() if " " in text and not text.endswith(")")}
    assert (sorted(bare), sorted(note for note in notes - known.keys() if " " in note)) == ([], [])


def test_every_status_of_a_price_is_german() -> None:
    statuses = {machine.price.status or "" for machine in load_machines() if machine.price}
    clauses = {clause for status in statuses for clause in status.split("; ")} - {"current", ""}
    names = {"Mac Studio", "Framework Desktop"}
    with speaking("de"):
        assert len(clauses) > 4 and [clause for clause in clauses - names if composed(clause) == clause] == []


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("built-in default of pi 0.70.2 and older; the version that ran is not known; it fits how long the call lasted",
         "eingebaute Vorgabe von pi 0.70.2 und älter; welche Version lief, ist nicht bekannt; sie passt zur Dauer des Aufrufs"),
        ("default of Node.js global fetch (undici), kept by OpenClaw 2026.3.2 and older",
         "Vorgabe von Node.js global fetch (undici), beibehalten von OpenClaw 2026.3.2 und älter"),
        ("memory of the device less what the driver takes", "Speicher des Geräts ohne das, was der Treiber nimmt"),
        ("memory of 2 devices together less what the driver takes",
         "Speicher von 2 Geräten zusammen ohne das, was der Treiber nimmt"),
        ("fitted to 1 request of this case, the deepest at 20,000 tokens",
         "angepasst an 1 Anfrage dieses Falls, die tiefste bei 20,000 Token"),
        ("moved from A (B) over C by the vendor's peak figures", "umgerechnet von A (B) über C nach den Spitzenwerten des Herstellers"),
        ("the limit raised from 300 s to 720 s and the KV cache kept as q8_0",
         "das Limit von 300 s auf 720 s erhöht und den KV-Cache als q8_0 gehalten"),
        ("times of a/server.log", "Zeiten von a/server.log"),
    ],
)  # fmt: skip
def test_notes_by_their_form(english: str, german: str) -> None:
    with speaking("de"):
        assert composed(english) == german


def notes_of_correlate() -> Iterator[str]:
    """Literals that stand as `note=` or in a name that does."""
    for path in sorted(Path(correlate.__file__).parent.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        told = {
            key.value.id
            for key in ast.walk(tree)
            if isinstance(key, ast.keyword) and key.arg == "note" and isinstance(key.value, ast.Name)
        }
        for node in ast.walk(tree):
            named = isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id in told for t in node.targets)
            value = node.value if named or (isinstance(node, ast.keyword) and node.arg == "note") else None  # type: ignore[attr-defined]
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value


def test_every_note_on_a_number_is_german() -> None:
    notes = set(notes_of_correlate())
    with speaking("de"):
        assert len(notes) > 15 and sorted(note for note in notes if composed(note) == note) == []


def test_every_ending_of_a_try_is_german() -> None:
    with speaking("de"):
        assert [words for words in describe._OUTCOMES.values() if composed(words) == words] == []
