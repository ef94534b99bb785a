"""The secrets corpus: none of it in any output, and innocent numbers stay."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from investigator.diagnosis.model import Diagnosis, InputProblem, Verdict
from investigator.errors import UsageProblem
from investigator.report import (
    Redaction,
    render_html,
    render_json,
    render_junit,
    render_markdown,
    render_sarif,
    scan,
)
from investigator.report.clean import clean
from investigator.report.redact import Redactor
from investigator.report.redact_rules import gitleaks

RENDERERS = {
    "html": render_html,
    "md": render_markdown,
    "json": render_json,
    "sarif": render_sarif,
    "junit": render_junit,
}


def shown(value: str) -> str:
    """What of a secret a line can hold: of a block its first line of text."""
    return value.split("\n")[1] if "\n" in value else value


def test_the_corpus_is_large(corpus: ModuleType) -> None:
    secrets = corpus.planted()
    assert len({s.value for s in secrets}) >= 300 and len({s.kind for s in secrets}) >= 40
    assert {name for name, _, _ in corpus.lines(secrets)} == set(corpus.LINES)


def test_every_kind_in_every_format_is_masked(corpus: ModuleType) -> None:
    missed = [
        (name, secret.kind)
        for secret in corpus.planted(each=2)
        for name, line in corpus.LINES.items()
        if shown(secret.value) in Redactor().mask(line(secret.text))
    ]
    assert missed == []


#: Kinds whose beginning looks like nothing in particular.
FACELESS = {"ollama", "mailgun", "twilio", "telegram", "discord", "azure-client", "email", "ipv4", "ipv6", "mac", "pem"}


@pytest.mark.parametrize("end", ["", " … 1,200 more characters", "..."])
def test_a_key_that_was_cut_is_masked(corpus: ModuleType, end: str) -> None:
    shown_of = {
        secret.kind: secret.value[: len(secret.value) * 3 // 5]
        for secret in corpus.planted(each=1)
        if secret.kind in corpus.BARE and secret.kind not in FACELESS
    }
    assert [kind for kind, cut in shown_of.items() if cut in Redactor().mask(f"401 with {cut}{end}")] == []


def test_one_pass_over_a_whole_log_misses_nothing(corpus: ModuleType) -> None:
    masked = Redactor().mask(corpus.log_text(2_000_000))
    assert [s.kind for s in corpus.planted() if shown(s.value) in masked] == []
    assert scan(masked) == [] and "gpubox77" not in masked
    assert masked == Redactor().mask(masked)


def test_innocent_numbers_stay(corpus: ModuleType) -> None:
    texts = corpus.innocents()
    hit = [text for text in texts if Redactor().mask(text) != text]
    assert len(hit) <= len(texts) // 100, hit[:5]


@pytest.mark.parametrize("format_", RENDERERS)
def test_no_secret_in_any_output(leaky: Diagnosis, corpus: ModuleType, format_: str) -> None:
    text = RENDERERS[format_](leaky)
    assert [s.kind for s in corpus.planted() if shown(s.value) in text] == []
    assert "amoon42" not in text and scan(text) == []


def test_no_secret_on_the_terminal(leaky: Diagnosis, corpus: ModuleType) -> None:
    from rich.console import Console

    from investigator.cli.verdict import print_verdict

    console = Console(file=io.StringIO(), width=400)
    print_verdict(console, leaky, None, None)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert [s.kind for s in corpus.planted() if shown(s.value) in text] == []


@pytest.mark.parametrize("format_", RENDERERS)
def test_same_pseudonyms_in_all_formats_and_twice(leaky: Diagnosis, format_: str) -> None:
    assert RENDERERS[format_](leaky) == RENDERERS[format_](leaky)
    assert clean(leaky)[1] == clean(leaky, show_invisible=False)[1]


def test_a_secret_named_once_is_known_everywhere(sample: ModuleType) -> None:
    base = sample.diagnosis()
    bare = "c0ffee9c0ffee9c0ffee9"
    case = replace(
        base,
        verdict=Verdict("cause_found", f"bare {bare} first"),
        problems=(InputProblem("x", "y", f"MISTRAL_API_KEY={bare}"),),
    )
    d, _ = clean(case)
    assert d.verdict.sentence == "bare [secret-1] first" and d.problems[0].message == "MISTRAL_API_KEY=[secret-1]"


@pytest.mark.parametrize("format_", RENDERERS)
def test_without_redaction_the_report_says_so(leaky: Diagnosis, sample: ModuleType, format_: str) -> None:
    text = RENDERERS[format_](leaky, Redaction(on=False))
    assert "amoon42" in text and scan(text)
    marks = {"json": '"redaction": "off"', "sarif": "off: this report", "junit": "off: this report"}
    assert marks.get(format_, "Not redacted: ") in text
    assert marks.get(format_, "Not redacted: ") not in RENDERERS[format_](sample.diagnosis())


def test_a_key_links_reports(sample: ModuleType) -> None:
    one, same, other = (Redactor(Redaction(key=key)) for key in (b"k" * 32, b"k" * 32, b"o" * 32))
    assert one.mask("a@b.example.org c@b.example.org")[:7] == "[email-"
    same.mask("z@b.example.org")
    assert one.mask("c@b.example.org") == same.mask("c@b.example.org") != other.mask("c@b.example.org")
    assert one.mask(one.mask("c@b.example.org")) == one.mask("c@b.example.org")


GITLEAKS = """
[allowlist]
regexes = ['''acme_test''']
[[rules]]
id = "acme"
regex = '''\\b(acme)_([a-z0-9]{8,})'''
secretGroup = 2
keywords = ["ACME_"]
[[rules]]
id = "badge"
regex = '''BADGE-[0-9]{6}'''
"""


def test_a_gitleaks_file_brings_rules(tmp_path: Path) -> None:
    path = tmp_path / "gitleaks.toml"
    path.write_text(GITLEAKS, encoding="utf-8")
    extra = gitleaks(path)
    masked = Redactor(Redaction(extra=extra)).mask("acme_zx81zx81 BADGE-123456 acme_test1234")
    assert masked == "acme_[secret-1] [secret-2] acme_test1234"
    assert [leak.rule for leak in scan("BADGE-123456", extra)] == ["badge"] and scan(masked, extra) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[rules]\n", "cannot be read"), ("[[rules]]\nid='a'\nregex='('\n", "rule a"),
        ("[[rules]]\nid='a'\nregex='(?=x)'\n", "rule a"), ("[[rules]]\nid='a'\nregex='x'\nsecretGroup=2\n", "no group 2"),
    ],
)  # fmt: skip
def test_a_bad_gitleaks_file_is_told(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "gitleaks.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageProblem, match=words):
        gitleaks(path)


PLACES: dict[str, Any] = {
    "http://192.168.1.7:11434 10.0.0.1 127.0.0.1": "http://192.168.1.7:11434 10.0.0.1 127.0.0.1",
    "peer 8.8.8.8, 8.8.4.4 and 8.8.8.8.": "peer [public-ip-1], [public-ip-2] and [public-ip-1].",
    "[2a02:810d::1]:443 [fe80::1] [::1]": "[[public-ip-1]]:443 [fe80::1] [::1]",
    "v550.54.15.11 cuda 12.4.1": "v550.54.15.11 cuda 12.4.1",
    "Feb 18 11:10:22 gpubox ollama[12]: x": "Feb 18 11:10:22 [host-1] ollama[12]: x",
    "2026-02-18T11:10:22+0100 gpubox ollama[12]: x": "2026-02-18T11:10:22+0100 [host-1] ollama[12]: x",
    "Darwin mbp.local 24.1.0 Darwin Kernel": "Darwin [host-1] 24.1.0 Darwin Kernel",
    "http://amoons-mbp.local:11434/api": "http://[host-1]:11434/api",
    "host.docker.internal:11434 /home/ubuntu/x": "host.docker.internal:11434 /home/ubuntu/x",
    "home/amoon/server.log": "home/[user-1]/server.log",
    "git@github.com:amoon/app.git": "git@github.com:[repository-1]",
    "amoon@gpubox:~$ ls": "[user-1]:~$ ls",
    '{"password":"two words, one [x]"}': '{"password":"[secret-1]"}',
    "file:///C:/Users/amoon/x %2Fhome%2Famoon%2Fx": "file:///C:/Users/[user-1]/x %2Fhome%2F[user-1]%2Fx",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ": "data:image/png;base64,[image-1]",
    "icon@2x.png openclaw@2026.2.beta": "icon@2x.png openclaw@2026.2.beta",
    "é@xn.example.org": "[email-1]",
}  # fmt: skip


@pytest.mark.parametrize(("text", "masked"), PLACES.items())
def test_places_people_and_machines(text: str, masked: str) -> None:
    assert Redactor().mask(text) == masked
    assert Redactor().mask(masked) == masked and scan(masked) == []
