"""`rules docs`: a Markdown page for each rule, and an index."""

from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment

from investigator.rulebook.pack import RuleSet


def pages(ruleset: RuleSet) -> dict[str, str]:
    """File name → text: `index.md`, then `<rule>.md` in the order of ids."""
    template = Environment(autoescape=False, keep_trailing_newline=True).from_string(
        files(__package__).joinpath("page.md.j2").read_text(encoding="utf-8")
    )
    found = {"index.md": _index(ruleset)}
    for compiled in ruleset.rules:
        found[f"{compiled.id}.md"] = template.render(rule=compiled.rule, pack=compiled.pack)
    return found


def _index(ruleset: RuleSet) -> str:
    lines = ["# Rules", "", "| rule | kind | severity | status | title |", "|---|---|---|---|---|"]
    for compiled in ruleset.rules:
        rule = compiled.rule
        title = rule.title.replace("|", "\\|")
        lines.append(f"| [{rule.id}]({rule.id}.md) | {rule.kind} | {rule.severity} | {rule.status} | {title} |")
    return "\n".join(lines) + "\n"
