"""`config show`, `config check`, `config schema`: the configuration as it holds, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from investigator.cli import options
from investigator.cli.terminal import complain

if TYPE_CHECKING:
    from investigator.config import Config

config_option = click.option(
    "--config", "config_path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Default: investigator.toml, or [tool.investigator] of pyproject.toml, or the settings folder's config.toml.",
)  # fmt: skip


def configured(path: Path | None) -> Config:
    """The configuration of `path`, else the one that holds here. Raises ConfigProblems."""
    from platformdirs import user_config_path

    from investigator.config import find_config, load_config

    return load_config(path or find_config(Path.cwd(), user_config_path("investigator")))


@click.group("config", epilog=options.examples("investigator config check"))
def command() -> None:
    """Show and check the configuration of `scan`."""


@command.command("show", epilog=options.examples("investigator config show --config nightly.toml"))
@config_option
@options.debug_option
def show(config_path: Path | None) -> None:
    """Print every setting as it holds, as JSON.

    Notification URLs are masked: they hold secrets.
    """
    config = configured(config_path)
    data = config.settings.model_dump(mode="json")
    data["notify"]["urls"] = [url.split("://", 1)[0] + "://…" for url in data["notify"]["urls"]]
    data["notify"]["healthcheck"] = "…" if data["notify"]["healthcheck"] else None
    complain(f"from {config.path or 'no file: everything is as built in'}")
    click.echo(json.dumps(data, indent=2))


@command.command("check", epilog=options.examples("investigator config check --config nightly.toml"))
@config_option
@options.debug_option
def check(config_path: Path | None) -> None:
    """Check the configuration.

    Tells unknown keys, wrong values, and sources that are not there.
    """
    from investigator.sources.discover import discover

    config = configured(config_path)
    inputs = [str(config.resolved(Path(source))) for source in config.settings.scan.sources]
    found = discover(inputs, named=False)
    for problem in found.problems:
        complain(f"{problem.path}: {problem.message}")
    click.echo(f"{config.path or 'no file'}: good; {len(found.candidates):,} files")


@command.command("schema", epilog=options.examples("investigator config schema > investigator.schema.json"))
def schema() -> None:
    """Print the JSON Schema of the configuration, for editors."""
    from investigator.config import Settings

    click.echo(json.dumps(Settings.model_json_schema(), indent=2, sort_keys=True))
