"""The JSON report; its schema is docs/schema/report-1.json. Within a version keys are only added."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from investigator.diagnosis.model import AttemptRow, Diagnosis, Incident, InputLine, World
from investigator.report.clean import clean
from investigator.report.redact import REDACT, Redaction
from investigator.rulebook.findings import EvidenceRef, Finding, RuleResult

if TYPE_CHECKING:
    from investigator.correlate.narrow import Narrowed

SCHEMA_VERSION = 1
_REWRITTEN = ("incident_id", "nearest", "differential", "what_would_help", "findings", "attempts")
_COUNTS = ("lines", "facts", "noise", "foreign", "unrecognised")


def render_json(diagnosis: Diagnosis, redaction: Redaction = REDACT) -> str:
    """The report as JSON in ASCII with sorted keys: times UTC (ISO 8601), what is not known null.

    Control and bidirectional characters are escaped (\\u202e), so a terminal shows them as text.
    """
    d, receipt = clean(diagnosis, redaction, show_invisible=False)
    return (
        json.dumps(_report(d, redaction, receipt), indent=2, sort_keys=True, ensure_ascii=True, allow_nan=False) + "\n"
    )


def _report(d: Diagnosis, redaction: Redaction, receipt: Mapping[str, int]) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "tool_version": d.tool_version,
        "verdict": _plain(d.verdict),
        "incidents": [_incident(incident) for incident in d.incidents],
        "rules": [_rule(rule) for rule in d.rules],
        "narrowed": _narrowed(d.narrowed),
        "packs": _plain(d.packs),
        "suppressed": _plain(d.suppressed),
        "inputs": [_input(line) for line in d.inputs],
        "coverage": {name: sum(getattr(line, name) for line in d.inputs) for name in _COUNTS},
        "problems": _plain(d.problems),
        "assumptions": _plain(d.assumptions),
        "attempts": [_plain(row) for row in _all_attempts(d)],
        "evidence": [_plain(line) for line in sorted(d.evidence.values(), key=lambda e: (e.source, e.line_no))],
        "unpaired": _plain(d.unpaired),
        "zone_offset_s": d.zone_offset_s,
        "redacted": dict(receipt),
        "redaction": _redaction(redaction),
        "exit": {"code": d.exit_code, "reasons": list(d.exit_reasons)},
    }


def _narrowed(narrowed: Narrowed | None) -> dict[str, Any] | None:
    """What alone was judged; null for a whole case."""
    return None if narrowed is None else {**_fields(narrowed, skip=("conditions",)), **dict(narrowed.conditions)}


def _redaction(redaction: Redaction) -> str:
    return "off" if not redaction.on else "numbered" if redaction.key is None else "keyed"


def _all_attempts(d: Diagnosis) -> Iterable[AttemptRow]:
    """Every attempt once, with its columns: incidents name theirs by id."""
    rows = {row.attempt_id: row for row in d.attempts}
    for incident in d.incidents:
        rows.update({row.attempt_id: row for row in incident.attempts if row.attempt_id not in rows})
    return rows.values()


def _incident(incident: Incident) -> dict[str, Any]:
    record: dict[str, Any] = _fields(incident, skip=_REWRITTEN)
    record["id"] = incident.incident_id
    record["attempts"] = [_fields(row, skip=("columns",)) for row in incident.attempts]
    record["findings"] = [_finding(finding) for finding in incident.findings]
    record["nearest"] = [_fields(miss, skip=("texts",)) for miss in incident.nearest]
    record["differential"] = _plain(incident.differential)
    record["ruled_out"] = [_plain(h) for h in incident.differential if h.verdict == "ruled_out"]
    record["what_would_help"] = [_world(world) for world in sorted(incident.what_would_help, key=_minimal_first)]
    return record


def _minimal_first(world: World) -> tuple[int, bool, float, int]:
    return {"yes": 0, "might": 1, "no": 2}[world.saves], not world.minimal, world.cost, len(world.changes)


def _world(world: World) -> dict[str, Any]:
    return _fields(world)


def _finding(finding: Finding) -> dict[str, Any]:
    """A finding that is in the report has fired: the key is there for readers who merge it with `rules`."""
    return {**_fields(finding, skip=("finding_id", "texts")), "id": finding.finding_id, "outcome": "fired"}


def _rule(rule: RuleResult) -> dict[str, Any]:
    # How long a rule took differs from run to run: a report must not.
    return _fields(rule, skip=("seconds",))


def _input(line: InputLine) -> dict[str, Any]:
    return {
        **_fields(line, skip=("shapes",)),
        "shapes": [{"shape": shape, "count": count} for shape, count in line.shapes],
    }


def _fields(record: Any, skip: tuple[str, ...] = ()) -> dict[str, Any]:
    return {f.name: _plain(getattr(record, f.name)) for f in fields(record) if f.name not in skip}


def _plain(value: Any) -> Any:
    for kind, change in _CHANGES:
        if isinstance(value, kind):
            return change(value)
    return _fields(value) if is_dataclass(value) else value


def _moment(value: datetime) -> str:
    aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return aware.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_CHANGES: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (EvidenceRef, str),
    (datetime, _moment),
    (float, lambda v: v if math.isfinite(v) else None),
    (tuple, lambda v: [_plain(item) for item in v]),
    (Mapping, lambda v: {str(key): _plain(item) for key, item in v.items()}),
)
