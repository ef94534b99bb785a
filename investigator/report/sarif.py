"""The SARIF 2.1.0 report (OASIS): findings as results, evidence lines as locations, troubles as notifications."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from investigator.diagnosis.model import Diagnosis, EvidenceLine, Incident
from investigator.report.clean import clean
from investigator.report.columns import rule_reasons
from investigator.report.redact import REDACT, Redaction
from investigator.report.text import clipped, plural
from investigator.report.words import narrowed_words
from investigator.rulebook.findings import EvidenceRef, Finding, RuleResult

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"info": "note", "low": "note", "medium": "warning", "high": "error", "critical": "error"}
#: Only a failure has a level (SARIF 3.27.10); advice is for a person to weigh, a cause that was ruled out has passed.
_KINDS = {"cause": "fail", "symptom": "fail", "advice": "informational", "ruled-out": "pass"}
_MAX_LOCATIONS = 50
_MAX_SNIPPET = 500


def render_sarif(diagnosis: Diagnosis, redaction: Redaction = REDACT) -> str:
    """The report as one SARIF run, in ASCII with sorted keys. The same diagnosis gives the same bytes."""
    d, receipt = clean(diagnosis, redaction)
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_Run(d).record(receipt, redaction.on)]}
    return json.dumps(log, indent=2, sort_keys=True, ensure_ascii=True, allow_nan=False) + "\n"


def message(text: str) -> dict[str, str]:
    """A message: brackets and braces would be links and placeholders (SARIF 3.11.5, 3.11.6)."""
    for char, written in (("\\", "\\\\"), ("[", "\\["), ("]", "\\]"), ("{", "{{"), ("}", "}}")):
        text = text.replace(char, written)
    return {"text": text or "(no text)"}


class _Run:
    def __init__(self, d: Diagnosis) -> None:
        self._d = d
        self._artifacts = {line.path: n for n, line in enumerate(d.inputs)}
        self._evidence = {(line.source, line.line_no): line for line in d.evidence.values()}
        fired = [finding for incident in d.incidents for finding in incident.findings]
        self._titles = {f.rule: f for f in reversed(fired)}
        names = [rule.rule for rule in d.rules]
        self._rules = {name: n for n, name in enumerate(dict.fromkeys([*names, *self._titles]))}

    def record(self, receipt: Mapping[str, int], redacted: bool) -> dict[str, Any]:
        d = self._d
        kinds = {rule.rule: rule.kind for rule in d.rules}
        return {
            "tool": {
                "driver": {
                    "name": "investigator",
                    "version": d.tool_version,
                    "rules": [self._descriptor(name, kinds.get(name)) for name in self._rules],
                }
            },
            "artifacts": [
                {"location": {"uri": uri(line.path)}, "length": line.size_bytes, "hashes": {"sha-256": line.sha256}}
                for line in d.inputs
            ],
            "results": [self._result(i, f) for i in d.incidents for f in i.findings],
            "invocations": [self._invocation()],
            "columnKind": "unicodeCodePoints",
            "properties": {
                "verdict": d.verdict.kind,
                "sentence": d.verdict.sentence,
                **({"narrowed": narrowed_words(d.narrowed)} if d.narrowed else {}),
                "redacted": dict(receipt),
                "redaction": "on" if redacted else "off: this report may hold secrets",
            },
        }

    def _descriptor(self, name: str, kind: str | None) -> dict[str, Any]:
        finding = self._titles.get(name)
        record: dict[str, Any] = {"id": name, "properties": {"kind": kind or (finding.kind if finding else "cause")}}
        if finding is not None:
            record["shortDescription"] = message(finding.title)
            record["properties"] |= {"pack": finding.pack, "version": finding.rule_version}
        return record

    def _result(self, incident: Incident, f: Finding) -> dict[str, Any]:
        kind = _KINDS[f.kind]
        refs = list(dict.fromkeys([*f.evidence, *_operands(f)]))
        steps = "".join(f"\n{step.say or step.name}: {step.expr}" for step in f.steps)
        return {
            "ruleId": f.rule,
            "ruleIndex": self._rules[f.rule],
            "kind": kind,
            "level": _LEVELS[f.severity] if kind == "fail" else "none",
            "message": message(f"{f.title}: {f.short}{steps}"),
            "locations": [self._location(ref) for ref in refs[:1]],
            "relatedLocations": [{**self._location(ref), "id": n} for n, ref in enumerate(refs[1:_MAX_LOCATIONS], 1)],
            "partialFingerprints": {"investigator/finding/v1": f.finding_id},
            "properties": {
                "incident": incident.incident_id,
                "severity": f.severity,
                "label": f.label,
                "cause": f.cause,
            },
        }

    def _location(self, ref: EvidenceRef) -> dict[str, Any]:
        place: dict[str, Any] = {"uri": uri(ref.source)}
        if ref.source in self._artifacts:
            place["index"] = self._artifacts[ref.source]
        region: dict[str, Any] = {"startLine": max(ref.line_no, 1)}
        line: EvidenceLine | None = self._evidence.get((ref.source, ref.line_no))
        if line is not None and line.text:
            region["snippet"] = {"text": clipped(line.text, _MAX_SNIPPET)}
        return {"physicalLocation": {"artifactLocation": place, "region": region}}

    def _invocation(self) -> dict[str, Any]:
        d = self._d
        return {
            "executionSuccessful": d.exit_code in (0, 1),
            "exitCode": d.exit_code,
            "exitCodeDescription": "; ".join(d.exit_reasons),
            "toolExecutionNotifications": [
                {
                    "level": "warning",
                    "descriptor": {"id": problem.kind},
                    "message": message(problem.message),
                    "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri(problem.path)}}}],
                }
                for problem in d.problems
            ],
            "toolConfigurationNotifications": [n for rule in d.rules for n in _not_judged(rule)],
        }


def _operands(f: Finding) -> Iterable[EvidenceRef]:
    return (ref for step in f.steps for operand in step.operands for ref in operand.evidence)


def _not_judged(rule: RuleResult) -> Iterable[dict[str, Any]]:
    """A rule that could not be evaluated, or for some calls only, is not quiet: it is said."""
    missing, failed = rule.counts.get("not_evaluated", 0), rule.counts.get("error", 0)
    if missing or failed or rule.outcome in ("error", "not_evaluated"):
        counted = f"{plural(missing, 'subject')} not evaluated, {plural(failed, 'error')}"
        yield {
            "level": "error" if failed or rule.outcome == "error" else "note",
            "associatedRule": {"id": rule.rule},
            "message": message(f"{counted}. {rule_reasons(rule)[0]}"),
        }


def uri(path: str) -> str:
    """A path as a URI reference: relative stays relative."""
    return quote(path.replace("\\", "/"), safe="/~!$&'()*+,;=@") or "."
