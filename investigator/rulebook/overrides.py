"""What a user changes about rules without touching their files: switched off, another severity, other parameters, and
exceptions that hold for some findings until a day.

No clock: an exception is over when the finding happened after its day.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from investigator.errors import RuleProblem
from investigator.rulebook.check import inside, nearest
from investigator.rulebook.compile import Compiled
from investigator.rulebook.evaluate import Evaluation
from investigator.rulebook.exceptions import RuleException, RuleOverride, Suppressed
from investigator.rulebook.findings import Finding, Value
from investigator.rulebook.pack import RuleSet


def overridden(ruleset: RuleSet, overrides: Mapping[str, RuleOverride], path: str | None) -> RuleSet:
    """The set with the overrides applied; what does not fit a rule is left out and told among the problems."""
    known = {rule.id for rule in ruleset.rules}
    problems = [
        RuleProblem(f"[rules.{name}]: no rule is called `{name}`", _near(name, known), path)
        for name in overrides if name not in known
    ]  # fmt: skip
    rules: list[Compiled] = []
    for compiled in ruleset.rules:
        override = overrides.get(compiled.id)
        if override is None:
            rules.append(compiled)
        elif override.enable:
            changed, wrong = _with_params(compiled, override.params, path)
            problems += wrong
            severity = override.severity or compiled.rule.severity
            rules.append(replace(changed, rule=changed.rule.model_copy(update={"severity": severity})))
    return replace(ruleset, rules=tuple(rules), problems=(*ruleset.problems, *problems), overrides=dict(overrides))


def _near(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"did you mean `{close[0]}`?" if close else "see `investigator rules list`"


def _with_params(
    compiled: Compiled, values: Mapping[str, Value], path: str | None
) -> tuple[Compiled, list[RuleProblem]]:
    good: dict[str, Value] = {}
    problems: list[RuleProblem] = []
    for name, value in values.items():
        param = compiled.rule.params.get(name)
        where = f"[rules.{compiled.id}.params]"
        if param is None:
            hint = nearest(name, compiled.rule.params)
            problems.append(RuleProblem(f"{where}: the rule has no parameter `{name}`", hint, path))
        elif not _is_a(param.type, value):
            problems.append(RuleProblem(f"{where}: {name} = {value!r} is no {param.type}", "correct the value", path))
        elif isinstance(value, int | float) and not inside(value, param.min, param.max):
            hint = f"from {param.min} to {param.max}"
            problems.append(RuleProblem(f"{where}: {name} = {value} lies outside of its bounds", hint, path))
        else:
            good[name] = value
    return replace(compiled, params={**compiled.params, **good}), problems


def _is_a(kind: str, value: Value) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "string":
        return isinstance(value, str)
    number = isinstance(value, int) if kind == "integer" else isinstance(value, int | float)
    return number and not isinstance(value, bool)


def without_exceptions(evaluation: Evaluation, ruleset: RuleSet) -> tuple[Evaluation, tuple[Suppressed, ...]]:
    """The evaluation without accepted findings, and what was kept out and why, in order of rule and time."""
    hidden: dict[str, Suppressed] = {}
    for finding in evaluation.findings:
        override = ruleset.overrides.get(finding.rule)
        for exception in override.exceptions if override else ():
            if _holds(exception, finding):
                hidden[finding.finding_id] = _suppressed(finding, exception)
                break
    off = [Suppressed(name, name, "switched off in the configuration")
           for name, each in sorted(ruleset.overrides.items()) if not each.enable]  # fmt: skip
    kept = tuple(finding for finding in evaluation.findings if finding.finding_id not in hidden)
    edges = tuple(edge for edge in evaluation.edges if not set(edge) & hidden.keys())
    return replace(evaluation, findings=kept, edges=edges), (*off, *hidden.values())


def _suppressed(finding: Finding, exception: RuleException) -> Suppressed:
    when = None if finding.happened_at is None else finding.happened_at.isoformat(sep=" ")
    until = exception.until.isoformat()
    return Suppressed(finding.rule, finding.title, exception.reason, until, finding.short, when)


def _holds(exception: RuleException, finding: Finding) -> bool:
    """A finding without a time is never accepted: nobody can say that the exception was not over."""
    if finding.happened_at is None or finding.happened_at.date() > exception.until:
        return False
    return all(value in finding.keys.get(name, ()) for name, value in exception.where.items())
