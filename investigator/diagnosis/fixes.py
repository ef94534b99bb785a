"""Paste-ready text for the changes of the best world."""

from __future__ import annotations

from collections.abc import Sequence

from investigator.diagnosis.model import Fix, World
from investigator.rulebook.findings import Finding
from investigator.rulebook.pack import RuleSet


def fixes(findings: Sequence[Finding], worlds: Sequence[World], rules: RuleSet) -> tuple[Fix, ...]:
    return ()
