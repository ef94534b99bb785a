"""The parts that the agents' formats share: error texts, masking, stamps, JSON5, settings, durations, evidence."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.formats.agent_errors import classify, classify_best, error_classes
from investigator.formats.json5 import scan_json5
from investigator.formats.masking import excerpt, is_secret_name, masked
from investigator.formats.ollama_cli import go_duration_s, size_bytes
from investigator.formats.openclaw_records import pairs
from investigator.formats.pi_session import OpenClawSessionFormat, PiSessionFormat
from investigator.formats.settings import ConfigFormat, number_of, written_path
from investigator.formats.stamps import epoch_time, iso_stamp
from investigator.yamltext import load as load_yaml
from tests.formats.agent_samples import adds_up, parse

ERRORS = load_yaml(Path(__file__).with_name("samples").joinpath("agent_errors.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", ERRORS, ids=lambda case: case["text"][:50])
def test_error_text(case: dict[str, object]) -> None:
    found = classify(str(case["text"]))
    assert found.error_class == case["class"]
    for name in ("http_status", "asked_tokens", "window_tokens", "limit_s"):
        assert getattr(found, name) == case.get(name), name


def test_every_class_but_the_rare_ones_has_a_text() -> None:
    assert set(error_classes()) - {case["class"] for case in ERRORS} == {"rate_limited"}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("Connection error.", "connection refused by the provider endpoint"), "connection_refused"),
        (("fetch failed", None), "fetch_failed"),
        (("fetch failed", "HeadersTimeoutError: Headers Timeout Error"), "timeout"),
        ((None, ""), "other"),
    ],
)
def test_the_more_telling_text_decides(texts: tuple[str | None, ...], expected: str) -> None:
    assert classify_best(*texts).error_class == expected


@given(st.text(max_size=3000))
def test_any_error_text_has_a_class(text: str) -> None:
    assert classify(text).error_class in error_classes()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('"apiKey": "abc"', '"apiKey": "[key]"'),
        ('"ANTHROPIC_AUTH_TOKEN": "placeholder"', '"ANTHROPIC_AUTH_TOKEN": "[key]"'),
        ("api_key=abc,", 'api_key="[key]",'),
        ("Authorization: Bearer abc.def", 'Authorization: "[key]"'),
        ("apiKey: 'cut off", 'apiKey: "[key]"'),
        ("used sk-abcdefghijklmnop here", "used [key] here"),
        ("http://user:pw@host/v1", "http://[key]@host/v1"),
        ('"maxTokens": 8192, "totalTokens": "12"', '"maxTokens": 8192, "totalTokens": "12"'),
        ("timeout=300 token: 5", "timeout=300 token: 5"),
    ],
)
def test_masked(text: str, kept: str) -> None:
    assert masked(text) == kept


@pytest.mark.parametrize(("name", "secret"), [("apiKey", True), ("authToken", True), ("maxTokens", False), ("token", True), ("contextWindow", False)])  # fmt: skip
def test_secret_names(name: str, secret: bool) -> None:
    assert is_secret_name(name) is secret


def test_excerpt_holds_no_prompt_and_stays_short() -> None:
    line = b'{"role":"user","content":[{"type":"text","text":"my private words"}],"n":1}'
    assert excerpt(line) == '{"role":"user","content":[{"type":"text","text":"[16 characters]"}],"n":1}'
    assert len(excerpt(b'{"text":"' + b"x" * 100_000)) < 1300


def test_evidence_of_a_failed_call_keeps_no_prompt_of_its_neighbours() -> None:
    text = (
        '{"type":"session","version":3,"id":"s","timestamp":"2026-03-01T10:00:00.322Z","cwd":"/p"}\n'
        '{"type":"message","id":"u","timestamp":"2026-03-01T10:00:01.000Z","message":{"role":"user","content":"PRIVATE"}}\n'
        '{"type":"message","id":"a","timestamp":"2026-03-01T10:05:01.000Z","message":{"role":"assistant","content":[],'
        '"api":"x","model":"m","stopReason":"error","errorMessage":"fetch failed","timestamp":1772359201000}}\n'
    )
    [parsed] = parse(PiSessionFormat(), text.encode())
    assert parsed.evidence["line_no"].to_list() == [1, 2, 3]
    assert "PRIVATE" not in "".join(parsed.evidence["text"])
    assert "fetch failed" in parsed.evidence["text"][2]


def test_a_configuration_never_yields_its_keys() -> None:
    text = '{"agents":{"defaults":{"timeoutSeconds":300}},"models":{"providers":{"p":{"apiKey":"s3cr3t-value","api":"ollama"}}}}'
    [parsed] = parse(ConfigFormat("openclaw-config"), text.encode(), "openclaw.json")
    assert parsed.facts["agent_config"].height == 2
    assert "s3cr3t" not in str(parsed.evidence.to_dicts()) + str(parsed.facts["agent_config"].to_dicts())


def test_a_line_of_many_megabytes_costs_only_itself() -> None:
    head = (
        b'{"type":"session","version":3,"id":"s","timestamp":"2026-03-01T10:00:00.322Z","cwd":"/home/u/.openclaw/w"}\n'
    )
    big = (
        b'{"type":"message","id":"u","timestamp":"2026-03-01T10:00:01.000Z","message":{"role":"user","content":"%s"}}\n'
    )
    cut = b'{"type":"message","message":{"role":"user","content":"' + b"y" * 20_000_000 + b"\n"
    [parsed] = parse(OpenClawSessionFormat(), head + big % (b"x" * 50_000_000) + cut + head)
    assert adds_up(parsed)
    assert parsed.facts["agent_prompt"]["text_chars"].to_list() == [50_000_000]
    assert parsed.unrecognised["shape"].to_list() == ["not JSON"]
    assert parsed.facts["agent_session"].height == 2


@pytest.mark.parametrize(
    ("text", "at", "kind", "offset_s"),
    [
        ("2026-09-20T11:05:05.092+02:00", datetime(2026, 9, 20, 9, 5, 5, 92000), "utc", 7200),
        ("2026-09-20T09:05:05Z", datetime(2026, 9, 20, 9, 5, 5), "utc", 0),
        ("2026-11-02T10:34:58", datetime(2026, 11, 2, 10, 34, 58), "local", None),
        ("0001-01-01T00:00:00+14:00", None, "none", None),
        ("yesterday", None, "none", None),
        (None, None, "none", None),
    ],
)
def test_iso_stamp(text: str | None, at: datetime | None, kind: str, offset_s: int | None) -> None:
    stamp = iso_stamp(text)
    assert (stamp.at, stamp.kind, stamp.offset_s) == (at, kind, offset_s)


@pytest.mark.parametrize(
    ("value", "at"),
    [
        (1772182801, datetime(2026, 2, 27, 9, 0, 1)),
        (1772182801200, datetime(2026, 2, 27, 9, 0, 1, 200000)),
        (1793611747050000000, datetime(2026, 11, 2, 9, 29, 7, 50000)),
        (1772182801.5, datetime(2026, 2, 27, 9, 0, 1, 500000)),
        (-5, None),
        (10**30, None),
        (None, None),
    ],
)
def test_epoch_time(value: float | int | None, at: datetime | None) -> None:
    assert epoch_time(value) == at


@pytest.mark.parametrize(
    ("text", "scalars", "error"),
    [
        ('{"a":1,"b":[1,{"c":2},],}', [("a", 1), ("b[0]", 1), ("b[1].c", 2)], None),
        ("// x\n{a:'it", [], "unreadable"),
        (
            "{a:'x', /* c */ \"b\": [true, null], e: -1.5e3, f: 0xFF}",
            [("a", "x"), ("b[0]", True), ("b[1]", None), ("e", -1500.0), ("f", 255)],
            None,
        ),
        ('{"a": "caf\\u00e9 \\n"}', [("a", "café \n")], None),
        ('{"a":1,"b"', [("a", 1)], "unfinished"),
        ('{"a" 1}', [], "colon"),
        ("[1 2]", [("[0]", 1)], "comma"),
        ("{} x", [], "after the document"),
        ("[" * 500, [], "nested"),
        ("{a: word}", [], "no value"),
    ],
)
def test_json5(text: str, scalars: list[tuple[str, object]], error: str | None) -> None:
    document = scan_json5(text)
    assert [(written_path(scalar.path), scalar.value) for scalar in document.scalars] == scalars
    assert (document.error is None) if error is None else error in str(document.error)


@given(st.text(alphabet="{}[]:,\"'ab1/ \n\\*-", max_size=60))
def test_json5_never_raises_and_points_into_the_text(text: str) -> None:
    document = scan_json5(text)
    assert all(0 <= scalar.position < len(text) for scalar in document.scalars)
    assert document.error is None or 0 <= document.error_position <= len(text)


@pytest.mark.parametrize(("value", "number"), [("30m", 1800), ("1500", 1500), ("2h", 7200), ("8s", 8), ("250ms", 0.25), (True, 1), (8000, 8000), ("openai", None), (None, None), ("-1", None)])  # fmt: skip
def test_number_of(value: object, number: float | None) -> None:
    assert number_of(value) == number


@pytest.mark.parametrize(("text", "seconds"), [("3m6.4s", 186.4), ("1h2m3s", 3723), ("812.5µs", 0.0008125), ("41ms", 0.041), ("0s", 0), ("", None), ("soon", None), ("5m x", None)])  # fmt: skip
def test_go_duration(text: str, seconds: float | None) -> None:
    assert go_duration_s(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"), [("45 GB", 45 * 10**9), ("17.3 GiB", 18575733555), ("512 B", 512), ("-", None)]
)
def test_size(text: str, size: int | None) -> None:
    assert size_bytes(text) == size


def test_pairs_of_a_log_text() -> None:
    found = pairs(
        'run timeout: runId=r-1 provider=llamacpp/org/model reason="run started" list=[1, 2] error=a b c=d', "error"
    )
    assert found["runId"] == "r-1"
    assert (found["providerOfModel"], found["modelOfProvider"]) == ("llamacpp", "org/model")
    assert found["reason"] == "run started"
    assert found["error"] == "a b c=d"
