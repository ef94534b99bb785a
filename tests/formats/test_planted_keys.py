"""Keys planted at every place of every configuration sample: none of them is ever kept."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from investigator.yamltext import load as load_yaml
from tests.formats.agent_samples import Sample, parse, samples

SECRET = "zq7Placeholder0Key0123456789"
KEYS: dict[str, Any] = {
    "apiKey": SECRET,
    "api_key": SECRET,
    "authToken": SECRET,
    "password": SECRET,
    "headers": {"Authorization": f"Bearer {SECRET}", "x-api-key": SECRET},
    "env": {"OPENAI_API_KEY": SECRET, "MY_TOKEN": SECRET},
}
CONFIGS = [
    sample
    for sample in samples()
    if sample.format.id.endswith(("-config", "-config-json", "-models")) and not sample.unrecognised
]


def _planted(value: Any) -> Any:
    """The value with the keys added to every mapping, and a user with a password put into every address."""
    if isinstance(value, dict):
        planted = {key: _planted(inner) for key, inner in value.items()}
        return {**KEYS, **planted, "env": {**KEYS["env"], **planted.get("env", {})}}
    if isinstance(value, list):
        return [_planted(inner) for inner in value]
    return re.sub(r"^(https?://)", rf"\1user:{SECRET}@", value) if isinstance(value, str) else value


def _with_keys(text: str) -> str:
    try:
        return json.dumps(_planted(json.loads(text)), indent=2)
    except ValueError:
        pass
    if text.lstrip().startswith(("{", "//")):
        more = json.dumps(KEYS)[1:-1] + ","
        return re.sub(r"(?m)\{$", lambda m: "{" + more, text)
    if re.search(r"(?m)^\s*\[\[?[\w.\"-]+\]\]?\s*$|^\w+ = ", text):
        lines = [f'api_key = "{SECRET}"', f'experimental_bearer_token = "{SECRET}"']
        tables = re.sub(r"(?m)^(\s*\[\[?[^\]]+\]\]?\s*)$", lambda m: "\n".join([m[1], *lines]), text)
        return "\n".join([*lines, tables])
    loaded = load_yaml(text)
    stream = io.StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.dump(json.loads(json.dumps(_planted(loaded))), stream)
    return stream.getvalue()


@pytest.mark.parametrize("sample", CONFIGS, ids=str)
def test_no_planted_key_is_kept(sample: Sample) -> None:
    text = _with_keys(sample.text)
    data = text.encode()
    [parsed] = parse(sample.format, data, sample.path)
    kept = [frame.write_json() for frame in parsed.facts.values()]
    kept += [parsed.evidence.write_json(), parsed.unrecognised.write_json()]
    assert not [part for part in kept if SECRET in part]
    if sample.facts and SECRET in text:
        assert parsed.facts.keys() & sample.facts.keys()


def test_every_configuration_is_tried() -> None:
    assert len({sample.format.id for sample in CONFIGS}) >= 18


FOLDED = f"""\
models:
  - name: coder
    provider: ollama
    model: m:1b
    apiKey: >-
      {SECRET}
    requestOptions:
      timeout: 6
      headers:
        Authorization: Bearer
          {SECRET}
        private_key: |
          -----BEGIN-----
          {SECRET}

          {SECRET}
    contextLength: 4096
name: local
version: 1.0.0
schema: v1
"""


def test_a_key_that_stands_below_its_name() -> None:
    fmt = next(sample.format for sample in CONFIGS if sample.format.id == "continue-config")
    [parsed] = parse(fmt, FOLDED.encode(), "config.yaml")
    assert parsed.facts["agent_config"].height
    kept = [*(frame.write_json() for frame in parsed.facts.values()), parsed.evidence.write_json()]
    assert not [part for part in kept if SECRET in part]
