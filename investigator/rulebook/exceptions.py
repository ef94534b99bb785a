"""What a user's configuration says of a rule, and what it keeps out of a report: records alone.

Apart from `overrides`, which applies them: a configuration is read without loading the rulebook.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from investigator.rulebook.findings import Severity


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RuleException(_Table):
    """Findings that are known and accepted. `where`: key (model, stream, run_id, …) → its value."""

    reason: str = Field(min_length=1, description="why; the report tells it")
    until: date = Field(description="last day on which the exception holds, by the time of the finding")
    where: dict[str, str] = Field(default={}, description="keys of the finding and their values; empty: all findings")


class RuleOverride(_Table):
    """What holds for one rule instead of what its file says."""

    enable: bool = Field(default=True, description="false: the rule is not evaluated")
    severity: Severity | None = Field(default=None, description="instead of the rule's own")
    params: dict[str, bool | int | float | str] = Field(default={}, description="values of the rule's parameters")
    exceptions: tuple[RuleException, ...] = Field(default=(), description="findings that are accepted for a while")


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that an exception kept out of the report, or a rule that was switched off (no `short`, no `until`)."""

    rule: str
    title: str
    reason: str
    until: str | None = None
    short: str | None = None
    happened_at: str | None = None
