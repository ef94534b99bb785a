"""The formats of agents, and of the files that describe a model or a machine."""

from __future__ import annotations

from investigator.formats.aider import AiderHistoryFormat, AiderLlmHistoryFormat
from investigator.formats.base import Format
from investigator.formats.claude_code import ClaudeCodeFormat
from investigator.formats.claude_debug import ClaudeDebugFormat
from investigator.formats.cline_log import ClineLogFormat
from investigator.formats.codex import CodexFormat
from investigator.formats.machine import MachineFormat
from investigator.formats.modelfile import ModelfileFormat
from investigator.formats.ollama_cli import OllamaPsFormat, OllamaShowFormat, OllamaVerboseFormat
from investigator.formats.openclaw_log import OpenClawLogFormat
from investigator.formats.openclaw_sqlite import OpenClawSqliteFormat
from investigator.formats.openclaw_store import OpenClawStoreFormat
from investigator.formats.opencode_log import OpenCodeLogFormat
from investigator.formats.opencode_sqlite import OpenCodeSqliteFormat
from investigator.formats.otel import OtelFormat
from investigator.formats.pi_session import OpenClawSessionFormat, PiSessionFormat
from investigator.formats.qwen_code import QwenCodeFormat
from investigator.formats.settings import ConfigFormat

AGENT_FORMATS: tuple[Format, ...] = (
    OpenClawLogFormat(),
    OpenClawSessionFormat(),
    OpenClawStoreFormat(),
    OpenClawSqliteFormat(),
    ConfigFormat("openclaw-config"),
    PiSessionFormat(),
    ConfigFormat("pi-config"),
    ClaudeCodeFormat(),
    ClaudeDebugFormat(),
    ConfigFormat("claude-code-config"),
    OpenCodeLogFormat(),
    ConfigFormat("opencode-config"),
    OpenCodeSqliteFormat(),
    ClineLogFormat(),
    ConfigFormat("cline-config"),
    AiderHistoryFormat(),
    AiderLlmHistoryFormat(),
    ConfigFormat("aider-config"),
    CodexFormat(),
    QwenCodeFormat(),
    OtelFormat(),
)

SNAPSHOT_FORMATS: tuple[Format, ...] = (
    ModelfileFormat(),
    OllamaShowFormat(),
    OllamaVerboseFormat(),
    OllamaPsFormat(),
    MachineFormat(),
)
