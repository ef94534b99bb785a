"""`models`: the models of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from investigator.cli import options, planned
from investigator.cli.terminal import print_json, print_table, shown, stdout, table

if TYPE_CHECKING:
    from investigator.catalog import CloudModel


@click.command(
    "models",
    epilog=options.examples("investigator models qwen3", "investigator models --cloud", "investigator models --json"),
)
@click.argument("words", nargs=-1, metavar="[WORD…]")
@click.option("--cloud", is_flag=True, help="Models behind an API instead: windows and list prices.")
@planned.config_option
@options.json_option
@options.debug_option
def command(words: tuple[str, ...], cloud: bool, config: Path | None, as_json: bool) -> None:
    """List the models that are known, by WORDs of their names.

    Sizes of files are decimal GB, as `ollama list` prints them; the cache is GiB for the model's own window at f16.
    Geometry: log = printed by an engine, config = published, unverified = recalled.
    """
    from investigator.planning import search_models

    catalogue = planned.catalogue(config)
    text = " ".join(words)
    if cloud:
        _print_cloud([m for m in catalogue.cloud_models if _named(text, m.id, m.name, m.vendor)], as_json)
        return
    found = search_models(catalogue, text)
    if as_json:
        from dataclasses import asdict

        print_json([asdict(model) for model in found])
        return
    from investigator.planning import needs_of
    from investigator.planning.words import gib_of

    rows = table(
        "model", "tag", "window", "files", "KV GiB", "geometry", numeric=("window", "KV GiB"), whole=("model",)
    )
    for model in found:
        files = ", ".join(f"{file.quant} {file.listed_gb:g} GB{'' if file.verified else '?'}" for file in model.weights)
        cache = needs_of(model).kv_bytes(model.native_window_tokens) if model.weights else None
        told = "?" if cache is None else gib_of(cache) + ("+" if model.recurrent and not model.recurrent.known else "")
        tag, window = model.tags[0] if model.tags else "", f"{model.native_window_tokens:,}"
        rows.add_row(*map(shown, (model.id, tag, window, files, told, model.geometry)))
    print_table(rows)
    stdout().print(f"\n{len(found)} models; ?: size not verified, +: lower bound", style="dim")


def _named(text: str, *names: str) -> bool:
    known = " ".join(names).lower()
    return all(word in known for word in text.lower().split())


def _print_cloud(found: Sequence[CloudModel], as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        print_json([asdict(model) for model in found])
        return
    rows = table(
        "model", "vendor", "window", "input", "output", "as of", "verified", numeric=("window", "input", "output")
    )
    for model in found:
        price = ("?", "?") if model.price is None else (f"${model.price.input:.2f}", f"${model.price.output:.2f}")
        verified = f"window {_yes(model.window_verified)}, price {_yes(model.price_verified)}"
        rows.add_row(
            *map(shown, (model.id, model.vendor, f"{model.window_tokens:,}", *price, str(model.date), verified))
        )
    print_table(rows)
    stdout().print("\nPrices per million tokens of short prompts; longer ones may cost more (--json).", style="dim")


def _yes(value: bool) -> str:
    return "yes" if value else "no"
