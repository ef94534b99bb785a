"""`rules lint`, `rules new`, `rules docs`, `rules schema`: what those who write rules need."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from investigator.cli import options
from investigator.cli.terminal import complain, print_json, stdout
from investigator.errors import UsageProblem
from investigator.exits import Exit


@click.command("lint", epilog=options.examples("investigator rules lint", "investigator rules lint my-rules/ --strict"))
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[PATH]…")
@click.option("--strict", is_flag=True, help="Hints count as errors.")
@options.json_option
@options.debug_option
@click.pass_context
def lint(ctx: click.Context, paths: tuple[Path, ...], strict: bool, as_json: bool) -> None:
    """Check rules without running them.

    Everything that loading checks, and units (tokens ÷ tokens/s is s), orders that are left open, and what is missing:
    tests, references, explanation. Ends with 1 when there is an error, with 3 when a rule could not be loaded.
    """
    from investigator.resources import rules_dir
    from investigator.rulebook.load import load_rules

    try:
        from investigator.rulebook.lint import lint as remarks_of
        from investigator.rulebook.units import unit_of

        unit_of("s")
    except ImportError as error:
        raise UsageProblem("rules lint needs pint", hint="pip install 'investigator[lint]'") from error
    rules = load_rules(list(paths) or [rules_dir()])
    remarks = remarks_of(rules)
    if as_json:
        problems = [{"level": "error", "rule": None, "text": str(problem)} for problem in rules.problems]
        print_json(problems + [{"level": r.level, "rule": r.rule, "text": str(r.problem)} for r in remarks])
    else:
        for problem in rules.problems:
            complain(str(problem))
        for remark in remarks:
            complain(f"{remark.level}: {remark.problem}")
        errors = sum(remark.level == "error" for remark in remarks)
        stdout().print(f"{len(rules.rules)} rules, {errors} errors, {len(remarks) - errors} hints", style="bold")
    if rules.problems:
        ctx.exit(Exit.INCOMPLETE)
    ctx.exit(Exit.FINDINGS if any(r.level == "error" or strict for r in remarks) else Exit.OK)


@click.command("schema", epilog=options.examples("investigator rules schema > rule.schema.json"))
@options.debug_option
def schema() -> None:
    """Print the JSON Schema of rule files.

    Editors complete and check with it: # yaml-language-server: $schema=rule.schema.json as a file's first line.
    """
    import json

    from investigator.rulebook.schema import rule_schema

    click.echo(json.dumps(rule_schema(), indent=2, ensure_ascii=False))


@click.command("new", epilog=options.examples("investigator rules new my-rules/prompt-almost-full.yaml"))
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@options.debug_option
def new(file: Path) -> None:
    """Write a first rule that loads and passes its tests.

    FILE is its place; the stem is the rule's id. The schema for editors is written beside it, and pack.yaml if there is
    none. Nothing that exists is overwritten.
    """
    from investigator.rulebook.scaffold import write_new_rule

    for written in write_new_rule(file):
        stdout().print(f"wrote {written}", soft_wrap=True)
    stdout().print(f"next: investigator rules test {file}", soft_wrap=True)


@click.command("docs", epilog=options.examples("investigator rules docs -o docs/rules"))
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[PATH]…")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder.")
@options.debug_option
@click.pass_context
def docs(ctx: click.Context, paths: tuple[Path, ...], output: Path) -> None:
    """Write a Markdown page for each rule, and an index."""
    from investigator.resources import rules_dir
    from investigator.rulebook.load import load_rules
    from investigator.rulebook.pages import pages

    rules = load_rules(list(paths) or [rules_dir()])
    for problem in rules.problems:
        complain(str(problem))
    output.mkdir(parents=True, exist_ok=True)
    made = pages(rules)
    for name, text in made.items():
        (output / name).write_text(text, encoding="utf-8")
    stdout().print(f"wrote {len(made)} pages to {output}", soft_wrap=True)
    ctx.exit(Exit.INCOMPLETE if rules.problems else Exit.OK)
