"""What is read never holds a key, wherever it stood: in facts, in kept lines, in lines that were not understood."""

from __future__ import annotations

import pytest

from investigator.formats.base import Parsed
from investigator.formats.environment import EnvironmentFormat
from investigator.formats.settings import ConfigFormat
from tests.formats.agent_samples import parse

SECRET = "0123456789abcdefplaceholder"
ENVIRONMENT = f"""\
OLLAMA_HOST=0.0.0.0
ANTHROPIC_BASE_URL=http://u:{SECRET}@127.0.0.1:11434
ANTHROPIC_AUTH_TOKEN={SECRET}
OLLAMA_API_KEY='{SECRET}'
DB_PASS={SECRET}
Environment="MY_PIN={SECRET}" "OLLAMA_DEBUG=1"
export WEBHOOK="https://example.com/{SECRET}"
API_TIMEOUT_MS=900000
"""
CONFIGS = {
    "codex-config": f'model_context_window = 131072\n[model_providers.x]\nbase_url = "http://h"\napi_key = "{SECRET}"\n',
    "litellm-config": f"model_list:\n  - litellm_params:\n      model: a/b\n      api_key: {SECRET}\n      timeout: 5\n",
    "goose-config": f"GOOSE_PROVIDER: ollama\nGOOSE_MODEL: x\nOPENAI_API_KEY: {SECRET}\n",
    "crush-config": f'{{"providers": {{"o": {{"api_key": "{SECRET}", "models": [{{"id": "x", "context_window": 5}}]}}}}}}',
}


def _everything(parsed: Parsed) -> str:
    kept = [frame.write_json() for frame in parsed.facts.values()]
    return "\n".join([*kept, parsed.evidence.write_json(), parsed.unrecognised.write_json()])


def test_an_environment_file_gives_its_settings_and_no_secret() -> None:
    [parsed] = parse(EnvironmentFormat(), ENVIRONMENT.encode())
    assert SECRET not in _everything(parsed)
    assert parsed.facts["server_config"]["key"].to_list() == ["OLLAMA_HOST", "OLLAMA_API_KEY", "OLLAMA_DEBUG"]
    assert parsed.facts["agent_config"]["value_num"].to_list() == [None, 900.0]
    assert "API_TIMEOUT_MS=900000" in parsed.evidence["text"].to_list()


@pytest.mark.parametrize("format_id", CONFIGS)
def test_a_configuration_gives_no_secret(format_id: str) -> None:
    fmt = ConfigFormat(format_id)
    data = CONFIGS[format_id].encode()
    assert fmt.recognise(data, "x") > 0.5
    [parsed] = parse(fmt, data)
    assert parsed.facts["agent_config"].height
    assert SECRET not in _everything(parsed)
