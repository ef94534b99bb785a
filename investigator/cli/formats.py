"""`formats`: what can be read."""

from __future__ import annotations

import rich_click as click

from investigator.cli import options
from investigator.cli.terminal import print_json, print_table, stdout, table


@click.command("formats", epilog=options.examples("investigator formats", "investigator formats --json"))
@options.json_option
@options.debug_option
def command(as_json: bool) -> None:
    """List what can be read, which versions, and what it yields."""
    from investigator.formats.registry import FORMATS, UNSUPPORTED, tables_filled

    fills = tables_filled()

    if as_json:
        read = [
            {"id": f.id, "title": f.title, "side": f.side, "versions": f.versions, "read": True, "yields": fills[f.id]}
            for f in FORMATS
        ]
        nothing: dict[str, object] = {"side": None, "versions": None, "read": False, "yields": []}
        known = [{"id": u.id, "title": u.title, **nothing} for u in UNSUPPORTED]
        print_json([*read, *known])
        return
    console = stdout()
    rows = table("format", "what", "side", "versions", "yields", whole=("format",))
    for each in FORMATS:
        rows.add_row(each.id, each.title, each.side, each.versions, ", ".join(fills[each.id]))
    print_table(rows)
    console.print()
    console.print("Known by name, not read by this version: " + ", ".join(kind.title for kind in UNSUPPORTED))
