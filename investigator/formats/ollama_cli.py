"""Output of Ollama's command line: `ollama show`, `ps` and `list`, and the timing of `ollama run --verbose`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from investigator.formats.base import Side, SourceInfo
from investigator.formats.document import DocumentParser, Text
from investigator.formats.rows import At, Rows

_SECTIONS = ("Model", "Capabilities", "Parameters", "License", "System", "Projector", "Adapter", "Metadata", "Tensors")
_SECTION = re.compile(rf"\s{{0,2}}({'|'.join(_SECTIONS)})\s*$")
_PAIR = re.compile(r"\s{2,}(\S(?:.*?\S)?)\s{2,}(\S.*?)\s*$")
_PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|µs|μs|us|ns|m|s)")
_UNIT_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "μs": 1e-6, "us": 1e-6, "ns": 1e-9}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?i?B)\b")
_SIZES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZES_2 = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_PROMPT = re.compile(r"[$>#%]\s*ollama\s+(?:show|run)\s+(?:-\S+\s+)*([\w./:-]+)")


def go_duration_s(text: str) -> float | None:
    """A duration as Go prints it (3m6.4s, 41.2ms), in seconds; None when it is none."""
    text = text.strip()
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return round(sum(float(number) * _UNIT_S[unit] for number, unit in parts), 9)


def size_bytes(text: str) -> int | None:
    """A size as printed (18 GB decimal, 17.3 GiB binary), in bytes."""
    found = _SIZE.search(text)
    return round(float(found.group(1)) * {**_SIZES, **_SIZES_2}.get(found.group(2), 1)) if found else None


def _whole(text: str | None) -> int | None:
    digits = re.match(r"\d{1,15}", (text or "").replace(",", ""))
    return int(digits.group()) if digits else None


def _pairs(document: Text) -> dict[tuple[str, str], tuple[At, str]]:
    """(section, key) → where and what; a key that stands twice in a section counts once, as the last."""
    found: dict[tuple[str, str], tuple[At, str]] = {}
    section = ""
    for at, line in document.lines():
        if match := _SECTION.match(line):
            section = match.group(1)
        elif section and (pair := _PAIR.match(line)):
            found[section, pair.group(1)] = (at, pair.group(2))
    return found


def model_named(document: Text, path: str) -> str | None:
    """The model that a pasted command line names, else a file name of the form `show-<model>.txt`."""
    for _, line in document.lines()[:5]:
        if found := _PROMPT.search(line):
            return found.group(1)
    stem = re.sub(r"(?i)^(ollama[-_.]?)?(show|run(-verbose)?|verbose)[-_.]?", "", PurePosixPath(path).stem)
    return stem if stem and re.fullmatch(r"[\w.-]*\d[\w.-]*[bBkK][\w.-]*", stem) else None


@dataclass(frozen=True, slots=True)
class ShowReader:
    path: str

    def read(self, document: Text, rows: Rows) -> At | None:
        pairs = _pairs(document)

        def value(section: str, *keys: str) -> str | None:
            return next((pairs[section, key][1] for key in keys if (section, key) in pairs), None)

        native = next((pairs["Model", key] for key in ("context length",) if ("Model", key) in pairs), None)
        at = native[0] if native else next(iter(pairs.values()))[0] if pairs else None
        if at is None:
            return None
        rows.add(
            "model_spec",
            at,
            origin="ollama-show",
            model_name=model_named(document, self.path),
            architecture=value("Model", "architecture", "arch"),
            parameters=value("Model", "parameters"),
            quantization=value("Model", "quantization"),
            num_ctx_tokens=_whole(value("Parameters", "num_ctx")),
            native_window_tokens=_whole(native[1]) if native else None,
            embedding_length=_whole(value("Model", "embedding length")),
        )
        return None


@dataclass(frozen=True, slots=True)
class OllamaShowFormat:
    id: str = "ollama-show"
    title: str = "output of `ollama show`"
    side: Side = "snapshot"
    versions: str = "Ollama 0.3-0.33"

    def recognise(self, head: bytes, path: str) -> float:
        text = head.decode("utf-8", "replace")
        if not re.search(r"(?m)^ {0,2}Model\s*$", text):
            return 0.0
        keys = ("architecture", "parameters", "quantization", "context length", "embedding length")
        found = sum(1 for key in keys if re.search(rf"(?m)^ {{2,}}{key} {{2,}}\S", text))
        return 0.95 if found >= 3 else 0.3 if found == 2 else 0.0

    def parser(self, info: SourceInfo) -> DocumentParser:
        return DocumentParser(info, ShowReader(info.path))


_TIMING = re.compile(
    r"\s*(total duration|load duration|prompt eval count|prompt eval duration|prompt eval rate|eval count|"
    r"eval duration|eval rate):\s+(\S.*?)\s*$"
)


@dataclass(frozen=True, slots=True)
class VerboseReader:
    """One or several answers; each block begins with `total duration`. The fact stands on the block's prompt rate."""

    path: str

    def read(self, document: Text, rows: Rows) -> At | None:
        block: dict[str, tuple[At, str]] = {}
        model = model_named(document, self.path)
        for at, line in document.lines():
            found = _TIMING.match(line)
            if found is None:
                continue
            if found.group(1) == "total duration" and block:
                _timing(block, model, rows)
                block = {}
            block[found.group(1)] = (at, found.group(2))
        if block:
            _timing(block, model, rows)
        return None


def _timing(block: dict[str, tuple[At, str]], model: str | None, rows: Rows) -> None:
    def seconds(key: str) -> float | None:
        return go_duration_s(block[key][1]) if key in block else None

    def rate(key: str) -> float | None:
        found = re.match(r"\d{1,9}(\.\d{1,9})?", block[key][1]) if key in block else None
        return float(found.group()) if found else None

    at = (block.get("prompt eval rate") or next(iter(block.values())))[0]
    rows.add(
        "client_timing",
        at,
        model_name=model,
        total_s=seconds("total duration"),
        load_s=seconds("load duration"),
        prompt_tokens=_whole(block["prompt eval count"][1]) if "prompt eval count" in block else None,
        prompt_s=seconds("prompt eval duration"),
        prompt_tps=rate("prompt eval rate"),
        output_tokens=_whole(block["eval count"][1]) if "eval count" in block else None,
        output_s=seconds("eval duration"),
        output_tps=rate("eval rate"),
    )


@dataclass(frozen=True, slots=True)
class OllamaVerboseFormat:
    id: str = "ollama-verbose"
    title: str = "timing printed by `ollama run --verbose`"
    side: Side = "snapshot"
    versions: str = "Ollama 0.1-0.33"

    def recognise(self, head: bytes, path: str) -> float:
        found = {
            match.group(1) for line in head.decode("utf-8", "replace").splitlines() if (match := _TIMING.match(line))
        }
        return 0.95 if {"total duration", "load duration"} <= found and len(found) >= 4 else 0.0

    def parser(self, info: SourceInfo) -> DocumentParser:
        return DocumentParser(info, VerboseReader(info.path))


_TABLE_HEAD = re.compile(r"NAME\s+ID\s+SIZE\s+(PROCESSOR\s+|MODIFIED)")


@dataclass(frozen=True, slots=True)
class PsReader:
    """`ollama ps` and `ollama list`: columns as wide as the heading says."""

    def read(self, document: Text, rows: Rows) -> At | None:
        columns: list[tuple[str, int, int | None]] = []
        for at, line in document.lines():
            if _TABLE_HEAD.match(line):
                starts = [(m.group(), m.start()) for m in re.finditer(r"\S+", line)]
                ends = [start for _, start in starts[1:]]
                columns = [(name, start, end) for (name, start), end in zip(starts, [*ends, None], strict=True)]
            elif columns and line.strip():
                cells = {name: line[start:end].strip() for name, start, end in columns}
                rows.add(
                    "model_spec",
                    at,
                    origin="ollama-ps" if "PROCESSOR" in cells else "ollama-list",
                    model_name=cells.get("NAME"),
                    size_bytes=size_bytes(cells.get("SIZE", "")),
                    processor=cells.get("PROCESSOR"),
                    num_ctx_tokens=_whole(cells.get("CONTEXT")),
                )
        return None


@dataclass(frozen=True, slots=True)
class OllamaPsFormat:
    id: str = "ollama-ps"
    title: str = "output of `ollama ps` or `ollama list`"
    side: Side = "snapshot"
    versions: str = "Ollama 0.1-0.33"

    def recognise(self, head: bytes, path: str) -> float:
        lines = head.decode("utf-8", "replace").splitlines()
        return 0.95 if any(_TABLE_HEAD.match(line) for line in lines[:5]) else 0.0

    def parser(self, info: SourceInfo) -> DocumentParser:
        return DocumentParser(info, PsReader())
