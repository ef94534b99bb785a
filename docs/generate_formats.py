"""Writes docs/formats.md and investigator/formats/yields.yaml from the registry and the samples.

`python docs/generate_formats.py`; a test compares.
"""

from __future__ import annotations

import inspect
import re
import sys
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

from investigator.formats.base import Format
from investigator.formats.facts import fact_tables
from investigator.formats.registry import FORMATS, UNSUPPORTED

ROOT = Path(__file__).resolve().parents[1]
PAGE = Path(__file__).with_name("formats.md")
YIELDS = ROOT / "investigator" / "formats" / "yields.yaml"
SAMPLES = ROOT / "tests" / "formats" / "samples"
_HEAD = """# Formats

Made from the registry and the formats' samples by `python docs/generate_formats.py`; do not edit. A file is recognised
by its content, not by its name. "Yields" names the fact tables (`investigator/formats/facts.yaml`) that the format's
samples fill. Agents that are not here: [a mapping file](mapping.md) or OpenTelemetry spans make them readable.
"""
_SIDES = {"server": "Servers", "agent": "Agents", "snapshot": "Descriptions of models, machines and settings"}


def render() -> str:
    """The whole page."""
    parts = [_HEAD]
    for side, title in _SIDES.items():
        parts.append(f"\n## {title}\n\n| format | what | versions | yields |\n|---|---|---|---|\n")
        parts += [_row(fmt) for fmt in FORMATS if fmt.side == side]
    known = ", ".join(kind.title for kind in UNSUPPORTED)
    parts.append(f"\n## Known by name, not read\n\n{known}.\n")
    return "".join(parts)


def _row(fmt: Format) -> str:
    tables = ", ".join(f"`{table}`" for table in fact_tables() if table in yielded(fmt))
    return f"| `{fmt.id}` | {fmt.title} | {fmt.versions} | {tables} |\n"


def yields() -> str:
    """The data file that `investigator formats` reads."""
    rows = [f"{fmt.id}: [{', '.join(table for table in fact_tables() if table in yielded(fmt))}]\n" for fmt in FORMATS]
    return "# Made by docs/generate_formats.py; do not edit. Format → fact tables that it fills.\n" + "".join(rows)


def yielded(fmt: Format) -> set[str]:
    """Tables that the format's samples expect; a database has no samples as text, its module's source names them."""
    return _expected(fmt.id) or _named_in_source(fmt)


@cache
def _expected(format_id: str) -> set[str]:
    found: set[str] = set()
    for file in sorted((SAMPLES / format_id).glob("*.yaml")):
        for sample in YAML(typ="safe", pure=True).load(file.read_text("utf-8")):
            found |= set(sample.get("facts") or {})
    return found


def _named_in_source(fmt: Format) -> set[str]:
    """OpenClaw's database holds pi's records, so the modules that its module takes readers from count too."""
    module = inspect.getmodule(type(fmt))
    own = inspect.getsource(module) if module else ""
    readers = re.findall(r"from (investigator\.formats\.\w+) import .*Reader", own)
    if "add_prompt(" in own:
        own += '"agent_prompt"'
    sources = [own, *(inspect.getsource(sys.modules[name]) for name in readers)]
    return {name for text in sources for name in re.findall(r'"([a-z_]+)"', text) if name in fact_tables()}


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
    YIELDS.write_text(yields(), encoding="utf-8")
