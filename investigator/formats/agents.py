"""The formats of agents, and of the files that describe a model or a machine."""

from __future__ import annotations

from investigator.formats.base import Format
from investigator.formats.machine import MachineFormat
from investigator.formats.modelfile import ModelfileFormat
from investigator.formats.ollama_cli import OllamaPsFormat, OllamaShowFormat, OllamaVerboseFormat
from investigator.formats.openclaw_log import OpenClawLogFormat
from investigator.formats.openclaw_store import OpenClawStoreFormat
from investigator.formats.pi_session import OpenClawSessionFormat, PiSessionFormat
from investigator.formats.settings import ConfigFormat

AGENT_FORMATS: tuple[Format, ...] = (
    OpenClawLogFormat(),
    OpenClawSessionFormat(),
    OpenClawStoreFormat(),
    ConfigFormat("openclaw-config"),
    PiSessionFormat(),
    ConfigFormat("pi-config"),
)

SNAPSHOT_FORMATS: tuple[Format, ...] = (
    ModelfileFormat(),
    OllamaShowFormat(),
    OllamaVerboseFormat(),
    OllamaPsFormat(),
    MachineFormat(),
)
