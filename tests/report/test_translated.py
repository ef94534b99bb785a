"""Rules bring their words in other languages: the German page is made of them, the other formats stay English."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest

from investigator.diagnosis.model import Diagnosis, Nearest, Verdict
from investigator.report import render_html, render_json
from investigator.report.language import speaking
from investigator.report.translated import composed, in_language
from investigator.rulebook.findings import EvidenceRef, Remedy, Said


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


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("the limit raised from 300 s to 720 s", "das Limit von 300 s auf 720 s erhöht"),
        ("130,212 tokens are read in about 540 s (470 to 620 s), the limit is 720 s",
         "130,212 Token werden in etwa 540 s gelesen (470 bis 620 s), das Limit ist 720 s"),
        ("it was never read, because the server still read the prompt of try 2 for a client that had left",
         "sie wurde nie gelesen, weil der Server noch den Prompt von Versuch 2 für einen Client las, der gegangen war"),
        ("2 model calls and no failure that needs attention; 1 remark below.",
         "2 Modellaufrufe und kein Fehlschlag, der Beachtung braucht; 1 Bemerkung unten."),
        ("130,212 tokens were not read in 788 s, the limit is 300 s",
         "130,212 Token waren nach 788 s nicht gelesen, das Limit ist 300 s"),
        ("Calls failed and no rule explains why", "Aufrufe schlugen fehl, und keine Regel erklärt, warum"),
        ("the file is damaged or cut (EOF); what came before was read",
         "die Datei ist beschädigt oder abgeschnitten (EOF); was davor kam, wurde gelesen"),
        ("load time: 18 s, the limit is 20 s", "load time: 18 s, die Grenze ist 20 s"),
        ("qwen2.5 tokens v3 tokens", "qwen2.5 tokens v3 tokens"),
    ],
)  # fmt: skip
def test_sentences_of_a_diagnosis_by_their_form(english: str, german: str) -> None:
    assert composed(english) == english
    with speaking("de"):
        assert composed(english) == german


def test_what_a_log_said_stays_as_it_was(translated: Diagnosis) -> None:
    said = "model requires more memory (71.3 GiB) than there is, after 3 s, 1,000 tokens"
    incident = translated.incidents[0]
    quoting = replace(incident.findings[0], columns={"said": said}, texts={}, short=said, long=f'It said "{said}".')
    told = in_language_de(replace(translated, incidents=(replace(incident, findings=(quoting,)),)))
    assert told.incidents[0].findings[0].short == said


def test_titles_of_rules_that_did_not_fire_are_translated(translated: Diagnosis) -> None:
    told = in_language_de(
        replace(translated, titles={"de": {translated.incidents[0].differential[0].title: "Die Annahme"}})
    )
    assert told.incidents[0].differential[0].title == "Die Annahme"


def in_language_de(diagnosis: Diagnosis) -> Diagnosis:
    with speaking("de"):
        return in_language(diagnosis)


def test_paths_are_no_sentences(translated: Diagnosis) -> None:
    path = "still open where the log ends/text of no known format.log"
    incident = translated.incidents[0]
    finding = replace(incident.findings[0], evidence=(EvidenceRef(path, 1),))
    base = replace(translated, incidents=(replace(incident, findings=(finding,)),))
    assert in_language_de(base).incidents[0].findings[0].evidence == (EvidenceRef(path, 1),)


def test_names_of_limits_inside_a_rules_words(translated: Diagnosis) -> None:
    incident = translated.incidents[0]
    said = Said(
        "Titel",
        "kurz",
        "Der Client (OpenClaw run limit) wartet.",
        (("raise k (0 disables)", "k (0 disables) erhöhen"),),
    )
    columns = {"timeout_layer": "OpenClaw run limit", "timeout_key": "k (0 disables)"}
    long = "The client (OpenClaw run limit) waits."
    finding = replace(
        incident.findings[0], columns=columns, texts={"de": said}, long=long,
        remedies=(Remedy("raise k (0 disables)", "client", None),),
    )  # fmt: skip
    told = (
        in_language_de(replace(translated, incidents=(replace(incident, findings=(finding,)),)))
        .incidents[0]
        .findings[0]
    )
    assert told.long == "Der Client (Limit von OpenClaw für einen Lauf) wartet."
    assert told.remedies[0].do == "k (0 schaltet es ab) erhöhen"


def test_what_nearly_explains_it_is_german(translated: Diagnosis) -> None:
    miss = Nearest("r", "t", "a", 0.9, "load s: 18 s, the limit is 20 s", {"de": "Ladezeit: 18 s, the limit is 20 s"})
    column = Nearest("r", "t", "a", 0.9, "load s: 18 s, the limit is 20 s")
    incident = replace(translated.incidents[0], nearest=(miss, column))
    html = render_html(replace(translated, incidents=(incident,)), lang="de")
    assert "Ladezeit: 18 s, die Grenze ist 20 s" in html and "Ladezeit des Modells: 18 s, die Grenze ist 20 s" in html


def test_words_in_a_sum_are_german(translated: Diagnosis) -> None:
    incident = translated.incidents[0]
    step = replace(incident.findings[0].steps[0], name="new", expr="63.6 s ÷ unknown", value=None)
    finding = replace(incident.findings[0], steps=(step,))
    html = render_html(replace(translated, incidents=(replace(incident, findings=(finding,)),)), lang="de")
    assert "63,6 s ÷ unbekannt" in html
