"""The pages about formats are fresh, and what they show works."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from investigator.formats.mapping import MappingFormat
from investigator.formats.mapping_spec import load_mapping
from investigator.formats.registry import FORMATS

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_formats_is_fresh_and_names_what_each_yields() -> None:
    spec = importlib.util.spec_from_file_location("generate_formats", ROOT / "docs" / "generate_formats.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.render() == module.PAGE.read_text(encoding="utf-8"), "run: python docs/generate_formats.py"
    assert module.yields() == module.YIELDS.read_text(encoding="utf-8"), "run: python docs/generate_formats.py"
    assert [fmt.id for fmt in FORMATS if not module.yielded(fmt)] == []


def test_the_example_of_a_mapping_reads_a_call() -> None:
    page = (ROOT / "docs" / "mapping.md").read_text("utf-8")
    example = re.search(r"```yaml\n(.*?)```", page, re.S)
    assert example is not None
    fmt = MappingFormat(load_mapping(example.group(1), "mapping.md"))
    line = b'{"kind": "answer", "at": "2026-11-02T09:00:00", "ms": 5, "llm": {"model": "x", "new": 1}}\n'
    assert fmt.recognise(line, "x") == 0.9
