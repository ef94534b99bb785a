"""A scan's outcome for programs."""

from __future__ import annotations

import json
from dataclasses import asdict

from investigator.exits import Exit, ranked
from investigator.report.redact import Redactor
from investigator.scan.run import Outcome


def as_json(outcome: Outcome, code: Exit) -> str:
    """Everything of an outcome, masked; `exit_code` is the one that the program ends with."""
    clean = Redactor().mask
    data = {
        "night": outcome.night,
        "files": outcome.files,
        "read_bytes": outcome.read_bytes,
        "reason": outcome.reason,
        "incidents": [
            {"change": t.change, "nights": t.nights, "before": t.before, **asdict(t.seen)} for t in outcome.told
        ],
        "warnings": [asdict(warning) for warning in outcome.warnings],
        "drops": [asdict(drop) for drop in outcome.drops],
        "problems": list(outcome.problems),
        "gaps": list(outcome.gaps),
        "pages": list(outcome.pages),
        "exit_code": int(code),
        "exit_codes": [int(each) for each in ranked([*outcome.codes, code])],
    }
    return clean(json.dumps(data, indent=2, sort_keys=True))
