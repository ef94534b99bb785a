"""`rules`: list, show, test, check and write rules."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from investigator.cli import options, rule_writing
from investigator.cli.terminal import complain, print_json, print_table, shown, stdout, table
from investigator.errors import UsageProblem
from investigator.exits import Exit

if TYPE_CHECKING:
    from investigator.rulebook.compile import Compiled
    from investigator.rulebook.pack import RuleSet
    from investigator.rulebook.testing import TestResult


@click.group("rules", epilog=options.examples("investigator rules list", "investigator rules test my-rule.yaml"))
def command() -> None:
    """List, show, test and write rules."""


@command.command("list", epilog=options.examples("investigator rules list --rules my-rules/"))
@options.rules_option
@options.json_option
@options.debug_option
@click.pass_context
def list_(ctx: click.Context, rule_paths: tuple[Path, ...], as_json: bool) -> None:
    """List all rules with kind, severity and title."""
    from investigator.cli import steps

    rules = steps.load(rule_paths)
    if as_json:
        print_json([_summary(rule) for rule in rules.rules])
    else:
        rows = table("rule", "kind", "severity", "title", whole=("rule",))
        for rule in rules.rules:
            rows.add_row(rule.id, rule.rule.kind, rule.rule.severity, shown(rule.rule.title))
        print_table(rows)
    ctx.exit(Exit.INCOMPLETE if rules.problems else Exit.OK)


@command.command("show", epilog=options.examples("investigator rules show prefill-outlasts-timeout"))
@click.argument("rule")
@options.rules_option
@click.option("--yaml", "as_yaml", is_flag=True, help="Print the rule file itself.")
@options.debug_option
def show(rule: str, rule_paths: tuple[Path, ...], as_yaml: bool) -> None:
    """Print one rule.

    What it needs, its candidates, its arithmetic, what it says and what it advises.
    """
    from investigator.cli import steps

    compiled = pick(steps.load(rule_paths), rule)
    if as_yaml:
        click.echo(Path(compiled.path).read_text(encoding="utf-8"), nl=False)
    else:
        _print_rule(compiled)


@command.command(
    "test",
    epilog=options.examples(
        "investigator rules test",
        "investigator rules test my-rules/ -v",
        "investigator rules test my-rule.yaml --mutate",
    ),
)
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[PATH]…")
@click.option("--no-logs", is_flag=True, help="Skip the tests that run the whole pipeline on a log.")
@click.option("--coverage", is_flag=True, help="List the parts of each rule that no test has seen at work.")
@click.option("--mutate", is_flag=True, help="Make small mistakes in each rule, list those that no row test notices.")
@click.option("--min-score", type=click.FloatRange(0, 1), default=0.0, help="With --mutate: fail below this share.")
@click.option("--format", "format_", type=click.Choice(("text", "json", "junit")), default="text", show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="Name the tests that passed too, and all mutants that survived.")
@options.debug_option
@click.pass_context
def test(
    ctx: click.Context,
    *,
    paths: tuple[Path, ...],
    no_logs: bool,
    coverage: bool,
    mutate: bool,
    min_score: float,
    format_: str,
    verbose: bool,
) -> None:
    """Run the tests inside rule files.

    Of the built-in rules, or of the files and folders given. Ends with 1 when a test failed or nothing was tested, with
    3 when a rule could not be loaded.
    """
    from investigator.cli import rule_tests
    from investigator.resources import cache_dir, rules_dir
    from investigator.rulebook.load import load_rules

    rules = load_rules(list(paths) or [rules_dir()], cache_folder=cache_dir())
    for problem in rules.problems:
        complain(str(problem))
    if mutate:
        good = _mutate(rules, format_, verbose, min_score)
    else:
        results = _run_tests(rules, no_logs)
        if format_ == "json":
            rule_tests.print_json_results(results)
        elif format_ == "junit":
            rule_tests.print_junit(results)
        else:
            rule_tests.print_results(results, verbose)
        if coverage:
            from investigator.rulebook.coverage import coverage as covered

            rule_tests.print_coverage(covered(rules, results))
        good = not any(result.failures for result in results) and any(result.passed for result in results)
        if not any(not result.skipped for result in results):
            complain("nothing was tested: write `tests:` into the rule, see docs/rules.md")
    if rules.problems:
        ctx.exit(Exit.INCOMPLETE)
    ctx.exit(Exit.OK if good else Exit.FINDINGS)


def _run_tests(rules: RuleSet, no_logs: bool) -> list[TestResult]:
    from investigator.cli.rule_logs import FixtureLogs
    from investigator.rulebook.testing import run_rule_tests

    with FixtureLogs() as logs:
        return run_rule_tests(rules, None if no_logs else logs.connection)


def _mutate(rules: RuleSet, format_: str, verbose: bool, min_score: float) -> bool:
    """Whether enough mutants were killed, there were some, and no accepted one is out of date."""
    from investigator.cli import rule_tests
    from investigator.rulebook.mutate import mutation_results

    results = list(mutation_results(rules))
    counted = sum(result.counted for result in results)
    score = sum(result.killed for result in results) / counted if counted else 0.0
    if format_ == "text":
        rule_tests.print_mutation(results, verbose)
    else:
        print_json([{"rule": r.rule, "file": r.path, "killed": r.killed, "of": r.counted, "equivalent": r.equivalent,
                     "survivors": [asdict(each) for each in (*r.survivors, *r.accepted)]}
                    for r in results])  # fmt: skip
    stale = [problem for result in results for problem in result.stale]
    for problem in stale:
        complain(str(problem))
    return bool(counted) and score >= min_score and not stale


for _part in (rule_writing.lint, rule_writing.new, rule_writing.docs, rule_writing.schema):
    command.add_command(_part)


def pick(rules: RuleSet, rule_id: str) -> Compiled:
    """The rule of that id. Raises UsageProblem that names near ones."""
    from difflib import get_close_matches

    known = {rule.id: rule for rule in rules.rules}
    if rule_id not in known:
        near = get_close_matches(rule_id, known, n=3) or sorted(known)
        raise UsageProblem(f"no rule is called {rule_id}", hint=f"did you mean {', '.join(near)}?")
    return known[rule_id]


def _summary(compiled: Compiled) -> dict[str, object]:
    rule = compiled.rule
    return {
        "id": rule.id, "version": rule.version, "status": rule.status, "kind": rule.kind, "cause": rule.cause,
        "severity": rule.severity, "title": rule.title, "pack": compiled.pack, "tests": len(rule.tests),
    }  # fmt: skip


def _print_rule(compiled: Compiled) -> None:
    rule, console = compiled.rule, stdout()
    console.print(shown(rule.title, "bold"))
    console.print(
        f"{rule.id} v{rule.version} · {rule.kind} · severity {rule.severity} · {rule.status} · {compiled.pack}"
    )
    for head, lines in (
        (
            "needs",
            [
                f"views {', '.join(rule.needs.views)}",
                *([f"known: {', '.join(rule.needs.non_null)}"] if rule.needs.non_null else []),
            ],
        ),
        ("candidates", rule.match.rstrip().splitlines()),
        ("steps", [f"{step.name} = {step.expr}  [{step.unit or '-'}]  {step.say}" for step in rule.steps]),
        ("fires when", rule.verdict.splitlines()),
        ("says", [rule.explain.short]),
        ("advises", [f"{remedy.where}: {remedy.do}" for remedy in rule.remedies]),
        ("references", list(rule.references)),
    ):
        if lines:
            console.print(f"\n{head}", style="bold cyan")
            for line in lines:
                console.print(shown(f"  {line}"))
