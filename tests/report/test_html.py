"""The HTML report as text: what it says, what it must never hold, and that it is the same every time."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from itertools import cycle
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from investigator.correlate.narrow import Narrowed
from investigator.diagnosis.model import Hypothesis, Nearest
from investigator.report import render_html, scan
from investigator.rulebook.exceptions import Suppressed

TEMPLATES = Path(__file__).parents[2] / "investigator" / "report" / "templates"
VOID = {"meta", "link", "br", "img", "hr", "input", "wbr"}


class Outline(HTMLParser):
    """Tags, ids, links and visible text of a page; complains of what is not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "title", "desc"):
            self.words.append(data)


def outline(html: str) -> Outline:
    parser = Outline()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser


@pytest.fixture(scope="module")
def page(sample: ModuleType) -> str:
    return render_html(sample.diagnosis())


CASES = ("diagnosis", "several", "empty", "large")


@pytest.mark.parametrize("case", CASES)
def test_is_well_formed_with_unique_ids_and_no_dead_link(sample: ModuleType, case: str) -> None:
    html = render_html(getattr(sample, case)(*((600,) if case == "large" else ())))
    found = outline(html)
    ids = [attrs["id"] for _, attrs in found.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    hrefs = {attrs["href"] for tag, attrs in found.tags if tag == "a"}
    assert all(href and href[0] == "#" and href[1:] in ids for href in hrefs)
    labelled = {name for _, attrs in found.tags for name in (attrs.get("aria-labelledby") or "").split()}
    assert labelled <= set(ids)


@pytest.mark.parametrize(
    "words",
    [
        "146,760", "131,072", "262,144", "366.9 s", "327.7 s", "300 s", "541.7 s", "673.0 s", "436.9 tokens/s", "610 s – 742 s",
        "window 131,072 → 262,144 tokens", "run limit 300 s → 900 s", "ruled out", "Memory did not fit", "The server crashed or restarted",
        "15,688", "PARAMETER num_ctx 262144", "timeoutSeconds", "UTC+01:00", "11:15:22", "not evaluated", "slow-decode.yaml:14:9",
        "truncated", "explains 3 of 3 failed calls", "saves 3 of 3 failed calls", "+1.8 s against the server's", "15 min",
    ],
)  # fmt: skip
def test_says(page: str, words: str) -> None:
    assert words in " ".join("".join(outline(page).words).split())


def test_every_number_of_a_step_links_to_its_line(page: str) -> None:
    row = re.search(r"deepest measured rate</span>.*?</li>", page, re.S)
    assert row is not None
    anchor = re.search(r'href="#(e-\d+-9)"[^>]*>verbose\.txt:9<', row.group())
    assert anchor is not None
    assert f'<details class="ev" id="{anchor.group(1)}">' in page


def test_hostile_text_is_text(page: str) -> None:
    found = outline(page)
    assert not {tag for tag, _ in found.tags} & {"script", "img", "iframe", "object", "link", "form", "input", "base"}
    assert not [name for _, attrs in found.tags for name in attrs if name.startswith("on") or name in {"style", "src"}]
    text = "".join(found.words)
    assert '<script>alert("x")</script><img src=x onerror=alert(1)> {{ 7*7 }} {% raw %} </pre></details>' in text
    assert "⟨ESC⟩[31mred" in text
    assert "⟨U+202E⟩evil⟨U+202C⟩ ⟨U+200B⟩" in text
    assert "\x1b" not in page and "\u202e" not in page


def test_shows_no_secret(sample: ModuleType, page: str) -> None:
    assert not [secret for secret in sample.SECRETS if secret in page]
    assert "/Users/[user-1]/bin/ollama" in page
    assert "Authorization: Bearer [token-1]" in page
    assert scan(page) == []


def test_the_policy_allows_this_style_and_nothing_else(page: str) -> None:
    style = re.search(r"<style>(.*?)</style>", page, re.S)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert f'content="{policy}"' in page
    assert "@import" not in page and "url(" not in style.group(1)


def test_same_bytes_twice_and_whatever_the_zone(sample: ModuleType, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    assert render_html(sample.diagnosis()) == page


def test_sizes_stay_small(sample: ModuleType, page: str) -> None:
    assert len(page.encode()) < 200_000
    html = render_html(sample.large())
    assert len(html.encode()) < 500_000
    assert "left out" in html and "at once on average" in html


def test_unknown_stays_unknown(sample: ModuleType) -> None:
    text = " ".join("".join(outline(render_html(sample.several())).words).split())
    bare = text[text.index("One call failed; the nearest rule missed it") :]
    assert "not known" in bare[: bare.index("Evidence")]
    assert "outcome not known" in bare


@pytest.mark.parametrize("kind", ["insufficient", "unexplained", "healthy"])
def test_a_case_without_incident(sample: ModuleType, kind: str) -> None:
    text = "".join(outline(render_html(sample.empty(kind, "Collect the server log."))).words)
    assert "Collect the server log." in text
    assert "Smallest change" not in text


def test_templates_never_switch_escaping_off() -> None:
    found = list(TEMPLATES.glob("*.j2"))
    assert len(found) >= 4
    for template in found:
        assert not re.search(r"\|\s*safe|Markup\(|autoescape|style=", template.read_text()), template.name


def test_a_giant_case_is_capped_and_says_so(sample: ModuleType) -> None:
    base = sample.diagnosis()
    first = base.incidents[0]
    long = tuple(replace(f, long="y" * 40_000) for f in first.findings)
    case = replace(base, incidents=tuple(replace(first, incident_id=f"i{n}", findings=long) for n in range(30)))
    html = render_html(case)
    assert len(html.encode()) < 2_000_000
    assert "22 more incidents left out" in html


def _poisoned(value: Any, payloads: Iterator[str]) -> Any:
    """Every free text of a diagnosis with a payload behind it; codes that the model names stay."""
    codes = {"cause_found", "high", "medium", "low", "measured", "derived", "estimated", "cause", "symptom", "ruled-out", "advice", "fired", "quiet", "not_evaluated",
             "error", "contributes", "ruled_out", "cannot_tell", "yes", "might", "no", "kept", "fetched", "rotated_away", "agent", "server", "limit",
             "call", "prefill", "abandoned", "load", "decode", "tokens", "s", "tps", "ratio", "s/tok2", "passes", "fails", "fits", "does_not_fit",
             "benchmark"}  # fmt: skip
    if isinstance(value, str):
        return value if value in codes else value + next(payloads)
    if isinstance(value, tuple):
        return tuple(_poisoned(item, payloads) for item in value)
    if isinstance(value, Mapping):
        return {key: _poisoned(item, payloads) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _poisoned(getattr(value, f.name), payloads) for f in fields(value)})
    return value


def test_payloads_in_every_field_stay_text(sample: ModuleType, payloads: list[str]) -> None:
    assert len(set(payloads)) >= 200
    html = render_html(_poisoned(sample.several(), cycle(payloads)))
    found = outline(html)
    clean = outline(render_html(sample.several()))
    assert {tag for tag, _ in found.tags} <= {tag for tag, _ in clean.tags}
    assert {name for _, attrs in found.tags for name in attrs} <= {name for _, attrs in clean.tags for name in attrs}
    assert all((attrs.get("href") or "#").startswith("#") for _, attrs in found.tags)
    assert "{{ 7*7 }}" in "".join(found.words) and "49" not in re.findall(r"\b49\b", "".join(found.words))


def test_advice_without_a_text_to_paste(sample: ModuleType) -> None:
    base = sample.diagnosis()
    bare = tuple(replace(fix, text="") for fix in base.incidents[0].fixes)
    html = render_html(replace(base, incidents=(replace(base.incidents[0], fixes=bare),)))
    part = html[html.index('id="i1-fix"') : html.index("Other findings")]
    assert "<pre" not in part and part.count('class="fix advice"') == len(bare)
    assert "Ready to paste" not in html and "What to change" in part
    mixed = render_html(replace(base, incidents=(replace(base.incidents[0], fixes=(*bare, *base.incidents[0].fixes)),)))
    assert "Ready to paste" in mixed and mixed.count('class="fix advice"') == len(bare)


def test_quiet_causes_told_together_are_a_list_to_unfold(sample: ModuleType) -> None:
    base = sample.diagnosis()
    others = Hypothesis(
        "others", None, "2 other causes", "ruled_out", (), ("The disk was full", "A proxy cut"), None, ()
    )
    html = render_html(replace(base, incidents=(replace(base.incidents[0], differential=(others,)),)))
    row = re.search(r"<strong>2 other causes</strong>.*?</tr>", html, re.S)
    assert row is not None and "<code>others" not in row.group()
    assert (
        '<details class="names"><summary>their conditions do not hold</summary><ul><li>The disk was full</li>'
        in row.group()
    )


def test_several_incidents_begin_with_an_overview(sample: ModuleType) -> None:
    page = render_html(sample.several())
    table = page.partition('id="overview"')[2].partition("</table>")[0]
    assert [f'href="#i{n}"' in table for n in (1, 2)] == [True, True]
    assert page.index('id="overview"') < page.index('id="i1"')
    assert 'id="overview"' not in render_html(sample.diagnosis())


def test_what_was_left_out_on_request_is_told(sample: ModuleType) -> None:
    left_out = Suppressed("load-slow", "Slow load", "known: the old disk", "2026-12-31", "it took 30 s")
    page = render_html(replace(sample.diagnosis(), suppressed=(left_out,)))
    table = page.partition('id="suppressed"')[2].partition("</table>")[0]
    assert all(text in table for text in ("load-slow", "known: the old disk", "2026-12-31", "Slow load: it took 30 s"))


def test_a_narrowed_report_says_so(sample: ModuleType) -> None:
    narrowed = Narrowed((("since", "2026-02-18 11:00:00 UTC"), ("model", "qwen3")), 4, 1234, 2)
    page = render_html(replace(sample.diagnosis(), narrowed=narrowed))
    assert "(since 2026-02-18 11:00:00 UTC, model qwen3): 4 of 1,234 calls are judged and shown; 2 of" in page


def test_unexplained_failures_name_what_nearly_explains_them(sample: ModuleType) -> None:
    near = Nearest("load-slow", "The load took long", "a", 0.9, "load_s: 18 s, the limit is 20 s")
    base = sample.diagnosis()
    incident = replace(base.incidents[0], causes=(), nearest=(near,))
    page = render_html(replace(base, incidents=(incident,)))
    part = page.partition('id="i1-nearest"')[2].partition("</section>")[0]
    assert all(text in part for text in ("The load took long", "18 s, the limit is 20 s", "of the limit"))
