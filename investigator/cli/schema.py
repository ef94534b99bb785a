"""`schema`: the views that rules and queries read."""

from __future__ import annotations

import rich_click as click

from investigator.cli import options
from investigator.cli.terminal import print_json, print_table, stdout, table
from investigator.errors import UsageProblem


@click.command("schema", epilog=options.examples("investigator schema", "investigator schema attempts"))
@click.argument("view", required=False)
@options.json_option
@options.debug_option
def command(view: str | None, as_json: bool) -> None:
    """Print the views' columns with units and meaning."""
    from dataclasses import asdict

    from investigator.casefile.derived import derived_tables
    from investigator.views import describe_views

    columns = [column for column in describe_views() if view in (None, column.view)]
    if not columns:
        raise UsageProblem(f"no view is called {view}", hint=f"the views are: {', '.join(derived_tables())}")
    if as_json:
        print_json([asdict(column) for column in columns])
        return
    console = stdout()
    for name in dict.fromkeys(column.view for column in columns):
        about = derived_tables()[name]
        console.print(f"{name} (version {about.version})", style="bold cyan")
        console.print(about.doc)
        rows = table("column", "type", "unit", "what", whole=("column", "type"))
        for column in columns:
            if column.view == name:
                what = column.doc + (" [lever]" if column.lever else "") + (" [follows]" if column.follows else "")
                rows.add_row(column.column, column.type, column.unit or "", what.strip())
        print_table(rows)
        console.print()
    console.print("[lever]: a what-if may set it. [follows]: computed again from the levers.", style="dim")
