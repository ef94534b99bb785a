"""`fit`: memory, reading and decoding over context sizes, without any log."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from investigator.cli import options, planned
from investigator.cli.terminal import print_json, print_table, shown, stdout, table

if TYPE_CHECKING:
    from investigator.planning import FitRow, FitTable


@click.command(
    "fit",
    epilog=options.examples(
        "investigator fit qwen3-coder:30b --machine 'M2 Ultra' --memory 64",
        "investigator fit gpt-oss:20b --ctx 131072 --kv-type q8_0 --parallel 2 --json",
        "investigator fit v-128k --case week.duckdb --timeout 300",
    ),
)
@click.argument("model")
@click.option("--ctx", "contexts", type=click.IntRange(min=1), multiple=True, metavar="TOKENS",
              help="Window of one request. May be repeated. Default: the usual sizes.")  # fmt: skip
@click.option("--kv-type", default="f16", show_default=True, metavar="TYPE", help="Type of the KV cache.")
@click.option("--parallel", type=click.IntRange(min=1), default=1, show_default=True, help="Slots of the server.")
@click.option("--quant", metavar="NAME", help="File of the model. Default: the one that its plain tag names.")
@planned.machine_option
@planned.memory_option
@click.option("--timeout", "timeout_s", type=click.FloatRange(min=0), metavar="SECONDS",
              help="How long the client waits: also tells the longest prompt that is read in time.")  # fmt: skip
@click.option("--case", "case_path", type=click.Path(path_type=Path), metavar="FILE",
              help="An analysed case: what its logs say of model and machine beats the catalogue.")  # fmt: skip
@planned.config_option
@options.json_option
@options.debug_option
def command(
    model: str, contexts: tuple[int, ...], case_path: Path | None, config: Path | None, as_json: bool, **asked: Any
) -> None:
    """Tell whether a model fits, and how fast it reads.

    MODEL is a name or tag of the catalogue (see `investigator models`), or, with --case, a model of the case. Memory is
    in GiB (2^30 bytes); GB (10^9) is what `ollama ps` prints.
    """
    from investigator.planning import Plan, Where, fit_model, read_measured

    catalogue = planned.catalogue(config)
    plan = Plan(asked["kv_type"], asked["parallel"], asked["timeout_s"])
    where = Where(asked["machine"], asked["memory_gib"])
    measured = None
    if case_path is not None:
        with planned.open_analysed(case_path) as case:
            measured = read_measured(case.connection, catalogue)
    made = fit_model(catalogue, model, plan, contexts, where=where, quant=asked["quant"], case=measured)
    if as_json:
        first = None if made.first_limit is None else asdict(made.first_limit)
        print_json({**asdict(made), "first_limit": first, "largest_fitting_tokens": made.largest_fitting_tokens})
    else:
        _print(made)


def _print(made: FitTable) -> None:
    from investigator.planning.words import between_gib, between_s, gib_of

    console = stdout()
    head = f"{made.model} {made.quant or ''}".strip() + f" · KV {made.kv_type} · {made.slots} slot(s)"
    console.print(shown(head + (f" · {made.machine}" if made.machine else " · no machine named"), "bold"))
    numbers = ("window", "KV cache", "buffers", "total", "GB", "margin", "reading it cold", "decode there")
    rows = table(*numbers[:5], "fits", *numbers[5:], numeric=numbers, whole=("window", "fits"))
    for row in made.rows:
        decode = "" if row.decode_tps is None else f"{row.decode_tps.low:,.0f}–{row.decode_tps.high:,.0f} tok/s"
        sizes = (gib_of(row.kv_bytes), between_gib(row.compute_bytes), between_gib(row.total_bytes))
        told = (f"{row.total_bytes.mid / 1e9:,.1f}", _fits(row), between_gib(row.margin_bytes), between_s(row.read_s))
        rows.add_row(f"{row.window_tokens:,}", *sizes, *told, decode)
    weights = between_gib(made.rows[0].weights_bytes)
    console.print(f"weights {weights} GiB; sizes in GiB unless said otherwise", style="dim")
    print_table(rows)
    console.print()
    for number, limit in enumerate(made.limits):
        first = "first limit: " if number == 0 else "then: "
        might = f", perhaps {limit.might_tokens:,}" if limit.might_tokens > limit.tokens else ""
        console.print(shown(f"{first}{limit.tokens:,} tokens{might} ({limit.why})", "bold" if number == 0 else ""))
    largest = made.largest_fitting_tokens
    if largest is not None and made.rows[0].limit_bytes is not None:
        console.print("fits at no window" if not largest else f"largest window that fits: {largest:,} tokens")
    for note in (*([f"reading speed: {made.speed_note}"] if made.speed_note else []), *made.notes):
        console.print(shown(note, "dim"))


def _fits(row: FitRow) -> str:
    words = {"fits": "yes", "might": "might", "does_not_fit": "no", None: "?"}[row.verdict]
    return "beyond model" if row.beyond_native else words
