"""Mappings of a user's own files: what they can say, and every mistake told with its line."""

from __future__ import annotations

import pytest

from investigator.formats.mapping import MappingFormat
from investigator.formats.mapping_spec import MappingError, load_mapping
from tests.formats.agent_samples import adds_up, parse

OWN = """\
id: my-agent
agent: mine
recognise:
  - [kind, at, llm.model]
otherwise: event
zone: utc
records:
  - when: {kind: [answer, failure]}
    table: agent_call
    stamp: at
    errors: [error.text]
    columns:
      session_id: run
      record_id: id
      model: llm.model
      started_at: {path: at, before: ms, scale: 0.001}
      ended_at: at
      input_tokens: {path: [llm.new, llm.cached], sum: true}
      finish_reason: {path: kind, map: {answer: stop, failure: error}}
  - {when: {kind: beat}, noise: heartbeat}
"""
LINES = b"""\
{"kind":"answer","id":1,"run":"r","at":"2026-11-02T09:00:10","ms":10000,"llm":{"model":"coder","new":100,"cached":900}}
{"kind":"failure","id":2,"run":"r","at":1793611210,"ms":300000,"llm":{"model":"coder"},"error":{"text":"fetch failed"}}
{"kind":"beat"}
{"kind":"new in version 9"}
not JSON
"""


def test_a_home_made_agent_is_read() -> None:
    fmt = MappingFormat(load_mapping(OWN, "my.yaml"))
    assert fmt.recognise(LINES, "x") > 0.3
    [parsed] = parse(fmt, LINES)
    assert adds_up(parsed)
    answer, failure = parsed.facts["agent_call"].to_dicts()
    assert (answer["agent"], answer["record_id"], answer["input_tokens"]) == ("mine", "1", 1000)
    assert (answer["ended_at"] - answer["started_at"]).total_seconds() == 10
    assert (answer["stamp_kind"], answer["finish_reason"], answer["error_class"]) == ("utc", "stop", None)
    assert (failure["error_class"], failure["finish_reason"], failure["input_tokens"]) == (
        "fetch_failed",
        "error",
        None,
    )
    assert (failure["ended_at"] - failure["started_at"]).total_seconds() == 300
    assert dict(parsed.noise) == {"heartbeat": 1, "event": 1}
    assert parsed.unrecognised["shape"].to_list() == ["not JSON"]


def test_times_without_a_zone_stay_local_unless_the_mapping_says_so() -> None:
    fmt = MappingFormat(load_mapping(OWN.replace("zone: utc\n", ""), "my.yaml"))
    [parsed] = parse(fmt, LINES.splitlines(keepends=True)[0])
    [call] = parsed.facts["agent_call"].to_dicts()
    assert (call["stamp_kind"], call["started_at"], call["ended_at"]) == ("local", None, None)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("agent: mine", "agnt: mine", "my.yaml:2: unknown key 'agnt' (did you mean 'agent'?)"),
        ("table: agent_call", "table: agent_calls", "my.yaml:9: no table 'agent_calls' (did you mean 'agent_call'?)"),
        (
            "      model: llm",
            "      modell: llm",
            "my.yaml:15: table agent_call has no column 'modell' (did you mean 'm",
        ),
        ("zone: utc", "zone: CET", "my.yaml:6: zone is utc, or left out when times are local"),
        ("sum: true}", "summ: true}", "my.yaml:18: unknown key 'summ' (did you mean 'sum'?)"),
        ("id: my-agent\n", "", "my.yaml:1: 'id' is missing"),
        ("recognise:\n  - [kind, at, llm.model]", "recognise: []", "my.yaml:3: recognise is a list"),
        ("agent: mine", "agent: [mine", "my.yaml:3: not YAML"),
        ("otherwise: event", "shape: table", "my.yaml:5: shape is lines, document or auto, not 'table'"),
    ],
)
def test_a_mistake_names_its_line_and_what_to_do(old: str, new: str, message: str) -> None:
    assert old in OWN
    with pytest.raises(MappingError) as caught:
        load_mapping(OWN.replace(old, new), "my.yaml")
    assert str(caught.value).startswith(message)
