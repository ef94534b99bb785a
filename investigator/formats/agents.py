"""The formats of agents, and of the files that describe a model or a machine."""

from __future__ import annotations

from investigator.formats.agent_output import AgentOutputFormat
from investigator.formats.aider import AiderHistoryFormat, AiderLlmHistoryFormat
from investigator.formats.aider_console import AiderConsoleFormat
from investigator.formats.base import Format
from investigator.formats.claude_code import ClaudeCodeFormat
from investigator.formats.claude_debug import ClaudeDebugFormat
from investigator.formats.claude_stream import ClaudeStreamFormat
from investigator.formats.cline_history import ClineConversationFormat, ClineTaskMetadataFormat
from investigator.formats.cline_log import ClineLogFormat
from investigator.formats.cline_session import ClineMessagesFormat, ClineSessionFormat
from investigator.formats.cline_stream import ClineStreamFormat
from investigator.formats.cline_task import ClineTaskFormat
from investigator.formats.codex import CodexFormat
from investigator.formats.codex_stream import CodexStreamFormat
from investigator.formats.console_logs import ConsoleLogFormat
from investigator.formats.continue_log import ContinueLogFormat
from investigator.formats.crush_sqlite import CrushSqliteFormat
from investigator.formats.environment import EnvironmentFormat
from investigator.formats.gemini_cli import GeminiCliFormat
from investigator.formats.goose_requests import GooseRequestFormat
from investigator.formats.goose_sqlite import GooseSqliteFormat
from investigator.formats.machine import MachineFormat
from investigator.formats.mapping import built_in_mapping
from investigator.formats.modelfile import ModelfileFormat
from investigator.formats.ollama_cli import OllamaPsFormat, OllamaShowFormat, OllamaVerboseFormat
from investigator.formats.openclaw_console import OpenClawConsoleFormat
from investigator.formats.openclaw_log import OpenClawLogFormat
from investigator.formats.openclaw_sqlite import OpenClawSqliteFormat
from investigator.formats.openclaw_store import OpenClawStoreFormat
from investigator.formats.opencode_log import KILO_LOG, OpenCodeLogFormat
from investigator.formats.opencode_sqlite import KILO_SQLITE, OpenCodeSqliteFormat
from investigator.formats.otel import OtelFormat
from investigator.formats.pi_session import OpenClawSessionFormat, PiSessionFormat
from investigator.formats.python_http import PythonHttpFormat
from investigator.formats.qwen_code import QwenCodeFormat
from investigator.formats.qwen_stream import QwenStreamFormat
from investigator.formats.settings import ConfigFormat
from investigator.formats.sqlite_stores import SqliteStoreFormat
from investigator.formats.trajectory import MiniSweFormat, SweAgentFormat

AGENT_FORMATS: tuple[Format, ...] = (
    OpenClawLogFormat(),
    OpenClawSessionFormat(),
    OpenClawStoreFormat(),
    OpenClawSqliteFormat(),
    OpenClawConsoleFormat(),
    built_in_mapping("openclaw-trajectory"),
    ConfigFormat("openclaw-config"),
    PiSessionFormat(),
    ConfigFormat("pi-config"),
    ClaudeCodeFormat(),
    ClaudeDebugFormat(),
    ClaudeStreamFormat(),
    ConfigFormat("claude-code-config"),
    OpenCodeLogFormat(),
    ConfigFormat("opencode-config"),
    OpenCodeSqliteFormat(),
    KILO_LOG,
    KILO_SQLITE,
    ConfigFormat("kilo-config"),
    ClineLogFormat(),
    ClineMessagesFormat(),
    ClineSessionFormat(),
    ClineStreamFormat(),
    ClineTaskFormat(),
    ClineConversationFormat(),
    ClineTaskMetadataFormat(),
    SqliteStoreFormat("cline-sqlite"),
    ConfigFormat("cline-config"),
    ConfigFormat("roo-config"),
    AiderHistoryFormat(),
    AiderLlmHistoryFormat(),
    AiderConsoleFormat(),
    built_in_mapping("aider-analytics"),
    ConfigFormat("aider-config"),
    CodexFormat(),
    CodexStreamFormat(),
    SqliteStoreFormat("codex-sqlite"),
    AgentOutputFormat("codex-console"),
    ConfigFormat("codex-config"),
    QwenCodeFormat(),
    built_in_mapping("qwen-openai-log"),
    built_in_mapping("qwen-usage"),
    QwenStreamFormat(),
    AgentOutputFormat("qwen-console"),
    ConfigFormat("qwen-config"),
    GeminiCliFormat(),
    AgentOutputFormat("gemini-console"),
    ConfigFormat("gemini-config"),
    CrushSqliteFormat(),
    built_in_mapping("crush-log"),
    AgentOutputFormat("crush-console"),
    ConfigFormat("crush-config"),
    GooseSqliteFormat(),
    GooseRequestFormat(),
    built_in_mapping("goose-log"),
    AgentOutputFormat("goose-console"),
    ConfigFormat("goose-config"),
    built_in_mapping("gptme-log"),
    built_in_mapping("gptme-events"),
    AgentOutputFormat("gptme-console"),
    ConfigFormat("gptme-config"),
    built_in_mapping("continue-session"),
    built_in_mapping("continue-devdata"),
    ContinueLogFormat(),
    AgentOutputFormat("continue-console"),
    AgentOutputFormat("llm-console"),
    ConfigFormat("continue-config"),
    ConfigFormat("continue-config-json"),
    AgentOutputFormat("smolagents-console"),
    built_in_mapping("openhands-event"),
    built_in_mapping("openhands-event-v1"),
    built_in_mapping("openhands-completion"),
    AgentOutputFormat("openhands-console"),
    ConfigFormat("openhands-config"),
    MiniSweFormat(),
    AgentOutputFormat("mini-swe-console"),
    SweAgentFormat(),
    built_in_mapping("litellm-payload"),
    built_in_mapping("litellm-log"),
    ConsoleLogFormat("litellm-text"),
    ConfigFormat("litellm-config"),
    built_in_mapping("open-webui-json"),
    ConsoleLogFormat("open-webui-log"),
    SqliteStoreFormat("open-webui-sqlite"),
    built_in_mapping("langsmith"),
    built_in_mapping("copilot-session"),
    ConsoleLogFormat("copilot-log"),
    ConfigFormat("copilot-models"),
    ConfigFormat("factory-config"),
    OtelFormat(),
    PythonHttpFormat(),
)

SNAPSHOT_FORMATS: tuple[Format, ...] = (
    ModelfileFormat(),
    OllamaShowFormat(),
    OllamaVerboseFormat(),
    OllamaPsFormat(),
    MachineFormat(),
    EnvironmentFormat(),
)
