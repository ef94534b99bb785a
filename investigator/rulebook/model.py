"""The rule file as types. Unknown keys are refused; durations are strings with a unit."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from investigator.rulebook.findings import Kind, Severity
from investigator.rulebook.functions import reserved_words

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?(ms|s|m|min|h|d)")

Unit = Literal["tokens", "s", "bytes", "tps", "s/tok2", "s/GiB", "ratio", "GiB", "count", "bytes/tok"]


def duration_s(text: object) -> float:
    """Seconds of `90s`, `10m`, `1.5 h`. Raises ValueError for a number without unit."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError("a duration is a string with a unit: 90s, 10m, 2h, 1d")
    return float(match[1]) * _SECONDS[match[2]]


def _not_a_sql_word(name: str) -> str:
    if name.lower() in reserved_words():
        raise ValueError(f"`{name}` is a word of SQL or of the rule language; choose another name")
    return name


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60), AfterValidator(_not_a_sql_word)]
RuleId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(_[a-z0-9]+)*$", max_length=80)]
Duration = Annotated[float, BeforeValidator(duration_s)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
Scalar = bool | int | float | str | None


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class NeededView(_Part):
    """A view that the rule reads, with the version it was written for."""

    version: int = Field(ge=1)


class Needs(_Part):
    """Else the subject is "not evaluated: …", never "quiet"."""

    views: dict[str, NeededView] = Field(default_factory=dict, description="views the rule reads, with their version")
    non_null: list[str] = Field(default_factory=list, description="columns of match that must be known")


class Param(_Part):
    """A number, text or switch that a user may override; written `$name` in SQL."""

    type: Literal["number", "integer", "string", "boolean"]
    default: bool | int | float | str
    min: float | None = None
    max: float | None = None
    unit: Unit | None = None
    doc: str = ""


class StepSpec(_Part):
    """One named step of the arithmetic: a DuckDB expression over the columns and earlier steps."""

    name: Name
    expr: Text
    unit: Unit | None = None
    say: Text
    at_best: Literal["derived", "estimated"] | None = Field(
        default=None, description="label of the result when its operands are surer than the sum: an extrapolation"
    )


class Merge(_Part):
    """Findings of one rule that are told as one."""

    by: list[str] = Field(min_length=1, description="columns that must be equal")
    gap: Duration | None = Field(default=None, description="largest distance in time between neighbours")
    keep: str = Field(default="first", description="which member is shown: first, last, max(column), min(column)")


class Explain(_Part):
    short: Text = Field(description="one sentence; template")
    long: Text = Field(default="", description="for a newcomer: what happened and why; template")


class Translation(Explain):
    """The rule's words in another language; templates like the English ones."""

    title: Text
    steps: dict[str, Text] = Field(default_factory=dict, description="step → its `say`")
    remedies: list[Text] = Field(default_factory=list, description="`do` of each remedy, in the rule's order; or none")


class WhatIf(_Part):
    """`change` columns, `solve` for the value of one column from which the verdict is false, or both together."""

    id: Name
    say: Text
    change: dict[str, Scalar] | None = Field(default=None, description="column → expression")
    give: str | None = Field(default=None, description="the step whose value in that world is told")
    solve: str | None = Field(default=None, description="the column to solve for")
    upto: float | None = Field(default=None, description="search from the present value up to this")
    downto: float | None = Field(default=None, description="search from the present value down to this")


class RemedySpec(_Part):
    """Advice. With `proves` it is shown only when that what-if saves."""

    do: Text
    where: Text = Field(description="client | server | model | machine, or a file or command")
    proves: str | None = None
    setting: Text | None = Field(default=None, description="the setting that changes; template")
    value: Text | None = Field(default=None, description="its new value; template")
    paste: Text | None = Field(default=None, description="text to paste; template")
    when: Text | None = Field(default=None, description="expression over columns and steps: only when true")


class CauseEdge(_Part):
    """Findings of `rule` explain this rule's findings where the keys match and time allows."""

    rule: RuleId
    via: list[str] = Field(min_length=1)
    within: Duration | None = Field(default=None, description="largest distance in time")
    share: float = Field(
        default=0.0, ge=0, le=1, description="share of this finding's own values that must be the cause's; 0: one value"
    )
    stays: bool = Field(
        default=False, description="both were needed: this finding stays a likely cause, named after the one behind it"
    )


class Repeat(_Part):
    """Copies of a row, numbered in its key (`e1`, `e1-002`, `e1-003`, …) and later by `every`."""

    times: int = Field(ge=2, le=1000, description="rows in all")
    every: Duration = Field(default=0.0, description="time from each to the next")


class RuleTest(_Part):
    """Rows in, outcome out; `like` repeats another test with a `change`; `log` runs the pipeline on a fixture."""

    name: Text
    given: dict[str, list[dict[str, Any]]] | None = None
    like: str | None = None
    change: dict[str, Any] = Field(default_factory=dict, description="path such as attempts.0.timeout_s → value")
    repeat: dict[str, Repeat] = Field(default_factory=dict, description="row such as attempts.0 → copies of it")
    params: dict[str, bool | int | float | str] = Field(default_factory=dict)
    log: str | None = None
    expect: Expect


class AcceptedMutant(_Part):
    """Mistakes of `rules test --mutate` that no row test can notice, and why. One that does not survive is an error."""

    at: Text = Field(description="match, verdict, merge, steps.NAME or params.NAME")
    changes: list[Text] = Field(min_length=1, description="each as `--mutate` prints it")
    reason: Text


class Expect(_Part):
    outcome: Literal["fired", "quiet", "not_evaluated", "error", "no_candidates"]
    findings: int | None = Field(default=None, ge=0)
    reason: str | None = None
    steps: dict[str, Scalar] = Field(default_factory=dict)
    columns: dict[str, Scalar] = Field(
        default_factory=dict,
        description="columns of match in the row that is shown; times as t0+5m, a list of keys as `a, b`",
    )
    text: str | None = Field(default=None, description="must be part of the short text")
    long: str | None = Field(default=None, description="must be part of the long text")
    what_if: dict[str, Scalar] = Field(default_factory=dict)
    remedies: list[str] | None = Field(default=None, description="exactly these, each a part of one `do`, in order")
    evidence: list[str] | None = Field(default=None, description="each must be cited (source:line, or the file's name)")
    label: Literal["measured", "derived", "estimated"] | None = None
    subjects: list[str] | None = None


class Rule(_Part):
    """One rule file."""

    schema_: Literal[1] = Field(alias="schema", description="version of the rule language")
    id: RuleId = Field(description="same as the file's stem")
    version: int = Field(ge=1)
    status: Literal["draft", "stable", "deprecated"]
    kind: Kind
    cause: Slug | None = Field(default=None, description="slug of the vocabulary of causes")
    title: Text
    severity: Severity
    references: list[Text] = Field(default_factory=list)
    needs: Needs
    params: dict[Name, Param] = Field(default_factory=dict)
    match: Text = Field(
        description="one SELECT over the views: candidates, with `subject` and, if known, `happened_at`, `evidence`"
    )
    units: dict[str, Unit] = Field(default_factory=dict, description="units of computed columns of match")
    steps: list[StepSpec] = Field(default_factory=list)
    verdict: Text = Field(description="boolean expression: does the rule fire?")
    merge: Merge | None = None
    explain: Explain
    texts: dict[Literal["de"], Translation] = Field(
        default_factory=dict, description="language → the rule's words in it"
    )
    what_if: list[WhatIf] = Field(default_factory=list)
    remedies: list[RemedySpec] = Field(default_factory=list)
    causes: list[CauseEdge] = Field(default_factory=list)
    tests: list[RuleTest] = Field(default_factory=list)
    accepted_mutants: list[AcceptedMutant] = Field(
        default_factory=list, description="small mistakes that no row test can notice"
    )


RuleTest.model_rebuild()
