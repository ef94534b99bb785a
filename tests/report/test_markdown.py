from __future__ import annotations

import re
from dataclasses import replace
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.report import render_markdown, scan
from investigator.report.markdown import SUMMARY_BYTES, TOTAL_CHARS, code, fence, plain


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("@everyone see #42", "@ everyone see # 42"),
        ("<img src=x>", "&lt;img src=x&gt;"),
        ("[a](https://x.example)", "\\[a\\](https:\\/\\/x.example)"),
        ("*b* _i_ `c` ~s~ | cell", "\\*b\\* \\_i\\_ \\`c\\` \\~s\\~ \\| cell"),
        ("# head", "\\# head"),
        ("1. item", "1\\. item"),
        ("- item", "\\- item"),
        ("366.9 s", "366.9 s"),
        ("two\nlines", "two lines"),
    ],
)
def test_plain(given_text: str, shown: str) -> None:
    assert plain(given_text) == shown


@pytest.mark.parametrize("text", ["plain", "a ``` b", "```````", "`x`\n````"])
def test_a_fence_is_longer_than_any_run_inside(text: str) -> None:
    opening, *body, closing = fence(text).split("\n")
    assert "\n".join(body) == text
    assert opening == closing and opening not in text


@given(st.text())
def test_plain_never_pings_nor_links(text: str) -> None:
    shown = plain(text)
    assert not re.search(r"@\w|#\d|(?<!\\)[\[\]`|]|<|://", shown)
    assert "\n" not in shown


@given(st.text(alphabet="`ab |\n", min_size=1))
def test_code_is_one_span(text: str) -> None:
    shown = code(text)
    ticks = re.match(r"`+", shown)
    assert ticks is not None and shown.endswith(ticks.group())
    assert "\n" not in shown and "|" not in shown


def summary(markdown: str) -> str:
    return markdown.split("\n### Ready to paste", maxsplit=1)[0]


def test_the_summary_fits_a_comment_and_says_what_matters(sample: ModuleType) -> None:
    text = summary(render_markdown(sample.diagnosis()))
    assert len(text.encode()) <= SUMMARY_BYTES
    for words in ("146,760", "131,072", "262,144", "366.9 s", "327.7 s", "300 s", "Both must change", "**Ruled out:**", "900 s"):  # fmt: skip
        assert words in text
    assert "` `" not in text  # a number alone is no sum


def test_details_follow(sample: ModuleType) -> None:
    text = render_markdown(sample.diagnosis())
    for words in (
        "### Ready to paste",
        "PARAMETER num_ctx 262144",
        "Try 2 of 3",
        "### Every hypothesis",
        "### Evidence",
        "### What was read",
    ):
        assert words in text


def test_log_text_stays_inside_its_fence(sample: ModuleType) -> None:
    text = render_markdown(sample.diagnosis())
    outside = re.sub(r"^(`{3,})\w*\n.*?^\1$", "", text, flags=re.S | re.M)
    assert "<script>" not in outside and "@everyone" not in outside and "onerror" not in outside
    assert "<script>" in text
    assert "\x1b" not in text and "\u202e" not in text


def test_shows_no_secret_and_is_the_same_twice(sample: ModuleType) -> None:
    text = render_markdown(sample.diagnosis())
    assert not [secret for secret in sample.SECRETS if secret in text]
    assert scan(text) == []
    assert text == render_markdown(sample.diagnosis())


def test_a_huge_case_is_cut_and_says_so(sample: ModuleType) -> None:
    base = sample.diagnosis()
    long = tuple(replace(h, evidence_for=("y" * 3_000,)) for h in base.incidents[0].differential * 8)
    text = render_markdown(replace(base, incidents=(replace(base.incidents[0], differential=long),)))
    assert len(text) < TOTAL_CHARS + 1_000
    assert "Left out to fit a comment: hypotheses" in text


@pytest.mark.parametrize("case", ["several", "empty"])
def test_other_cases(sample: ModuleType, case: str) -> None:
    assert render_markdown(getattr(sample, case)()).startswith("## ")


def test_tables_and_headings_are_german_too(sample: ModuleType) -> None:
    told = render_markdown(sample.diagnosis(), lang="de")
    assert "| Hypothese | Urteil | dafür | dagegen | zu sammeln |" in told and "| Regel | Art | Ausgang |" in told
    left = ("| the sum |", "failed calls", " **and** ", "times in", "### Every")
    assert [text for text in left if text in told] == []
