from __future__ import annotations

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from investigator.report.redact import Redactor, scan
from investigator.report.redact_rules import rules

KEY = "sk-ant-api03-Zx9Zx9Zx9Zx9Zx9Zx9Zx9"


@pytest.mark.parametrize(
    ("given_text", "masked"),
    [
        (f"key {KEY}.", "key [key-1]."),
        (f'{{"apiKey":"{KEY}"}}', '{"apiKey":"[secret-1]"}'),
        ('{"apiKey": "placeholder-1"}', '{"apiKey": "[secret-1]"}'),
        ('{\\"api_key\\":\\"placeholder-1\\"}', '{\\"api_key\\":\\"[secret-1]\\"}'),
        (f"Authorization: Bearer {KEY}", "Authorization: Bearer [token-1]"),
        ("authorization: Basic dXNlcjpwYXNz", "authorization: Basic [token-1]"),
        ("Bearer abcdefghijklmnop1234", "Bearer [token-1]"),
        ("Cookie: session=abc; other=def", "Cookie: [cookie-1]"),
        ("postgres://ci:hunter2@db.example.org/x", "postgres://[credentials-1]@db.example.org/x"),
        ("PASSWORD=hunter2hunter2 next", "PASSWORD=[secret-1] next"),
        ("ghp_" + "a1" * 18, "[key-1]"), ("hf_" + "aB" * 17, "[key-1]"), ("AKIA" + "A1" * 8, "[key-1]"),
        ("glpat-" + "a" * 20, "[key-1]"), ("AIza" + "b" * 35, "[key-1]"), ("xoxb-1234567890-abc", "[key-1]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghij", "[token-1]"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", "[key-1]"),
        ("mail alice.moon@example.org now", "mail [email-1] now"),
        ("/Users/amoon/.ollama /home/amoon/x", "/Users/[user-1]/.ollama /home/[user-1]/x"),
        ("C:\\Users\\amoon\\x C:\\\\Users\\\\amoon\\\\x", "C:\\Users\\[user-1]\\x C:\\\\Users\\\\[user-1]\\\\x"),
        ("sessions/--Users-amoon-proj--", "sessions/--Users-[user-1]-proj--"),
        ("a b@c.de, d@e.fg, b@c.de", "a [email-1], [email-2], [email-1]"),
    ],
)  # fmt: skip
def test_masks(given_text: str, masked: str) -> None:
    redactor = Redactor()
    assert redactor.mask(given_text) == masked
    assert redactor.mask(masked) == masked
    assert scan(masked) == []


@pytest.mark.parametrize(
    "innocent",
    [
        "prompt_tokens=146760 n_tokens = 131072 tokens: 20112", "task-1234567890123456789 risk-assessment-of-everything",
        "sha256-1194192cf2a187eb02722edcc3f77b11d21f537048ce04b67ccf8ba78863006a", "time=2026-02-18T11:10:22.981+01:00",
        "2891 tok/s @ 74,560", "/Users/Shared/models", "token 151645, eos_token = 151643", "http://127.0.0.1:11434/v1/chat/completions",
        "qwen3-coder:30b-a3b-q4_K_M@sha256:abc", "agents.defaults.timeoutSeconds", "the bearer of bad news",
    ],
)  # fmt: skip
def test_innocent_text_stays(innocent: str) -> None:
    assert Redactor().mask(innocent) == innocent
    assert scan(innocent) == []


def test_same_secret_same_pseudonym_whatever_the_rule() -> None:
    redactor = Redactor()
    assert redactor.mask(f"Authorization: Bearer {KEY}") == "Authorization: Bearer [token-1]"
    assert redactor.mask(f"again {KEY}") == "again [token-1]"
    assert redactor.receipt == {"token": 1}


def test_scan_says_where_but_not_what() -> None:
    leaks = scan(f"first\n  {KEY}\n")
    assert [(leak.rule, leak.line_no, leak.column) for leak in leaks] == [("anthropic", 2, 3)]
    assert KEY not in repr(leaks)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.name)
def test_each_rule_has_one_group(rule: object) -> None:
    assert re2.compile(rule.pattern).groups == 1  # type: ignore[attr-defined]


@given(st.text(alphabet=st.sampled_from('sk-ant/Users:@.="\\ \nabcKEYtoken0189[]'), max_size=80))
def test_masking_is_idempotent_and_passes_its_own_gate(text: str) -> None:
    once = Redactor().mask(text)
    assert Redactor().mask(once).count("\n") == text.count("\n") or "PRIVATE" in text
    assert scan(once) == []
