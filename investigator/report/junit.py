"""The JUnit report, for CI: a test case for each rule and for each input that could not be used."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from investigator.diagnosis.model import Diagnosis, Incident
from investigator.report.clean import clean
from investigator.report.columns import rule_reasons
from investigator.report.redact import REDACT, Redaction
from investigator.report.text import clipped
from investigator.report.words import narrowed_words
from investigator.rulebook.findings import Finding, RuleResult

#: Text after `visible` that XML 1.0 still has no place for.
_NOT_XML = re.compile("[\ufffe\uffff]")
_MAX_TEXT = 4_000


def render_junit(diagnosis: Diagnosis, redaction: Redaction = REDACT) -> str:
    """The report as JUnit XML. A cause that fired is a failure, a rule that could not be judged is skipped.

    Symptoms, advice and what was ruled out pass, with their text as output.
    """
    d, receipt = clean(diagnosis, redaction)
    found: dict[str, list[tuple[Incident, Finding]]] = {}
    for incident in d.incidents:
        for finding in incident.findings:
            found.setdefault(finding.rule, []).append((incident, finding))
    rules = ET.Element("testsuite", name="rules")
    for rule in d.rules:
        rules.append(_rule_case(rule, found.get(rule.rule, ())))
    inputs = ET.Element("testsuite", name="inputs")
    for line in d.inputs:
        ET.SubElement(inputs, "testcase", classname="inputs", name=_xml(line.path))
    for problem in d.problems:
        case = ET.SubElement(inputs, "testcase", classname="inputs", name=_xml(f"{problem.path} ({problem.kind})"))
        ET.SubElement(case, "error", type=_xml(problem.kind), message=_xml(clipped(problem.message, 300)))
    masked = ", ".join(f"{count} {kind}" for kind, count in receipt.items()) or "none"
    for name, value in (
        ("verdict", d.verdict.kind),
        ("sentence", d.verdict.sentence),
        ("narrowed", narrowed_words(d.narrowed)),
        ("redaction", f"masked: {masked}" if redaction.on else "off: this report may hold secrets"),
    ):
        if value:
            _property(rules, name, value)
    return _written([rules, inputs], d)


def _written(suites: list[ET.Element], d: Diagnosis) -> str:
    root = ET.Element("testsuites", name=f"investigator {d.tool_version}")
    totals: dict[str, int] = {}
    for suite in suites:
        for key, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            count = len(list(suite.iter(tag)))
            suite.set(key, str(count))
            totals[key] = totals.get(key, 0) + count
        root.append(suite)
    for key, count in totals.items():
        root.set(key, str(count))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _rule_case(rule: RuleResult, found: Iterable[tuple[Incident, Finding]]) -> ET.Element:
    case = ET.Element("testcase", classname=_xml(f"rules.{rule.kind}"), name=_xml(rule.rule))
    findings = list(found)
    reasons = _xml(rule_reasons(rule)[0])
    if rule.outcome == "error":
        ET.SubElement(case, "error", type="rule", message=reasons)
    elif rule.outcome == "not_evaluated":
        ET.SubElement(case, "skipped", message=reasons)
    elif rule.outcome == "fired" and rule.kind == "cause":
        first = findings[0][1] if findings else None
        failure = ET.SubElement(case, "failure", type=first.severity if first else "cause")
        failure.set("message", _xml(f"{first.title}: {first.short}") if first else "fired")
        failure.text = _xml(clipped("\n\n".join(_story(i, f) for i, f in findings), _MAX_TEXT))
    elif findings:
        ET.SubElement(case, "system-out").text = _xml(clipped("\n".join(f.short for _, f in findings), _MAX_TEXT))
    return case


def _story(incident: Incident, f: Finding) -> str:
    """The finding with its sum and its places, as plain lines."""
    sums = [f"  {step.say or step.name}: {step.expr} [{step.label}]" for step in f.steps]
    places = ", ".join(map(str, f.evidence[:8]))
    return "\n".join([f"{incident.title}: {f.short}", *sums, *([f"  evidence: {places}"] if places else [])])


def _property(suite: ET.Element, name: str, value: str) -> None:
    holder = suite.find("properties")
    if holder is None:
        holder = ET.Element("properties")
        suite.insert(0, holder)
    ET.SubElement(holder, "property", name=name, value=_xml(value))


def _xml(text: str) -> str:
    return _NOT_XML.sub("�", text)
