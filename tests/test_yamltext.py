"""YAML 1.2 by the fast reader says what ruamel says."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from investigator import yamltext
from investigator.resources import rules_dir

_PACKAGE = Path(str(files("investigator")))
#: Every third: ruamel needs five seconds for all.
_FILES = sorted([*_PACKAGE.rglob("*.yaml"), *rules_dir().glob("*.yaml")])


def slow(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


@pytest.mark.parametrize("file", _FILES[::3], ids=lambda f: f.name)
def test_the_packages_files_are_read_alike(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert yamltext.load(text) == slow(text)


@pytest.mark.parametrize(
    "word",
    ["yes", "on", "No", "true", "False", "null", "~", "", "010", "0o17", "0x1F", "1_000", "-3", "1e3", "12e03", "1.5", ".5",
     "-.inf", "2:30", "1:2:3", "0.0", "+7", "'1'", '"true"', "a: b", "{a: https://example.com:80/x, b: 1}"],
)  # fmt: skip
def test_scalars_of_yaml_12(word: str) -> None:
    text = word if word == "a: b" else f"k: {word}"
    assert yamltext.load(text) == slow(text)


@pytest.mark.parametrize(
    "text",
    ["a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", "a: &x {b: 1}\nd: &y {b: 2, e: 4}\nf: {<<: [*x, *y]}", "a: {'<<': 1}"],
)
def test_mappings_are_merged(text: str) -> None:
    assert yamltext.load(text) == slow(text)


@given(st.text(alphabet="ab1:-[]{},'\"|>&*!%@# \n\t.ä", max_size=30))
def test_any_text_is_refused_or_read_alike(text: str) -> None:
    try:
        root = yamltext.compose(text)
    except YAMLError:
        return
    assert root is None or root.id in {"mapping", "sequence", "scalar"}


def test_without_the_c_part(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: [1, yes, {b: ~}]\nc: |\n  x\n"
    fast = yamltext.load(text)
    monkeypatch.setattr(yamltext, "_fast_reader", lambda: None)
    assert yamltext.load(text) == fast == {"a": [1, "yes", {"b": None}], "c": "x\n"}


def test_deep_nesting_is_an_error_not_a_crash() -> None:
    with pytest.raises((RecursionError, YAMLError)):
        yamltext.compose("[" * 200_000)
