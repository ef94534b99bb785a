"""German: nothing fixed is untranslated, numbers have the language's form, what logs and programs say stays."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from investigator.report import render_html, render_markdown, scan, words
from investigator.report.language import _, catalogue, current, entries, figures, figures_in, speaking

REPORT = Path(words.__file__).parent
TEMPLATES = sorted((REPORT / "templates").glob("*.j2"))
TOKEN = re.compile(r"(\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<(?:\{\{.*?\}\}|\{%.*?%\}|[^>])*?>)", re.S)
#: Names, not words; the same in every language.
NAMES = {"investigator", "url(#", "SHA-256"}


def template_texts() -> Iterator[str]:
    for path in TEMPLATES:
        for found in re.finditer(r"""_\((?:'([^']*)'|"([^"]*)")\)""", path.read_text(encoding="utf-8")):
            yield found[1] or found[2]


def module_texts() -> Iterator[str]:
    """Literals given to `_` or `plural` in the package's modules."""
    for path in sorted(REPORT.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            literals = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if node.func.id == "_" and literals:
                yield literals[0]
            if node.func.id == "plural" and literals and path.name != "sarif.py":
                yield from (literals[0], literals[1] if len(literals) > 1 else literals[0] + "s")


def word_texts() -> Iterator[str]:
    for table in (
        words.VERDICTS,
        words.HYPOTHESES,
        words.SAVES,
        words.OUTCOMES,
        words.RULE_OUTCOMES,
        words.CHANCES,
        words.FITS,
        words.BASES,
        words.SPAN_KINDS,
    ):
        yield from table.values()
    yield from ("info", "low", "medium", "high", "critical", "measured", "derived", "estimated")


@pytest.mark.parametrize("source", [template_texts, module_texts, word_texts])
def test_every_fixed_string_is_translated(source: object) -> None:
    texts = set(source())  # type: ignore[operator]
    assert len(texts) >= 20 and sorted(texts - catalogue("de").keys()) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_no_bare_words(path: Path) -> None:
    text = re.sub(r"\{% macro fill_of.*?endmacro %\}", "", path.read_text(encoding="utf-8"), flags=re.S)
    bare = [t.strip() for t in TOKEN.split(text) if not t.startswith(("{", "<")) and re.search(r"[A-Za-z]{2}", t)]
    assert [t for t in bare if not any(name in t for name in NAMES)] == []
    assert not re.search(r"""(?:aria-label|data-label|title)="[A-Za-z]""", text.replace('title="SHA-256"', ""))


def test_the_catalogue_is_sound() -> None:
    text = (REPORT / "locale" / "de.po").read_text(encoding="utf-8")
    found = list(entries(text))
    assert len(found) == len({original for original, _text in found}) == text.count("\nmsgid ") - 1
    holes = re.compile(r"\{\w+\}")
    assert [
        o
        for o, t in found
        if sorted(holes.findall(o)) != sorted(holes.findall(t)) or o[:1].isspace() != t[:1].isspace()
    ] == []


def test_entries_join_lines_and_skip_what_is_not_translated() -> None:
    po = 'msgid ""\nmsgstr ""\n"Language: de\\n"\n\n#: x\nmsgid "a "\n"\\"b\\""\nmsgstr "ä "\n"c"\n\nmsgid "none"\nmsgstr ""\n'
    assert list(entries(po)) == [('a "b"', "ä c")]


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("146,760 tokens ÷ 436.9 tokens/s", "146.760 tokens ÷ 436,9 tokens/s"), ("366.9 s – 1,234.5 s", "366,9 s – 1.234,5 s"),
        ("qwen2.5:7b 0.9.0 server.log:1,2", "qwen2.5:7b 0.9.0 server.log:1,2"), ("17.3 GiB, 5.5 % of 3", "17,3 GiB, 5,5 % of 3"),
        ("127.0.0.1 v1.5 x", "127.0.0.1 v1.5 x"), ("+ 7.957e-8 s/token²", "+ 7,957e-8 s/token²"), ("7.58 times", "7,58 times"), ("41.3 of 48.0 GiB", "41,3 of 48,0 GiB"), ("a, 12 and 1,000", "a, 12 and 1.000"),
    ],
)  # fmt: skip
def test_numbers_in_sentences(english: str, german: str) -> None:
    assert figures_in(english) == english
    with speaking("de"):
        assert figures_in(english) == german and figures("1,234.5") == "1.234,5"
    assert current() == "en" and _("verdict") == "verdict"


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="fr"), speaking("fr"):
        pass


@pytest.fixture(scope="module")
def german(sample: ModuleType) -> str:
    return render_html(sample.diagnosis(), lang="de")


def test_the_page_is_german(sample: ModuleType, german: str) -> None:
    assert '<html lang="de">' in german and scan(german) == []
    for text in (
        "Ursache gefunden",
        "Die Rechnung",
        "146.760",
        "366,9 s",
        "Was nicht geholfen hätte",
        "gemessen",
        "Versuch 1 von 3",
    ):
        assert text in german, text
    left = [t for t in set(template_texts()) if re.search(rf">\s*{re.escape(t)}\s*<", german) and _german(t) != t]
    assert left == []


def _german(text: str) -> str:
    return catalogue("de").get(text, text)


def test_the_logs_own_words_stay(sample: ModuleType, german: str) -> None:
    gone = "(line no longer there)"
    english = render_html(sample.diagnosis()).replace(gone, _german(gone))
    lines = re.compile(r'<ol class="lines">.*?</ol>', re.S)
    german, english = (re.sub(r"… \([\d.,]+ [\w ]+\)", "…", text) for text in (german, english))
    assert lines.findall(german) == lines.findall(english) != []
    pastes = re.compile(r"<pre .*?<code>(.*?)</code></pre>", re.S)
    assert pastes.findall(german) == pastes.findall(english) != []


def test_english_is_the_default_and_german_leaves_no_trace(sample: ModuleType) -> None:
    before = render_html(sample.diagnosis()), render_markdown(sample.diagnosis())
    assert "Hätte geholfen" in render_markdown(sample.diagnosis(), lang="de")
    assert (render_html(sample.diagnosis()), render_markdown(sample.diagnosis())) == before
