from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from xml.etree import ElementTree as ET

import pytest

from investigator.diagnosis.model import InputProblem
from investigator.report import render_junit, scan


@pytest.mark.parametrize("case", ["diagnosis", "several", "empty"])
def test_counts_are_what_is_in_it(sample: ModuleType, case: str) -> None:
    d = getattr(sample, case)()
    root = ET.fromstring(render_junit(d))
    for element in (root, *root.findall("testsuite")):
        for key, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(element.get(key, "")) == len(list(element.iter(tag)))
    rules = root.find("testsuite[@name='rules']")
    assert rules is not None and [c.get("name") for c in rules.iter("testcase")] == [r.rule for r in d.rules]


def test_outcomes(sample: ModuleType) -> None:
    d = sample.diagnosis()
    root = ET.fromstring(render_junit(d))
    for rule in d.rules:
        (case,) = root.findall(f".//testcase[@name='{rule.rule}']")
        wanted = {"error": ["error"], "not_evaluated": ["skipped"], "quiet": []}.get(rule.outcome)
        if rule.outcome == "fired":
            wanted = ["failure"] if rule.kind == "cause" else [child.tag for child in case if child.tag == "system-out"]
        assert [child.tag for child in case] == wanted
    failure = root.find(".//testcase[@name='window-capped-below-native']/failure")
    assert failure is not None and failure.get("type") == "high"
    assert "146,760 − 131,072" in (failure.text or "") and "server/server.log:212" in (failure.text or "")


def test_any_text_is_xml(sample: ModuleType) -> None:
    text = "".join(map(chr, range(0x100))) + "\ud800\ufffe\uffff\u202e]]>&<![CDATA["
    d = replace(sample.diagnosis(), problems=(InputProblem(text, text, text),))
    rendered = render_junit(d)
    assert ET.fromstring(rendered) is not None and scan(rendered) == []
    assert "\u202e" not in rendered and "⟨U+202E⟩" in rendered
