"""`explain`: why a rule fired or did not, and how close it came."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from investigator.cli import options
from investigator.cli.terminal import print_line, shown, stdout

if TYPE_CHECKING:
    from investigator.rulebook.compile import Compiled
    from investigator.rulebook.evaluate import Evaluation
    from investigator.rulebook.findings import SubjectResult

#: Subjects shown of each outcome.
MAX_SUBJECTS = 5


@click.command("explain", epilog=options.examples("investigator explain prefill-outlasts-timeout --case week.duckdb"))
@click.argument("rule")
@click.option("--case", "case_path", type=click.Path(path_type=Path), required=True, help="An analysed case.")
@options.rules_option
@options.debug_option
def command(rule: str, case_path: Path, rule_paths: tuple[Path, ...]) -> None:
    """Tell why a rule fired or did not.

    For every candidate: its outcome, with the value of each step, or what is missing.
    """
    from investigator.casefile.case import Case
    from investigator.cli import steps
    from investigator.cli.rules import pick
    from investigator.rulebook.evaluate import evaluate
    from investigator.views import create_views

    path, rules = steps.existing(case_path), steps.load(rule_paths)
    compiled = pick(rules, rule)
    with Case(path, read_only=True) as case:
        create_views(case.connection)
        evaluation = evaluate(case.connection, rules.only([rule]))
    _print(compiled, evaluation)


def _print(compiled: Compiled, evaluation: Evaluation) -> None:
    console = stdout()
    console.print(shown(compiled.rule.title, "bold"))
    console.print(shown(f"fires when {' '.join(compiled.rule.verdict.split())}"))
    result = evaluation.results[0]
    counts = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in result.counts.items() if count)
    console.print(f"{result.outcome.replace('_', ' ')}: {counts or 'no candidates'}")
    for outcome in ("fired", "error", "not_evaluated", "quiet"):
        _print_subjects(compiled, [s for s in evaluation.subjects if s.outcome == outcome], outcome)


def _print_subjects(compiled: Compiled, subjects: Sequence[SubjectResult], outcome: str) -> None:
    from investigator.report.text import quantity

    if not subjects:
        return
    console = stdout()
    console.print(f"\n{outcome.replace('_', ' ')}", style="bold cyan")
    for subject in subjects[:MAX_SUBJECTS]:
        print_line(shown(f"  {subject.subject}" + (f": {subject.reason}" if subject.reason else ""), "bold"))
        for step in compiled.rule.steps:
            if step.name in subject.steps:
                value = quantity(subject.steps[step.name], step.unit).text
                print_line(shown(f"  {value:>20}  {step.name}: {step.say}"))
    if len(subjects) > MAX_SUBJECTS:
        console.print(f"  {len(subjects) - MAX_SUBJECTS:,} more", style="dim")
