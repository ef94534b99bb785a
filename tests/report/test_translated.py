"""Rules bring their words in other languages: the German page is made of them, the other formats stay English."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest

from investigator.diagnosis.model import Diagnosis, Verdict
from investigator.report import render_html, render_json
from investigator.rulebook.findings import Said


@pytest.fixture
def translated(sample: ModuleType) -> Diagnosis:
    """The sample with German words for its first finding."""
    base = sample.diagnosis()
    first, *others = base.incidents[0].findings
    german = Said("Der Titel auf Deutsch", "die kurze Fassung auf Deutsch", "Die lange Fassung auf Deutsch.")
    finding = replace(first, texts={"de": german})
    clause = first.short[:1].lower() + first.short[1:].rstrip(".")
    incident = replace(base.incidents[0], title=first.title, findings=(finding, *others))
    verdict = Verdict("cause_found", f"3 calls failed: {clause}; and something else.")
    found: Diagnosis = replace(base, verdict=verdict, incidents=(incident,))
    return found


def test_the_german_page_speaks_the_rules_words(translated: Diagnosis) -> None:
    page = render_html(translated, lang="de")
    assert "3 Aufrufe sind fehlgeschlagen: die kurze Fassung auf Deutsch; und something else." in page
    assert "Der Titel auf Deutsch" in page and "Die lange Fassung auf Deutsch." in page
    assert translated.incidents[0].findings[0].title not in page


def test_english_stays_english(translated: Diagnosis) -> None:
    for text in (render_html(translated), render_json(translated)):
        assert "auf Deutsch" not in text


def test_steps_and_remedies_speak_too(translated: Diagnosis) -> None:
    incident = translated.incidents[0]
    first, *others = incident.findings
    said = replace(
        first.texts["de"], phrases=((first.steps[0].say, "der erste Schritt"), (first.remedies[0].do, "Abhilfe"))
    )
    told = replace(first, texts={"de": said})
    page = render_html(replace(translated, incidents=(replace(incident, findings=(told, *others)),)), lang="de")
    assert "der erste Schritt" in page and "Abhilfe" in page
    assert first.steps[0].say not in page
