"""Small findings and attempts for these tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from investigator.casefile.derived import derived_tables
from investigator.rulebook.findings import Finding

NOON = datetime(2026, 2, 18, 12, 0, tzinfo=UTC).replace(tzinfo=None)


def attempt(id_: str, minute: float = 0, **columns: Any) -> dict[str, Any]:
    """A failed attempt seen by both sides; columns not named are unknown."""
    row: dict[str, Any] = dict.fromkeys(column.name for column in derived_tables()["attempts"].columns)
    at = NOON + timedelta(minutes=minute)
    row |= {"attempt_id": id_, "call_id": f"call-{id_}", "run_id": f"run-{id_}", "seen_by": "both", "arrived_at": at}
    row |= {"ended_at": at + timedelta(seconds=30), "duration_s": 30.0, "outcome": "server_error", "failed": True}
    return row | columns


def finding(id_: str, *subjects: str, minute: float = 0, **fields: Any) -> Finding:
    """A finding of kind cause, severity high, measured."""
    values: dict[str, Any] = {
        "finding_id": id_,
        "rule": fields.get("rule", id_),
        "rule_version": 1,
        "pack": "test",
        "kind": "cause",
        "cause": "client_timeout",
        "title": f"Title of {id_}",
        "severity": "high",
        "label": "measured",
        "subjects": subjects,
        "keys": {"attempt_id": subjects},
        "happened_at": NOON + timedelta(minutes=minute),
        "last_at": NOON + timedelta(minutes=minute),
        "columns": {},
        "steps": (),
        "short": f"short of {id_}",
        "long": "",
        "evidence": (),
        "what_if": {},
        "remedies": (),
    }
    return Finding(**(values | fields))
