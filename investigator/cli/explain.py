"""`explain`: why a rule fired or did not, and how close it came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from investigator.cli import options
from investigator.cli.terminal import print_json, print_line, shown, stdout
from investigator.errors import UsageProblem

if TYPE_CHECKING:
    from investigator.rulebook.compile import Compiled
    from investigator.rulebook.evaluate import Evaluation
    from investigator.rulebook.findings import SubjectResult
    from investigator.rulebook.nearness import Candidate, Term

#: Subjects shown of each outcome.
MAX_SUBJECTS = 5


@click.command(
    "explain",
    epilog=options.examples(
        "investigator explain prefill-outlasts-timeout --case week.duckdb",
        "investigator explain prefill-outlasts-timeout --case week.duckdb --subject 17712345",
    ),
)
@click.argument("rule")
@click.option("--case", "case_path", type=click.Path(path_type=Path), required=True, help="An analysed case.")
@click.option("--subject", help="Only this subject (an attempt's id, …), with every column and step.")
@options.rules_option
@options.json_option
@options.debug_option
def command(rule: str, case_path: Path, subject: str | None, rule_paths: tuple[Path, ...], as_json: bool) -> None:
    """Tell why a rule fired or did not.

    For every candidate its outcome, with the value of each step, or what is missing; of those that stayed quiet the
    nearest ones, with the terms of the verdict that do not hold and how far they are from the limit.
    """
    from investigator.casefile.case import Case
    from investigator.cli import steps
    from investigator.cli.rules import pick
    from investigator.resources import rules_dir
    from investigator.rulebook.nearness import candidates
    from investigator.rulebook.sandbox import evaluate_safely
    from investigator.views import create_views

    path, rules = steps.existing(case_path), steps.load(rule_paths)
    compiled = pick(rules, rule)
    with Case(path, read_only=True) as case:
        create_views(case.connection)
        evaluation, good = evaluate_safely(case.connection, rules.only([rule]), rules_dir())
        # a rule that had to be stopped is not run again
        near = candidates(case.connection, compiled, subject=subject, limit=MAX_SUBJECTS) if good.rules else []
    if subject is not None and not near:
        raise UsageProblem(f"{rule} has no candidate {subject}", hint="leave out --subject to see its candidates")
    if as_json:
        print_json(_as_json(compiled, evaluation, near))
    elif subject is not None:
        for candidate in near:
            _print_candidate(compiled, candidate, every=True)
    else:
        _print(compiled, evaluation, near)


def _print(compiled: Compiled, evaluation: Evaluation, near: Sequence[Candidate]) -> None:
    console = stdout()
    console.print(shown(compiled.rule.title, "bold"))
    console.print(shown(f"fires when {' '.join(compiled.rule.verdict.split())}"))
    result = evaluation.results[0]
    counts = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in result.counts.items() if count)
    console.print(f"{result.outcome.replace('_', ' ')}: {counts or 'no candidates'}")
    if not counts:
        views = ", ".join(compiled.rule.needs.views)
        console.print(shown(f"nothing in {views} is what the rule looks for: investigator rules show {compiled.id}"))
    missing = Counter(s.reason for s in evaluation.subjects if s.outcome == "not_evaluated" and s.reason)
    for reason, count in missing.most_common():
        console.print(shown(f"missing: {reason} ({count:,})"))
    for outcome in ("fired", "error", "not_evaluated"):
        _print_subjects(compiled, [s for s in evaluation.subjects if s.outcome == outcome], outcome)
    if near:
        console.print("\nquiet, nearest first", style="bold cyan")
        for candidate in near:
            _print_candidate(compiled, candidate, every=False)


def _print_subjects(compiled: Compiled, subjects: Sequence[SubjectResult], outcome: str) -> None:
    if not subjects:
        return
    console = stdout()
    console.print(f"\n{outcome.replace('_', ' ')}", style="bold cyan")
    for subject in subjects[:MAX_SUBJECTS]:
        print_line(shown(f"  {subject.subject}" + (f": {subject.reason}" if subject.reason else ""), "bold"))
        _print_steps(compiled, subject.steps)
    if len(subjects) > MAX_SUBJECTS:
        console.print(f"  {len(subjects) - MAX_SUBJECTS:,} more", style="dim")


def _print_candidate(compiled: Compiled, candidate: Candidate, every: bool) -> None:
    reason = f": {candidate.reason}" if candidate.reason else ""
    print_line(shown(f"  {candidate.subject}  {candidate.outcome.replace('_', ' ')}{reason}", "bold"))
    if every:
        units = compiled.units
        for name in compiled.types:
            if name != "subject":
                print_line(shown(f"  {_value(candidate.values[name], units.get(name)):>20}  {name}"))
    _print_steps(compiled, candidate.values)
    for term in candidate.terms if every else candidate.open_terms:
        print_line(shown(f"  {_state(term):>20}  {term.text}{_distance(term)}"))


def _print_steps(compiled: Compiled, values: Any) -> None:
    for step in compiled.rule.steps:
        if step.name in values:
            print_line(shown(f"  {_value(values[step.name], step.unit):>20}  {step.name}: {step.say}"))


def _value(value: Any, unit: str | None) -> str:
    from investigator.report.text import quantity

    return ", ".join(map(str, value)) if isinstance(value, list) else quantity(value, unit).text


def _state(term: Term) -> str:
    return "unknown" if term.holds is None else "holds" if term.holds else "does not hold"


def _distance(term: Term) -> str:
    if term.distance is None or term.left is None or term.right is None:
        return ""
    return f": {term.left:,.6g} against {term.right:,.6g}, {term.distance:.1%} away"


def _as_json(compiled: Compiled, evaluation: Evaluation, near: Sequence[Candidate]) -> dict[str, Any]:
    result = evaluation.results[0]
    return {
        "rule": compiled.id,
        "outcome": result.outcome,
        "counts": dict(result.counts),
        "missing": list(result.reasons),
        "nearest": [
            {
                "subject": candidate.subject,
                "outcome": candidate.outcome,
                "reason": candidate.reason,
                "steps": {name: candidate.values[name] for name in compiled.steps},
                "terms": [
                    {"term": term.text, "holds": term.holds, "left": term.left, "right": term.right,
                     "distance": term.distance} for term in candidate.terms
                ],
            }
            for candidate in near
        ],
    }  # fmt: skip
