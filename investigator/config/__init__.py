"""The user's configuration: where it is found, what it may say, and where in it something is wrong."""

from __future__ import annotations

from investigator.config.load import Config, find_config, load_config
from investigator.config.model import Keep, Notify, Scan, Settings, Tickets, Warn

__all__ = ["Config", "Keep", "Notify", "Scan", "Settings", "Tickets", "Warn", "find_config", "load_config"]
