"""`machines`: the machines of the catalogue."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from investigator.cli import options, planned
from investigator.cli.terminal import print_json, print_table, shown, stdout, table


@click.command(
    "machines",
    epilog=options.examples("investigator machines 'mac studio'", "investigator machines strix --json"),
)
@click.argument("words", nargs=-1, metavar="[WORD…]")
@planned.config_option
@options.json_option
@options.debug_option
def command(words: tuple[str, ...], config: Path | None, as_json: bool) -> None:
    """List the machines that are known, by WORDs of their names.

    Memory is GiB, bandwidth decimal GB/s, the price a list price at its date. ? marks what was recalled or derived, not
    read in a public file. `investigator what-if --machines` puts an incident's load on them.
    """
    from investigator.planning import search_machines

    found = search_machines(planned.catalogue(config), " ".join(words))
    if as_json:
        from dataclasses import asdict

        print_json([asdict(machine) for machine in found])
        return
    rows = table("machine", "name", "memory", "GB/s", "price", "as of", numeric=("GB/s", "price"), whole=("machine",))
    for machine in found:
        memory = "/".join(f"{size:g}" for size in machine.memory_gib) or "as fitted"
        cards = f"{machine.cards} × " if machine.cards > 1 else ""
        bandwidth = f"{machine.bandwidth_gb_s:,g}{'' if machine.bandwidth_verified else '?'}"
        price = "" if machine.price is None else f"${machine.price.amount:,.0f}{'' if machine.price.verified else '?'}"
        date = "" if machine.price is None else str(machine.price.date)
        rows.add_row(*map(shown, (machine.id, machine.name, cards + memory, bandwidth, price, date)))
    print_table(rows)
    stdout().print(f"\n{len(found)} machines; more of each with --json", style="dim")
