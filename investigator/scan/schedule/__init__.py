"""Timers that start the scan: systemd, cron, launchd, Windows Task Scheduler."""

from __future__ import annotations

from investigator.scan.schedule.install import install, remove
from investigator.scan.schedule.render import KINDS, Job, Kind, Unit, default_kind, units

__all__ = ["KINDS", "Job", "Kind", "Unit", "default_kind", "install", "remove", "units"]
