"""Descriptions of a machine: `system_profiler`, `sysctl`, `free`, `nvidia-smi` output, alone or together in a file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from investigator.formats.base import Side, SourceInfo
from investigator.formats.document import DocumentParser, Text
from investigator.formats.rows import At, Rows

_GIB = 2**30
_UNITS = {"B": 1, "K": 2**10, "M": 2**20, "G": _GIB, "T": 2**40}
_LINES: dict[str, re.Pattern[str]] = {
    "machine": re.compile(r"\s*Model Name:\s+(.+?)\s*$"),
    "identifier": re.compile(r"\s*Model Identifier:\s+(.+?)\s*$"),
    "chip": re.compile(r"\s*(?:Chip|Chipset Model|Model name|machdep\.cpu\.brand_string|hw\.model):\s+(.+?)\s*$"),
    "cores": re.compile(r"\s*(?:Total Number of Cores|CPU\(s\)|hw\.ncpu):\s+(\d+)"),
    "memory": re.compile(r"\s*(?:Memory|MemTotal|hw\.memsize):\s+(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?\s*$", re.I),
    "gpu_limit": re.compile(r"\s*iogpu\.wired_limit_mb[:=]\s*(\d+)"),
    "os": re.compile(r"\s*(?:System Version|PRETTY_NAME)[:=]\s*\"?(.+?)\"?\s*$"),
    "product_version": re.compile(r"\s*ProductVersion:\s+(\S+)"),
    "free": re.compile(r"\s*Mem:\s+(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?\b"),
}
_NVIDIA_ROW = re.compile(r"\|\s+(\d+)\s+((?:NVIDIA|Tesla|GeForce|Quadro|RTX|A\d|H\d)[^|]*?)\s{2,}\S+\s*\|")
_NVIDIA_MEMORY = re.compile(r"\|[^|]*\|\s*(\d+)MiB\s*/\s*(\d+)MiB\s*\|")
_TABLES = re.compile(r"NVIDIA-SMI|^\s+total\s+used\s+free\b")
_FREE_HEAD = re.compile(r"\s+total\s+used\s+free\b")


def _bytes(number: str, unit: str) -> int:
    return round(float(number) * _UNITS[unit.upper() or "B"])


def _kind(line: str) -> str | None:
    """Which of the known lines this is."""
    return next((kind for kind, pattern in _LINES.items() if pattern.match(line)), None)


@dataclass(slots=True)
class _Host:
    """What the lines said so far, and the line that said the most important thing: memory, else the first."""

    at: At | None = None
    machine: str | None = None
    chip: str | None = None
    memory_bytes: int | None = None
    gpu_limit_bytes: int | None = None
    os: str | None = None
    cores: int | None = None

    def take(self, kind: str, found: re.Match[str], at: At) -> None:
        value = found.group(1)
        match kind:
            case "machine" | "identifier":
                self.machine = value if self.machine is None else f"{self.machine} ({value})"
            case "chip":
                self.chip = self.chip or value
            case "cores":
                self.cores = self.cores or int(value[:6])
            case "memory" | "free":
                if self.memory_bytes is None:
                    self.memory_bytes, self.at = _bytes(value, found.group(2)), at
            case "gpu_limit":
                # 0 means the system's own default, which the memory size implies.
                self.gpu_limit_bytes = int(value[:9]) * 2**20 or None
            case "os" | "product_version":
                self.os = self.os or (f"macOS {value}" if kind == "product_version" else value)
        self.at = self.at or at


@dataclass(frozen=True, slots=True)
class MachineReader:
    def read(self, document: Text, rows: Rows) -> At | None:
        host = _Host()
        cards = _cards(document)
        for at, line in document.lines():
            if (kind := _kind(line)) and (found := _LINES[kind].match(line)):
                host.take(kind, found, at)
        if host.at is not None:
            rows.add(
                "host_spec",
                host.at,
                machine=host.machine,
                chip=host.chip,
                memory_bytes=host.memory_bytes,
                gpu_limit_bytes=host.gpu_limit_bytes,
                os=host.os,
                cores=host.cores,
            )
        for at, index, name, total_bytes, free_bytes in cards:
            rows.add(
                "compute_device",
                at,
                device_id=index,
                library="CUDA",
                name=name,
                device_kind="discrete",
                total_bytes=total_bytes,
                available_bytes=free_bytes,
            )
        return None


def _cards(document: Text) -> list[tuple[At, str, str, int, int]]:
    """The cards of an `nvidia-smi` table: the memory stands on the line after the name."""
    found: list[tuple[At, str, str, int, int]] = []
    named: tuple[At, str, str] | None = None
    for at, line in document.lines():
        if row := _NVIDIA_ROW.match(line):
            named = (at, row.group(1), row.group(2))
        elif named and (memory := _NVIDIA_MEMORY.match(line)):
            used, total = int(memory.group(1)[:9]) * 2**20, int(memory.group(2)[:9]) * 2**20
            found.append((*named, total, max(0, total - used)))
            named = None
    return found


@dataclass(frozen=True, slots=True)
class MachineFormat:
    id: str = "machine"
    title: str = "description of a machine (system_profiler, free, nvidia-smi)"
    side: Side = "snapshot"
    versions: str = "macOS 12-16, procps free, nvidia-smi 470-580"

    def recognise(self, head: bytes, path: str) -> float:
        text = head.decode("utf-8", "replace")
        lines = text.splitlines()
        begin = [line for line in lines if line.strip()][:8]
        if not any(line.startswith("Hardware:") or _kind(line) or _TABLES.search(line) for line in begin):
            return 0.0
        telling = {kind for line in lines if (kind := _kind(line))}
        if "NVIDIA-SMI" in text and _NVIDIA_MEMORY.search(text):
            return 0.95
        if _FREE_HEAD.search(text) and "free" in telling:
            return 0.9
        profiler = "Hardware Overview:" in text and "memory" in telling
        return 0.95 if profiler else 0.6 if {"memory", "chip"} <= telling or {"memory", "machine"} <= telling else 0.0

    def parser(self, info: SourceInfo) -> DocumentParser:
        return DocumentParser(info, MachineReader())
